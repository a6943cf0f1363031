"""The terminal: it is handed a stream of events and a `Control`, and knows nothing else of the session."""

import asyncio
import gc
import time
from collections.abc import AsyncIterable, Callable, Mapping
from pathlib import Path
from typing import ClassVar, Final

from textual.binding import BindingType
from textual.command import Provider
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from defai.agent.control import Control
from defai.domain.others_words import fit_to_show
from defai.domain.stream import Notice, SessionEnded, StreamEvent
from defai.errors import DefaiError
from defai.harmless import harmless
from defai.tui import actions
from defai.tui.actions import EVERYWHERE, bindings
from defai.tui.commands import ActionProvider
from defai.tui.fleet import FleetState, Parts
from defai.tui.format import age, number
from defai.tui.opening import STARTING
from defai.tui.overture import Overture
from defai.tui.pacing import PACES, Pacing, in_turn
from defai.tui.preferences import Preferences, usual_path
from defai.tui.reading import IN_ONE_GO, Breath
from defai.tui.screens import places
from defai.tui.steering import Steering
from defai.tui.style_sheet import LastingStylesheet
from defai.tui.themes import DARK, SIXTEEN, THEME_WORDS, THEMES
from defai.tui.wishes import Wishes

STALE_AFTER_S: Final = 15.0
LEAVE_WITHIN_S: Final = 15.0

WIDTHS: Final = [(0, "-narrow"), (100, "-middle"), (170, "-wide")]
"""Classes of a screen by its columns."""
HEIGHTS: Final = [(0, "-short"), (30, "-medium"), (48, "-tall")]
"""Classes of a screen by its rows."""

UNSAID: Final = ("The session stopped without saying why.", "Its log in the run directory may tell.", 3)
"""How a session is taken to have ended whose events cease."""

GARBAGE_AFTER_S: Final = 2.0
"""Once the screen stands, what connects to a session or makes one is imported: that is over by then."""

EventsFactory = Callable[[], AsyncIterable[StreamEvent]]


