"""What every screen does that points at a decision: copy it, have it verified and explained."""

from textual.timer import Timer

from defai.tui.lines import LogLine
from defai.tui.screens.frame import Frame
from defai.tui.widgets.decision_log import DecisionLog

LINGER_S = 0.3
"""An explanation is asked for once the cursor stood on a decision for so long."""


class Explaining(Frame):
    """A screen on which a decision is pointed at."""

    _lingering: Timer | None = None

    @property
    def pointed(self) -> LogLine | None:
        """The decision that is meant; None where there is none."""
        raise NotImplementedError

    def explain_soon(self) -> None:
        """Ask for an explanation of the decision pointed at, unless the cursor goes on."""
        if self._lingering is not None:
            self._lingering.stop()
        line = self.pointed
        if (
            line is not None
            and line.decision.forecast is not None
            and line.explained != line.decision.digest
            and not self._goes_on(line)
        ):
            self._lingering = self.set_timer(LINGER_S, self._explain)

    def _explain(self) -> None:
        line = self.pointed
        if line is not None and not self._goes_on(line):
            self.terminal.wishes.explain(line)

    def _goes_on(self, line: LogLine) -> bool:
        """Whether the next block may bring another hold into this line."""
        agent = self.fleet.agents.get(line.agent)
        return line.is_hold and agent is not None and agent.last is line and not line.asked_about

    def action_verify(self) -> None:
        """Climb the rungs for the decision pointed at, which stays in sight until the answer is read."""
        self.stay()
        self.terminal.verify(self.pointed)

    def stay(self) -> None:
        """Let the cursor of the list go to the decision pointed at, and stay there whatever comes in."""
        line = self.pointed
        if line is None:
            return
        for log in self.query(DecisionLog):
            log.select(line.key)
            log.keep_cursor()

    def action_copy_transaction(self) -> None:
        """Copy its transaction's hash."""
        line = self.pointed
        execution = line.execution if line else None
        self.terminal.copy("transaction", execution.transaction_hash if execution else None)

    def action_copy(self) -> None:
        """Copy its digest."""
        line = self.pointed
        self.terminal.copy("digest", line.decision.digest if line else None)
