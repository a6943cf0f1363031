"""What a person wants of the session: asked for in the background, and said on the screen where it is refused."""

from collections.abc import Awaitable, Callable
from typing import Any

from textual.app import App

from defai.agent.control import Control
from defai.domain.stream import SessionEnded
from defai.errors import DefaiError
from defai.tui.lines import AgentLine


class Wishes:
    """Passes wishes on to the session.

    Args:
        app: runs the calls and says what was refused.
        control: steers the session.
        changed: called when a line shows another wish.
        ended: called where not even the end could be asked for.
    """

    def __init__(
        self,
        app: App[Any],
        control: Control,
        changed: Callable[[], None],
        ended: Callable[[SessionEnded], None],
    ) -> None:
        self._app, self._control = app, control
        self._changed, self._ended = changed, ended

    def toggle(self, line: AgentLine) -> None:
        """Pause an agent that runs or waits; let one run again that is paused or stopped; one wish at a time."""
        if line.wish:
            return
        if line.state in {"paused", "stopped"}:
            line.wish = "resuming"
            self._ask(self._granted(self._control.resume(line.key), line))
        else:
            line.wish = "pausing"
            self._ask(self._granted(self._control.pause(line.key), line))
        line.version += 1
        self._changed()

    def halt_all(self) -> None:
        """Pause every agent."""
        self._ask(self._granted(self._control.halt_all()))

    def stop(self) -> None:
        """End the session."""
        self._ask(self._stopped())

    def _ask(self, call: Awaitable[None]) -> None:
        self._app.run_worker(call, name="wish", group="wishes", exit_on_error=False)

    async def _granted(self, call: Awaitable[None], line: AgentLine | None = None) -> None:
        try:
            await call
        except DefaiError as refusal:
            if line is not None:
                line.wish = ""
                line.version += 1
                self._changed()
            self._app.notify(str(refusal), severity="error", markup=False)

    async def _stopped(self) -> None:
        try:
            await self._control.stop()
        except DefaiError as refusal:
            self._ended(SessionEnded(refusal.sentence, refusal.hint, refusal.exit_code))