class DefaiApp(Steering):
    """The dashboard.

    Args:
        events: called once, on the app's loop; gives the session's events. `EventQueue` is one such thing.
        control: steers the session and answers questions; its methods are awaited on the app's loop.
        clock: seconds, for "how long ago"; tests freeze it.
        stale_after_s: without a block for that long (or four times the usual gap) the figures are called old.
        leave_within_s: how long the session may take to settle after the wish to leave.
        dropped: tells how many events gave way to newer ones on their way here.
        preferences: what the person set once and finds again.
        folder: where exported lists go.
        paces: seconds between two paints, by part of the screen.
        opening: what is being done before the first event comes.
        first_within_s: how long the first screen waits for what it is to show; 0 for a session that is yet to start.
    """

    TITLE = "defai"
    CSS_PATH = "app.tcss"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {ActionProvider}
    BINDINGS: ClassVar[list[BindingType]] = bindings(EVERYWHERE)
    MODES: ClassVar[dict[str, str | Callable[[], Screen[None]]]] = {**places.MODES}
    DEFAULT_MODE = actions.FLEET

    def __init__(
        self,
        events: EventsFactory,
        control: Control,
        *,
        clock: Callable[[], float] = time.monotonic,
        stale_after_s: float = STALE_AFTER_S,
        leave_within_s: float = LEAVE_WITHIN_S,
        dropped: Callable[[], int] = lambda: 0,
        preferences: Preferences | None = None,
        folder: Path | None = None,
        paces: Mapping[str, float] = PACES,
        opening: str = STARTING,
        first_within_s: float = 0.0,
    ) -> None:
        super().__init__()
        self.fleet = FleetState(opening=opening)
        self.clock = clock
        self.leaving = False
        self.preferences = preferences or Preferences()
        self.folder = folder or Path()
        self.wishes = Wishes(self, control, self.show_parts, self._take)
        self._events = events
        self._stale_after_s, self._leave_within_s = stale_after_s, leave_within_s
        self._dropped = dropped
        self._pending: set[str] = set()
        self._waiting: Parts | None = None
        self._pacing = Pacing(paces)
        self._painter: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._told: tuple[str, float] | None = None
        self._overture = Overture(first_within_s)
        self.HORIZONTAL_BREAKPOINTS = WIDTHS
        self.VERTICAL_BREAKPOINTS = HEIGHTS
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = usual_theme(self.preferences, self.console.color_system)
        self.stylesheet = LastingStylesheet(variables=self.get_css_variables())

    # -- the stream ------------------------------------------------------------------------------------------------

    async def on_load(self) -> None:
        """Read what comes at once before anything is drawn."""
        if self._overture.within_s:
            self._listen()
            await self._overture.heard()

    def on_mount(self) -> None:
        """Start reading events once the frame stands, or go on."""
        self.call_after_refresh(self._stand)
        self.set_interval(1.0, self._tick)
        if self.preferences.problem:
            self.notify(self.preferences.problem, severity="warning", markup=False)

    def _stand(self) -> None:
        self.set_timer(GARBAGE_AFTER_S, look_for_garbage)
        self._overture.screen_stands()
        if not self._overture.within_s:
            self._listen()

    def _listen(self) -> None:
        self.run_worker(self._read(), name="events", exit_on_error=False)

    async def _read(self) -> None:
        breath = Breath(self._pacing, self.clock)
        taken, apply, events = 0, self.fleet.apply, aiter(self._events())
        said = await self._overture.read(events, self.fleet, self.clock)
        if said is not None:
            self._take(said)
            if said.kind == "session_ended":
                return
        async for event in events:
            parts = apply(event, self.clock())
            if parts is not self._waiting:
                self._follow(event, parts)
                if event.kind == "session_ended":
                    return
            taken += 1
            if taken % IN_ONE_GO == 0:
                await breath.draw(self._due if self._painter is not None else 0.0)
        if self.fleet.ended is None:
            self._take(SessionEnded(*UNSAID))

    def _take(self, told: StreamEvent) -> None:
        event = fit_to_show(told)
        self._follow(event, self.fleet.apply(event, self.clock()))

    def _follow(self, event: StreamEvent, parts: Parts) -> None:
        """Do what an event asks for beside being taken in: have something painted, say something aloud."""
        if not parts <= self._pending:
            self.show_parts(parts)
        self._waiting = parts
        if isinstance(event, Notice):
            self._tell(event)
        elif isinstance(event, SessionEnded):
            self._end(event)

    def show_parts(self, parts: Parts) -> None:
        """Have some parts of the screen painted, with whatever else changes until then."""
        fresh = parts - self._pending
        self._pending |= fresh
        if self._painter is None or time.monotonic() + self._pacing.wait_s(fresh) < self._due:
            self._plan_paint()

    def _plan_paint(self) -> None:
        if self._painter is not None:
            self._painter.cancel()
        wait = self._pacing.wait_s(self._pending)
        self._due = time.monotonic() + wait
        # Not a timer of Textual's, nor a message: each costs as much as a small paint, ten times a second.
        self._painter = asyncio.get_running_loop().call_later(wait, in_turn, self, self._paint)

    def _paint(self) -> None:
        self._painter = None
        parts = self._pacing.take(self._pending)
        self._pending -= parts
        self._waiting = None
        if self._pending:
            self._plan_paint()
        board = self.board() if parts and not self._exit else None
        if board is not None:
            board.paint_bars(parts)
            board.paint(parts)

    def _tick(self) -> None:
        if self._exit or "status" in self._pending:  # its bars are gone, or about to be painted
            return
        board = self.board()
        if board is not None:
            board.paint_bars({"status"})

    def _tell(self, notice: Notice) -> None:
        """Say a notice once, however often it comes within ten seconds; of a run played back only what is wrong."""
        now = self.clock()
        if notice.level == "info" and self.fleet.playback is not None:
            return  # hundreds of blocks a second would cover the screen with them; the log has them
        if self._told is not None and self._told[0] == notice.sentence and now - self._told[1] < 10:
            return
        self._told = (notice.sentence, now)
        severity = notice.level if notice.level in {"warning", "error"} else "information"
        words = f"{notice.sentence} {notice.hint}".strip()
        self.notify(words, severity=severity, markup=False)  # type: ignore[arg-type]  # one of the three words

    def _end(self, ended: SessionEnded) -> None:
        """Leave where that was wished for; else say how the session ended, and stay."""
        if self.leaving and ended.exit_code == 0:
            self.exit(return_code=0)
            return
        from defai.tui.screens.dialogs import Farewell  # noqa: PLC0415  no part of the first paint

        begun, seen = self.fleet.started is not None, self.fleet.block is not None
        self.push_screen(Farewell(ended, begun=begun, seen=seen))

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
            self.notify(harmless(f"{sentence} {hint}".strip()), severity="error", markup=False)

    # -- what the screens ask --------------------------------------------------------------------------------------

    @property
    def is_painted(self) -> bool:
        """Whether the screen shows everything that has been read."""
        return self._painter is None and not self._pending

    @property
    def dropped(self) -> int:
        """Events that never got here because newer ones pushed them out, here or on their way."""
        return self._dropped() + self.fleet.dropped

    @property
    def is_stale(self) -> bool:
        """Whether the last block is so long ago that something must be wrong."""
        fleet = self.fleet
        quiet_s = 0.0 if fleet.block_seen_at is None or fleet.is_over else self.clock() - fleet.block_seen_at
        return quiet_s > max(self._stale_after_s, 4 * fleet.block_gap_s)

    @property
    def banner(self) -> str:
        """A sentence above the screen, where something is wrong with all of it."""
        fleet = self.fleet
        if fleet.block is None:
            return ""
        of_old = f"The figures are those of block {number(fleet.block.number, 0)}."
        if fleet.ended is not None:
            return f"The session has ended. {of_old}"
        heard = fleet.connection
        if heard is not None and heard.state != "connected":
            again = f" Tried {heard.attempt} times, trying on." if heard.attempt > 1 else " Trying again."
            why = (heard.reason or heard.state).rstrip(".")
            who = "The session" if heard.url in why else f"The session at {heard.url}"
            return f"{who} cannot be heard: {why}.{again} {of_old}"
        if self.is_stale and fleet.block_seen_at is not None:
            return f"No block for {age(self.clock() - fleet.block_seen_at)}. {of_old}"
        return ""

    # -- leaving ---------------------------------------------------------------------------------------------------

    def action_leave(self) -> None:
        """Ask the session to end, show that it settles, leave when it has, or after the deadline."""
        if self.leaving:
            self.action_leave_now()
            return
        if self.fleet.ended is not None:
            self.exit(return_code=self.fleet.ended.exit_code)
            return
        self.leaving = True
        self.wishes.stop()
        self.set_timer(self._leave_within_s, self.action_leave_now)
        from defai.tui.screens.dialogs import Settling  # noqa: PLC0415  no part of the first paint

        self.push_screen(Settling())
        self._tick()

    def action_leave_now(self) -> None:
        """Leave without waiting for the session."""
        self.exit(return_code=0)


