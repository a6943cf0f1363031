"""What became of an agent's transactions: of those that carried a decision out, and of those that only anchored."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from defai.agent import wording
from defai.agent.ports import Settlement
from defai.domain.decisions import Decision, ExecutionStatus
from defai.domain.tokens import Address, Token

_NUMBER: Final = re.compile(r"[-−]?\d[\d,.…%]*")


class Outcome(NamedTuple):
    """What came of a decision.

    Attributes:
        status: "filled", "reverted" or "refused".
        gas_used: units of gas, the record included.
        gas_raw: what that cost, in the numeraire's smallest unit, as it was charged.
        text: what moved, or why nothing did.
    """

    status: str
    gas_used: int
    gas_raw: int
    text: str


@dataclass(slots=True)
class OutcomeTape:
    """Settlements as an agent's desk meets them.

    Attributes:
        settled: what carried a decision out, by the decision's digest, with the cost of its gas.
        anchors: transactions that did nothing but anchor decisions.
        anchor_gas_raw: what those cost.
    """

    settled: dict[str, tuple[Settlement, int]] = field(default_factory=dict)
    anchors: int = 0
    anchor_gas_raw: int = 0

    def keep(self, settlement: Settlement, gas_raw: int) -> None:
        """Keep what came of a submission."""
        if settlement.execution is None:
            self.anchors += 1
            self.anchor_gas_raw += gas_raw
        else:
            self.settled[settlement.execution.decision_digest] = (settlement, gas_raw)

    def of(self, digest: str, tokens: Mapping[Address, Token]) -> Outcome | None:
        """What came of a decision; None where nothing was sent, or nothing has come of it."""
        settlement, gas_raw = self.settled.get(digest, (None, 0))
        if settlement is None or settlement.execution is None:
            return None
        execution = settlement.execution
        status = execution.status if settlement.landed else ExecutionStatus.REVERTED
        text = wording.execution_text(execution, tokens)
        return Outcome(status.value, settlement.gas_used, gas_raw, text)


@dataclass(slots=True)
class Denials:
    """Why an agent was denied what it asked for. Reasons that differ in their numbers alone count as one.

    Attributes:
        counts: how often, by the reason as it was given first.
    """

    counts: dict[str, int] = field(default_factory=dict)
    _first: dict[str, str] = field(default_factory=dict)

    def keep(self, decision: Decision) -> None:
        """Count a decision that was denied."""
        reason = str(json.loads(decision.payload)["verdict"]["reason"])
        named = self._first.setdefault(_NUMBER.sub("#", reason), reason)
        self.counts[named] = self.counts.get(named, 0) + 1
