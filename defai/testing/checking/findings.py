"""What a check found, as data and as text."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from defai.harmless import harmless

CHECKS: Final[Mapping[str, str]] = {
    "types": "parameters, signatures, names of pools and features, what it reads of the context and asks for",
    "purity": "no file, no network, no clock, no randomness but ctx.rng, no memory, nothing private",
    "determinism": "the same context twice, in any order, and in another process with other hashes",
    "reasons": "every intent says why",
    "time": "what a decision takes",
    "lookahead": "a history that ends earlier gives the same decisions up to there",
    "edges": "empty windows, crashes, no liquidity, prices at the edge of a range, no money",
    "sandwich": "its swaps still get their least when they are sandwiched",
}
"""What is checked, and what that means."""
NOT_CHECKED: Final = (
    "whether it earns anything: backtest it",
    "its model, if it has one: it was shown made-up forecasts (`defai walk-forward` measures real ones)",
    "look-ahead through its own features or files on real history (`defai lookahead-analysis`)",
    "types inside its functions (mypy)",
    "code that none of the scenes reached",
)
_WIDTH: Final = 12


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        check: which of `CHECKS` says so.
        line: of the strategy's file, counted from 1; None where it is no single line's fault.
    """

    check: str
    sentence: str
    hint: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What came of checking a strategy.

    Attributes:
        measured: by check, what was looked at, in words.
        skipped: checks that could not be made, with the reason.
        seconds: what checking took.
        protection: what protected from its code meanwhile, in words; empty where nothing did.
    """

    strategy: str
    file: str
    findings: tuple[Finding, ...]
    measured: Mapping[str, str]
    skipped: Mapping[str, str]
    seconds: float
    protection: str = ""

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong, and everything was checked."""
        return not self.findings and not self.skipped

    def to_json(self) -> dict[str, Any]:
        """As JSON-able values."""
        failed = {finding.check for finding in self.findings}
        return {
            "strategy": self.strategy,
            "file": self.file,
            "passed": self.passed,
            "checks": {
                name: {
                    "status": "failed" if name in failed else "skipped" if name in self.skipped else "passed",
                    "measured": self.skipped.get(name) or self.measured.get(name, ""),
                }
                for name in CHECKS
            },
            "findings": [asdict(finding) for finding in self.findings],
            "not_checked": list(NOT_CHECKED),
            "seconds": round(self.seconds, 3),
            **({"protection": self.protection} if self.protection else {}),
        }


def report_text(report: CheckReport) -> str:
    """A report for people: a line for each check, its findings below it, and what was not checked."""
    lines = [f"{report.strategy}  {report.file}"]
    lines += [f"in processes of their own: {report.protection}"] if report.protection else []
    lines.append("")
    place = Path(report.file).name
    for name, meaning in CHECKS.items():
        found = [finding for finding in report.findings if finding.check == name]
        if name in report.skipped and not found:
            lines.append(f"  -     {name:<{_WIDTH}} not checked: {report.skipped[name]}")
            continue
        status = "FAIL" if found else "ok  "
        lines.append(f"  {status}  {name:<{_WIDTH}} {report.measured.get(name, '') or meaning}")
        for finding in found:
            at = f"{place}:{finding.line}: " if finding.line else ""
            lines.append(f"          {at}{finding.sentence}")
            if finding.hint:
                lines.append(f"            {finding.hint}")
    lines += ["", "not checked:", *(f"  {one}" for one in NOT_CHECKED), ""]
    verdict = "passed" if report.passed else f"{len(report.findings) or 'no'} finding(s)"
    lines.append(f"{verdict} in {report.seconds:.1f} s")
    return "\n".join(map(harmless, lines))  # a strategy that is checked adds no line of its own
