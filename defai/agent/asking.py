"""Asking an agent's strategy: whatever its author's code does, what comes of it is an intent or a reason to stop."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from defai.agent.intent_form import fault, shortened
from defai.agent.staying_flat import stay_flat
from defai.domain.decisions import Decision, Execution
from defai.domain.intents import Hold, Intent
from defai.strategy.api import Context, Edge, Strategy
from defai.strategy.isolation.faults import fault_of
from defai.strategy.outcome import Outcome, outcome_of
from defai.time_limit import OverrunError, TimeLimit

log = logging.getLogger(__name__)

OUTCOMES_KEPT: Final = 32
"""What came of so many decisions is told with every context."""


class Asking:
    """One agent's strategy, and what it has been told.

    Args:
        strategy_name: what people call it.

    Attributes:
        outcomes: what came of the agent's latest decisions, the newest last.
        has_started: whether it was asked if it can work here, and had nothing against it.
        fault: what was wrong with what it did last, in words for people; empty where nothing was.
    """

    def __init__(self, strategy_name: str) -> None:
        self.outcomes: tuple[Outcome, ...] = ()
        self.fault = ""
        self._name = strategy_name
        self.has_started = False
        self._limit = TimeLimit()

    def start(self, strategy: Strategy, context: Context) -> bool:
        """Ask whether it can work here; where it cannot, `fault` says why."""
        refusal = self._words("on_start", partial(strategy.on_start, context))
        if refusal and not self.fault:
            self.fault = shortened(f"{self._name} cannot start: {refusal}")
        self.has_started = not self.fault
        return self.has_started

    def decide(
        self, decide: Callable[[Context], Intent], context: Context, stated: Callable[[Context], Edge | None]
    ) -> Intent:
        """What it wants; to hold, with `fault` as the reason, where that is no intent.

        Args:
            decide: the strategy's, or what gives or raises what that did.
            context: what it may look at.
            stated: says for what edge it acts: for one that may be nothing it stays flat.
        """
        try:
            intent = self._limit.ask(decide, context)
            wrong = fault(intent)
            if not wrong and type(intent) is not Hold:
                intent = self._limit.ask(stay_flat, intent, context, stated)
        except OverrunError as overrun:
            wrong = str(overrun)
        except (Exception, SystemExit) as error:  # noqa: BLE001  an author's code may raise anything; it stops its agent only
            wrong = self._told_of("decide", error)
        if not wrong:
            self.fault = ""
            return intent
        self.fault = shortened(f"{self._name}.decide {wrong}")
        return Hold(reason=self.fault)

    def remember(self, decision: Decision, execution: Execution, gas_raw: int) -> Outcome | None:
        """Keep what came of a decision, for the contexts to come; None where no block has its transaction."""
        outcome = outcome_of(decision, execution, gas_raw)
        if outcome is not None:
            self.outcomes = (*self.outcomes, outcome)[-OUTCOMES_KEPT:]
        return outcome

    def comment(self, strategy: Strategy, outcome: Outcome) -> str:
        """What it says about an outcome; where that is no text, `fault` says why."""
        return self._words("on_outcome", partial(strategy.on_outcome, outcome))

    def _words(self, what: str, say: Callable[[], str]) -> str:
        self.fault = ""
        try:
            words: object = self._limit.ask(say)
        except OverrunError as overrun:
            self.fault = shortened(f"{self._name}.{what} {overrun}")
            return ""
        except (Exception, SystemExit) as error:  # noqa: BLE001  as above
            self.fault = shortened(f"{self._name}.{what} {self._told_of(what, error)}")
            return ""
        if not isinstance(words, str):
            self.fault = shortened(f"{self._name}.{what} gave {type(words).__name__}, not text")
            return ""
        return shortened(words)

    def _told_of(self, what: str, error: BaseException) -> str:
        """What it did, in words; where in its author's code that was is in the log's file."""
        log.info(
            "%s.%s raised %s; the log's file says where",
            self._name,
            what,
            type(error).__name__,
            exc_info=error,
        )
        return fault_of(error)
