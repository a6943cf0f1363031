"""The terminal: it is handed a stream of events and a `Control`, and knows nothing else of the session."""

import asyncio
import time
from collections.abc import AsyncIterable, Callable
from typing import ClassVar, Final

from textual.app import App
from textual.binding import BindingType
from textual.command import Provider
from textual.screen import Screen
from textual.timer import Timer
from textual.worker import Worker, WorkerState

from defai.agent.control import Control
from defai.domain.stream import Notice, SessionEnded, StreamEvent
from defai.errors import DefaiError
from defai.tui.actions import EVERYWHERE, bindings
from defai.tui.commands import ActionProvider
from defai.tui.fleet import FleetState, Parts
from defai.tui.format import age, number
from defai.tui.screens.agent import AgentScreen
from defai.tui.screens.board import Board
from defai.tui.screens.decision import DecisionScreen
from defai.tui.screens.dialogs import Farewell, Help, Question, Settling
from defai.tui.screens.fleet import FleetScreen
from defai.tui.themes import DARK, LIGHT, THEMES
from defai.tui.wishes import Wishes

PAINTS_PER_SECOND: Final = 15
STALE_AFTER_S: Final = 15.0
LEAVE_WITHIN_S: Final = 15.0

WIDTHS: Final = [(0, "-narrow"), (100, "-middle"), (170, "-wide")]
"""Classes of a screen by its columns."""
HEIGHTS: Final = [(0, "-short"), (30, "-medium"), (48, "-tall")]
"""Classes of a screen by its rows."""

EventsFactory = Callable[[], AsyncIterable[StreamEvent]]