def look_for_garbage() -> None:
    """Whoever starts the terminal leaves garbage alone until there is something to see; what is there now stays."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def usual_theme(preferences: Preferences, colours: str | None) -> str:
    """The theme the person chose; else the dark one, in sixteen colours where the terminal has no more."""
    chosen = preferences.text("theme")
    if chosen in THEME_WORDS:
        return chosen
    return SIXTEEN.name if colours in {"standard", "windows"} else DARK.name


async def run(
    events: EventsFactory,
    control: Control,
    *,
    dropped: Callable[[], int] = lambda: 0,
    leave_within_s: float = LEAVE_WITHIN_S,
    preferences: Preferences | None = None,
    opening: str = STARTING,
    first_within_s: float = 0.0,
) -> int:
    """Run the dashboard on the running loop until the person leaves.

    Args:
        events: called once; gives the session's events.
        control: steers the session.
        dropped: tells how many events gave way, for the screen to say so.
        leave_within_s: how long the session may take to settle.
        preferences: what the person set once; the file of this system's user where none are given.
        opening: what is being done before the first event comes.
        first_within_s: how long the first screen waits for what it is to show; 0 for a session that is yet to start.

    Returns:
        The exit code: the session's own where it ended by itself, 0 where the person left.
    """
    app = DefaiApp(
        events,
        control,
        dropped=dropped,
        leave_within_s=leave_within_s,
        preferences=preferences or Preferences(usual_path()),
        opening=opening,
        first_within_s=first_within_s,
    )
    await app.run_async()
    return app.return_code or 0
