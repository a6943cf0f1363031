"""What a look-ahead analysis found, what it looked at, and how a person is told."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from defai.harmless import harmless

NOT_CHECKED: Final = (
    "files that native code opens by a path from the root",
    "what comes over the network",
    "parameters that somebody chose after seeing the data",
)
"""What no run can tell."""
_WORDS: Final = {
    "feature": "the feature {name}",
    "forecast": "the forecast",
    "model": "the model",
    "decision": "decide, its {name}",
    "failure": "the run",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that changes with what is yet to come, where it shows first.

    Attributes:
        kind: "feature", "forecast", "model", "decision" or "failure".
        name: of the feature, or of the intent's field.
        block_number: of the decision; None where it is not of one.
        timestamp: of that block, in seconds since 1970.
        whole: its value with the whole history there.
        other: its value otherwise.
        how: what was otherwise.
        cut_time: the last moment whose rows were left as they are; None where nothing was cut.
        runs: in how many runs it showed.
    """

    kind: str
    name: str
    block_number: int | None
    timestamp: int | None
    whole: str
    other: str
    how: str
    cut_time: int | None = None
    runs: int = 1

    @property
    def place(self) -> str:
        """What it is, in words."""
        return _WORDS[self.kind].format(name=self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookaheadReport:
    """What came of a look-ahead analysis.

    Attributes:
        cuts: moments after which the history was cut, in seconds since 1970.
        acted: how many of them lie right after a decision that acted.
        decisions: of the whole history.
        runs: on the whole history and on parts of it.
        compared: decisions that were held against the whole history's, all runs together.
        features: those that the strategy looks at.
        model: digest of its model; None where it has none.
        findings: by kind and name, each where it shows first.
        opened: where the strategy's code opens the history's files; reading the past there is no look-ahead.
        stopped: why the strategy stopped before the history ended; empty where it did not.
        seconds: what it took.
    """

    strategy: str
    parameters: Mapping[str, Any]
    source: str
    source_kind: str
    seed: int
    cuts: Sequence[int]
    acted: int
    decisions: int
    runs: int
    compared: int
    features: Sequence[str]
    model: str | None
    findings: Sequence[Finding]
    opened: Sequence[str]
    stopped: str
    seconds: float

    @property
    def looks_ahead(self) -> bool:
        """Whether anything was found."""
        return bool(self.findings)

    def to_json(self) -> dict[str, Any]:
        """The report as one JSON-able object."""
        return {
            "looks_ahead": self.looks_ahead,
            **asdict(self),
            "points": len(self.cuts),
            "not_checked": list(NOT_CHECKED),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "LookaheadReport":
        """The report that `to_json` gave."""
        derived = ("looks_ahead", "points", "not_checked")
        kept = {name: value for name, value in content.items() if name not in derived}
        return cls(**{**kept, "findings": tuple(Finding(**one) for one in content["findings"])})


def moment_text(timestamp: int) -> str:
    """A moment, as the reports write it."""
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M:%S}"


def text(report: LookaheadReport) -> str:
    """The report for a person."""
    lines = [_verdict(report)]
    lines += [line for finding in report.findings for line in _finding(finding)]
    if report.opened:
        lines.append(
            f"It opens the history's files itself: {', '.join(report.opened)}. Live there are no such files."
        )
    if report.stopped:
        lines.append(
            f"It stopped before the history ended: {report.stopped}. What comes later was not looked at."
        )
    lines.append(_looked_at(report))
    lines.append(f"Not checked: {'; '.join(NOT_CHECKED)}.")
    return "\n".join(map(harmless, lines))


def _verdict(report: LookaheadReport) -> str:
    if not report.looks_ahead:
        return f"{report.strategy}: no look-ahead found."
    names = ", ".join(dict.fromkeys(finding.place for finding in report.findings))
    return f"{report.strategy} decides upon what it cannot know: {names}."


def _finding(finding: Finding) -> list[str]:
    where = ""
    if finding.block_number is not None and finding.timestamp is not None:
        where = f" at block {finding.block_number:,}, {moment_text(finding.timestamp)}"
    cut = f" after {moment_text(finding.cut_time)}" if finding.cut_time is not None else ""
    runs = f" ({finding.runs} runs)" if finding.runs > 1 else ""
    return [
        f"  {finding.place}{where}",
        f"    {finding.whole}  on the whole history",
        f"    {finding.other}  {finding.how}{cut}{runs}",
    ]


def _looked_at(report: LookaheadReport) -> str:
    of = f", {len(report.features)} features" if report.features else ""
    model = f", model {report.model[:10]}…" if report.model else ""
    return (
        f"Looked at: {report.decisions:,} decisions{of}{model} on {report.source_kind}; {len(report.cuts)} cuts (seed "
        f"{report.seed}), {report.acted} of them right after a decision that acted; {report.runs} runs, with the later "
        f"data taken away and with it changed, {report.compared:,} decisions compared; {report.seconds:.1f} s."
    )