class DefaiApp(App[None]):
    """The dashboard.

    Args:
        events: called once, on the app's loop; gives the session's events. `EventQueue` is one such thing.
        control: steers the session; its methods are awaited on the app's loop.
        clock: seconds, for "how long ago"; tests freeze it.
        stale_after_s: without a block for that long (or four times the usual gap) the figures are called old.
        leave_within_s: how long the session may take to settle after the wish to leave.
        dropped: tells how many events gave way to newer ones on their way here.
    """

    TITLE = "defai"
    CSS_PATH = "app.tcss"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {ActionProvider}
    BINDINGS: ClassVar[list[BindingType]] = bindings(EVERYWHERE)
    MODES: ClassVar[dict[str, str | Callable[[], Screen[None]]]] = {"fleet": FleetScreen}
    DEFAULT_MODE = "fleet"

    def __init__(
        self,
        events: EventsFactory,
        control: Control,
        *,
        clock: Callable[[], float] = time.monotonic,
        stale_after_s: float = STALE_AFTER_S,
        leave_within_s: float = LEAVE_WITHIN_S,
        dropped: Callable[[], int] = lambda: 0,
    ) -> None:
        super().__init__()
        self.fleet = FleetState()
        self.clock = clock
        self.leaving = False
        self._events = events
        self._wishes = Wishes(self, control, self._show_agents, self._take)
        self._stale_after_s, self._leave_within_s = stale_after_s, leave_within_s
        self._dropped = dropped
        self._pending: Parts = set()
        self._painter: Timer | None = None
        self._told: tuple[str, float] | None = None
        self.HORIZONTAL_BREAKPOINTS = WIDTHS
        self.VERTICAL_BREAKPOINTS = HEIGHTS
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK.name

    # -- the stream ----------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Start reading events once the frame stands."""
        self.run_worker(self._read(), name="events", exit_on_error=False)
        self.set_interval(1.0, self._tick)

    async def _read(self) -> None:
        taken = 0
        async for event in self._events():
            self._take(event)
            taken += 1
            if taken % 50 == 0:
                await asyncio.sleep(0)
            if isinstance(event, SessionEnded):
                return
        if self.fleet.ended is None:
            self._take(
                SessionEnded(
                    "The session stopped without saying why.", "Its log in the run directory may tell.", 3
                )
            )

    def _take(self, event: StreamEvent) -> None:
        self._pending |= self.fleet.apply(event, self.clock())
        if isinstance(event, Notice):
            self._tell(event)
        elif isinstance(event, SessionEnded):
            self._end(event)
        if self._painter is None:
            self._painter = self.set_timer(1 / PAINTS_PER_SECOND, self._paint)

    def _paint(self) -> None:
        self._painter = None
        parts, self._pending = self._pending, set()
        board = self._board()
        if board is not None:
            board.paint_status()
            board.paint(parts)

    def _board(self) -> Board | None:
        """The full screen that is in front, or behind a dialog."""
        boards = [screen for screen in self.screen_stack if isinstance(screen, Board) and screen.is_mounted]
        return boards[-1] if boards else None

    def _show_agents(self) -> None:
        board = self._board()
        if board is not None:
            board.paint({"agents"})

    def _tick(self) -> None:
        board = self._board()
        if board is not None:
            board.paint_status()

    def _tell(self, notice: Notice) -> None:
        """Say a notice once, however often it comes within ten seconds."""
        now = self.clock()
        if self._told is not None and self._told[0] == notice.sentence and now - self._told[1] < 10:
            return
        self._told = (notice.sentence, now)
        severity = notice.level if notice.level in {"warning", "error"} else "information"
        words = f"{notice.sentence} {notice.hint}".strip()
        self.notify(words, severity=severity, markup=False)  # type: ignore[arg-type]  # one of the three words

    def _end(self, ended: SessionEnded) -> None:
        """Leave where that was wished for; else say how the session ended, and stay until a key."""
        if self.leaving and ended.exit_code == 0:
            self.exit(return_code=0)
            return
        self.push_screen(Farewell(ended))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A stream or a wish that broke is said on the screen; the session is over where it was the stream."""
        if event.state is not WorkerState.ERROR:
            return
        error = event.worker.error
        sentence = error.sentence if isinstance(error, DefaiError) else f"{type(error).__name__}: {error}"
        hint = error.hint if isinstance(error, DefaiError) else ""
        if event.worker.name == "events":
            code = error.exit_code if isinstance(error, DefaiError) else 1
            self._take(SessionEnded(sentence, hint, code))
        else:
            self.notify(f"{sentence} {hint}".strip(), severity="error", markup=False)

    # -- what the screens ask ------------------------------------------------------------------------------------

    @property
    def is_painted(self) -> bool:
        """Whether the screen shows everything that has been read."""
        return self._painter is None and not self._pending

    @property
    def dropped(self) -> int:
        """Events that never got here because newer ones pushed them out."""
        return self._dropped()

    @property
    def is_stale(self) -> bool:
        """Whether the last block is so long ago that something must be wrong."""
        fleet = self.fleet
        if fleet.block_seen_at is None or fleet.ended is not None:
            return False
        return self.clock() - fleet.block_seen_at > max(self._stale_after_s, 4 * fleet.block_gap_s)

    @property
    def banner(self) -> str:
        """A sentence above the screen, where something is wrong with all of it."""
        fleet = self.fleet
        if fleet.ended is not None and fleet.block is not None:
            return f"The session has ended. The figures are those of block {number(fleet.block.number, 0)}."
        if self.is_stale and fleet.block is not None and fleet.block_seen_at is not None:
            since = age(self.clock() - fleet.block_seen_at)
            return f"No block for {since}. The figures are those of block {number(fleet.block.number, 0)}."
        return ""

    # -- what a person can do --------------------------------------------------------------------------------------

    def open_agent(self, name: str) -> None:
        """Show an agent's details."""
        if name in self.fleet.agents:
            self.push_screen(AgentScreen(name))

    def open_decision(self, digest: str) -> None:
        """Show a decision's details."""
        line = self.fleet.line_of(digest)
        if line is None:
            self.notify("That decision has left the log; its record is on the chain.", severity="warning")
            return
        self.push_screen(DecisionScreen(line))

    def toggle(self, name: str) -> None:
        """Pause an agent, or let it run again."""
        if name in self.fleet.agents:
            self._wishes.toggle(self.fleet.agents[name])

    def copy(self, what: str, text: str | None) -> None:
        """Put a text on the terminal's clipboard and say so."""
        if not text:
            self.notify(f"There is no {what} to copy yet.", severity="warning")
            return
        self.copy_to_clipboard(text)
        self.notify(f"Copied the {what} {text}", timeout=3, markup=False)

    def action_halt(self) -> None:
        """Ask once, then pause every agent."""
        count = len(self.fleet.agents)
        if not count:
            self.notify("There is no agent to halt yet.", severity="warning")
            return
        question = Question(
            f"Pause all {count} agents?",
            "No agent decides anything until you resume it, one by one with p. Open positions and balances stay as "
            "they are and keep their market risk; what is already on its way to the chain is not called back.",
            "Pause all",
        )
        self.push_screen(question, self._halt)

    def _halt(self, answer: bool | None) -> None:
        if answer:
            self._wishes.halt_all()

    def action_help(self) -> None:
        """Show all keys."""
        self.push_screen(Help())

    def action_theme(self) -> None:
        """Change between dark and light."""
        self.theme = LIGHT.name if self.theme == DARK.name else DARK.name

    def action_leave(self) -> None:
        """Ask the session to end, show that it settles, leave when it has, or after the deadline."""
        if self.leaving:
            self.action_leave_now()
            return
        if self.fleet.ended is not None:
            self.exit(return_code=self.fleet.ended.exit_code)
            return
        self.leaving = True
        self._wishes.stop()
        self.set_timer(self._leave_within_s, self.action_leave_now)
        self.push_screen(Settling())
        self._tick()

    def action_leave_now(self) -> None:
        """Leave without waiting for the session."""
        self.exit(return_code=0)


async def run(
    events: EventsFactory,
    control: Control,
    *,
    dropped: Callable[[], int] = lambda: 0,
    leave_within_s: float = LEAVE_WITHIN_S,
) -> int:
    """Run the dashboard on the running loop until the person leaves.

    Args:
        events: called once; gives the session's events.
        control: steers the session.
        dropped: tells how many events gave way, for the screen to say so.
        leave_within_s: how long the session may take to settle.

    Returns:
        The exit code: the session's own where it ended by itself, 0 where the person left.
    """
    app = DefaiApp(events, control, dropped=dropped, leave_within_s=leave_within_s)
    await app.run_async()
    return app.return_code or 0
