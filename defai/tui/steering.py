"""What a person can do from any screen: go somewhere, open, copy, export, halt, change the colours."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from textual.driver import Driver
from textual.filter import ANSIToTruecolor, LineFilter

from defai.tui.actions import AGENT, MODES, POOL
from defai.tui.fleet import FleetState
from defai.tui.lines import AgentLine, LogLine
from defai.tui.playing import Playing
from defai.tui.preferences import Preferences
from defai.tui.screens.board import Board
from defai.tui.themes import THEME_WORDS
from defai.tui.wishes import Wishes


class Steering(Playing):
    """The part of the app that does what keys, clicks and the palette ask for.

    Attributes:
        fleet: what there is to show.
        clock: seconds, for "how long ago".
        wishes: passes on what is asked of the session.
        preferences: what the person set once and finds again.
        trail: modes one came through, the last at the end.
        agent_name: the agent that screens about one agent show; None until one was looked at.
        pool_address: likewise of pools.
        folder: where exported lists go.
    """

    fleet: FleetState
    clock: Callable[[], float]
    wishes: Wishes
    preferences: Preferences
    trail: tuple[str, ...] = ()
    agent_name: str | None = None
    pool_address: str | None = None
    folder: Path = Path()

    # -- going somewhere -------------------------------------------------------------------------------------------

    def board(self) -> Board | None:
        """The full screen that is in front, or behind a dialog."""
        boards = [screen for screen in self.screen_stack if isinstance(screen, Board) and screen.is_mounted]
        return boards[-1] if boards else None

    def action_go(self, mode: str) -> None:
        """Go to a screen; what was opened on top of it before is closed."""
        here = self.current_mode
        if mode != here:
            self.trail = (*self.trail, here)[-20:]
        self._enter(mode)

    def _enter(self, mode: str) -> None:
        if mode != self.current_mode:
            self.switch_mode(mode)
        while len(self.screen_stack) > 1:
            self.pop_screen()

    async def action_back(self) -> None:
        """Close what is open, or go back to where one came from."""
        board = self.board()
        if board is not None and self.screen is board and board.step_back():
            return
        if len(self.screen_stack) > 1:
            self.pop_screen()
        elif self.trail:
            mode, self.trail = self.trail[-1], self.trail[:-1]
            self._enter(mode)

    @property
    def can_step_back(self) -> bool:
        """Whether there is anything to close or to go back to."""
        board = self.board()
        opened = board is not None and board.can_step_back
        return opened or len(self.screen_stack) > 1 or bool(self.trail)

    def open_agent(self, name: str) -> None:
        """Show an agent's screen."""
        if name in self.fleet.agents:
            self.agent_name = name
            self.action_go(AGENT)

    def open_pool(self, address: str | None) -> None:
        """Show a pool's screen."""
        if address in self.fleet.pools:
            self.pool_address = address
            self.action_go(POOL)

    def open_decision(self, digest: str) -> None:
        """Show a decision's details."""
        line = self.fleet.line_of(digest)
        if line is None:
            self.notify("That decision has left the log; its record is on the chain.", severity="warning")
            return
        from defai.tui.screens.decision import DecisionScreen  # noqa: PLC0415  no part of the first paint

        self.push_screen(DecisionScreen(line))

    # -- agents ----------------------------------------------------------------------------------------------------

    def toggle(self, name: str) -> None:
        """Pause an agent, or let it run again."""
        if name in self.fleet.agents:
            self.wishes.toggle(self.fleet.agents[name])

    def action_halt(self) -> None:
        """Ask once, then pause every agent."""
        count = len(self.fleet.agents)
        if not count:
            self.notify("There is no agent to halt yet.", severity="warning")
            return
        self._ask_once(
            f"Pause all {count} agents?" if count > 1 else "Pause the only agent?",
            "No agent decides anything until you resume it: p one, R all. Open positions and balances stay as they "
            "are and keep their market risk; what is already on its way to the chain is not called back.",
            "Pause all",
            self.wishes.halt_all,
        )

    @property
    def _paused(self) -> list[AgentLine]:
        return [line for line in self.fleet.agents.values() if line.state == "paused"]

    def action_resume_all(self) -> None:
        """Ask once, then let every paused agent run again."""
        count = len(self._paused)
        self._ask_once(
            f"Let {count} paused agents run again?" if count > 1 else "Let the paused agent run again?",
            "They decide with the next block, and may trade at once. An agent that its circuit breaker stopped stays "
            "stopped: p lets it run.",
            "Resume all",
            self._resume_all,
        )

    def _resume_all(self) -> None:
        for line in self._paused:
            self.wishes.toggle(line)

    def _ask_once(self, question: str, consequence: str, yes: str, then: Callable[[], None]) -> None:
        from defai.tui.screens.dialogs import Question  # noqa: PLC0415  no part of the first paint

        self.push_screen(Question(question, consequence, yes), lambda answer: then() if answer else None)

    # -- decisions -------------------------------------------------------------------------------------------------

    def verify(self, line: LogLine | None) -> None:
        """Have a decision verified."""
        if line is None:
            self.notify("There is no decision to verify yet.", severity="warning")
        else:
            self.wishes.verify(line)

    def copy(self, what: str, text: str | None) -> None:
        """Put a text on the terminal's clipboard and say so."""
        if not text:
            self.notify(f"There is no {what} to copy yet.", severity="warning")
            return
        self.copy_to_clipboard(text)
        self.notify(f"Copied the {what} {text}", timeout=3, markup=False)

    def export(self, name: str, text: str) -> None:
        """Write a list into a file of its own beside where the terminal was started, and say where."""
        block = self.fleet.block.number if self.fleet.block else 0
        count = 0
        while True:
            suffix = f"-{count}" if count else ""
            path = self.folder / f"defai-{name}-{block}{suffix}.csv"
            try:
                with path.open("x", encoding="utf-8") as file:
                    file.write(text)
            except FileExistsError:
                count += 1
                continue
            except OSError as error:
                self.notify(f"{path} cannot be written: {error.strerror}.", severity="error", markup=False)
                return
            lines = max(0, text.count("\n") - 1)
            counted = f"{lines:,} line{'' if lines == 1 else 's'}"
            self.notify(f"Wrote {counted} to {path.resolve()}", timeout=6, markup=False)
            return

    # -- the terminal itself ---------------------------------------------------------------------------------------

    def action_help(self) -> None:
        """Show all keys."""
        from defai.tui.screens.help import Help  # noqa: PLC0415  no part of the first paint

        board = self.board()
        self.push_screen(Help(board.scope if board else ""))

    def action_theme(self) -> None:
        """Go to the next set of colours, and remember it."""
        names = list(THEME_WORDS)
        at = names.index(self.theme) if self.theme in names else -1
        self.wear(names[(at + 1) % len(names)])

    def wear(self, name: str) -> None:
        """Use a set of colours from now on."""
        self.theme = name
        self.preferences.put("theme", name)
        self.notify(f"Colours: {THEME_WORDS[name]}.", timeout=2)

    def get_driver_class(self) -> type[Driver]:
        """The usual one; on a console of Linux, one that writes the signs it has."""
        usual = super().get_driver_class()
        if os.environ.get("TERM") != "linux":
            return usual
        from defai.tui.console import in_its_signs  # noqa: PLC0415  few work at one

        return in_its_signs(usual)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What each line goes through; none looks for colours of the terminal's own, of which there are none here."""
        return [one for one in super().get_line_filters() if not isinstance(one, ANSIToTruecolor)]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what there is something to do with."""
        if action == "back":
            return self.can_step_back
        if action in {"play", "seek", "speed"}:
            return self.playback is not None
        if action == "halt":
            moving = any(line.state not in {"paused", "stopped"} for line in self.fleet.agents.values())
            return moving and self.fleet.ended is None and self.playback is None
        if action == "resume_all":
            return bool(self._paused) and self.fleet.ended is None and self.playback is None
        if action == "go":
            return parameters[0] in MODES
        return super().check_action(action, parameters)
