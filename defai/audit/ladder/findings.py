"""What came of climbing: comparisons, findings, a report for each decision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any, Final

from defai.audit.canonical import canonical_json, digest

POINTS: Final = 20
"""What a rung that holds counts in the score: five of them make a hundred."""


class Rung(IntEnum):
    """The rungs, lowest first."""

    INTEGRITY = 1
    DATA = 2
    MODEL = 3
    DECISION = 4
    EXECUTION = 5


class Standing(Enum):
    """Whether a rung bears."""

    HOLDS = "holds"
    BREAKS = "breaks"
    OPEN = "open"
    """It could not be checked; the note says why."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One value on both sides, as text.

    Attributes:
        what: what was compared.
        recorded: as the record, or its transaction, has it.
        found: as it was computed again, or read elsewhere on the chain.
    """

    what: str
    recorded: str
    found: str

    @property
    def agrees(self) -> bool:
        """Whether both sides say the same."""
        return self.recorded == self.found


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one rung."""

    rung: Rung
    standing: Standing
    comparisons: tuple[Comparison, ...] = ()
    note: str = ""

    @property
    def differences(self) -> tuple[Comparison, ...]:
        """The comparisons whose sides differ."""
        return tuple(comparison for comparison in self.comparisons if not comparison.agrees)


def found(rung: Rung, *comparisons: Comparison, note: str = "") -> Finding:
    """A rung that holds where all comparisons agree."""
    holds = all(comparison.agrees for comparison in comparisons)
    return Finding(rung, Standing.HOLDS if holds else Standing.BREAKS, comparisons, note)


def left_open(rung: Rung, why: str, *comparisons: Comparison) -> Finding:
    """A rung that could not be checked to the end; it breaks all the same where a comparison differs."""
    holds = all(comparison.agrees for comparison in comparisons)
    return Finding(rung, Standing.OPEN if holds else Standing.BREAKS, comparisons, why)


@dataclass(frozen=True, slots=True)
class Report:
    """What came of verifying one decision.

    Attributes:
        token_id: its record's number; None where it stands under an anchor.
        digest: its digest.
        block_number: the block it was taken upon; None where that could not be found out.
        action: what it did, in a word.
        findings: one for each rung, lowest first.
    """

    agent_id: int
    sequence: int
    token_id: int | None
    digest: str
    block_number: int | None
    action: str
    findings: tuple[Finding, ...] = field(default=())

    @property
    def broken(self) -> Finding | None:
        """The lowest rung that breaks; None where none does."""
        return next((each for each in self.findings if each.standing is Standing.BREAKS), None)

    @property
    def is_verified(self) -> bool:
        """Whether every rung holds."""
        return all(each.standing is Standing.HOLDS for each in self.findings)

    @property
    def score(self) -> int:
        """0..100: what an ERC-8004 validation response says. A broken rung makes it 0, an open one costs 20."""
        if self.broken:
            return 0
        return POINTS * sum(each.standing is Standing.HOLDS for each in self.findings)

    def to_json(self) -> dict[str, Any]:
        """JSON-able values; the same report gives the same, on any machine."""
        return {
            "agent_id": self.agent_id,
            "sequence": self.sequence,
            "token_id": self.token_id,
            "digest": self.digest,
            "block_number": self.block_number,
            "action": self.action,
            "verified": self.is_verified,
            "broken_rung": self.broken.rung.name.lower() if self.broken else None,
            "score": self.score,
            "rungs": [_finding_json(each) for each in self.findings],
        }

    @property
    def evidence(self) -> bytes:
        """The report as canonical bytes: what stands behind `evidence_digest`."""
        return canonical_json(self.to_json())

    @property
    def evidence_digest(self) -> str:
        """keccak256 of the report, for an ERC-8004 validation response."""
        return digest(self.evidence)


def _finding_json(finding: Finding) -> Mapping[str, Any]:
    compared = [
        {"what": each.what, "recorded": each.recorded, "found": each.found, "agrees": each.agrees}
        for each in finding.comparisons
    ]
    return {
        "rung": finding.rung.name.lower(),
        "standing": finding.standing.value,
        "note": finding.note,
        "compared": compared,
    }
