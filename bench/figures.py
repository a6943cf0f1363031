"""A figure: what was measured, beside its alternative and what was promised."""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table.

    Attributes:
        what: what was measured; it is known by this in the README.
        value: the measurement, a median where there are several; not a number where it can't be measured here.
        unit: of the value and of the alternative.
        against: what the alternative is; empty without one.
        alternative: its measurement, made in the same run.
        rate: whether more is better; else less is.
        least_ratio: so many times as good as the alternative it is promised to be.
        least: so large it is promised to be at least.
        most: so large it is promised to be at most.
        within: so far, as a share, it may be from the alternative: for figures that are to agree.
        headline: whether it stands in the README.
        note: the conditions, where the other words don't say them: what is included on either side, and what isn't.
    """

    what: str
    value: float
    unit: str
    against: str = ""
    alternative: float | None = None
    rate: bool = False
    least_ratio: float | None = None
    least: float | None = None
    most: float | None = None
    within: float | None = None
    headline: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times as good as the alternative; for figures that are to agree, the alternative over the value."""
        if not self.alternative or not self.value:
            return None
        return self.value / self.alternative if self.rate else self.alternative / self.value

    @property
    def wanted(self) -> str:
        """What was promised, in words; empty where nothing was."""
        if self.least_ratio is not None:
            return f"at least {self.least_ratio:g}x"
        if self.least is not None:
            return f"at least {number(self.least)} {self.unit}"
        if self.most is not None:
            return f"at most {number(self.most)} {self.unit}"
        return "" if self.within is None else f"within {self.within:.0%}"

    @property
    def kept(self) -> bool | None:
        """Whether the promise was kept; None where nothing was promised."""
        ratio = self.ratio
        if self.least_ratio is not None:
            return ratio is not None and ratio >= self.least_ratio
        if self.least is not None:
            return self.value >= self.least
        if self.most is not None:
            return self.value <= self.most
        if self.within is not None:
            return ratio is not None and abs(ratio - 1) <= self.within
        return None

    def as_json(self) -> dict[str, Any]:
        """Everything, the derived included; null for what was not measured."""
        return {
            **{name: getattr(self, name) for name in ("what", "value", "unit", "against", "alternative")},
            **({"value": None} if math.isnan(self.value) else {}),
            **{name: getattr(self, name) for name in ("ratio", "wanted", "kept", "note")},
        }


def number(value: float) -> str:
    """A figure with three or four digits that count, and separated thousands; "unmeasured" where there is none."""
    if math.isnan(value):
        return "unmeasured"
    if abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def seconds_each(work: Callable[[], object], *, at_least_s: float = 0.3, rounds: int = 5) -> float:
    """Median seconds of one call: rounds of as many calls as take `at_least_s` together."""
    work()
    calls = 1
    while True:
        started = time.perf_counter()
        for _ in range(calls):
            work()
        took = time.perf_counter() - started
        if took >= at_least_s / rounds:
            break
        calls = max(calls * 2, int(calls * at_least_s / rounds / max(took, 1e-9)))
    times = [took]
    for _ in range(rounds - 1):
        started = time.perf_counter()
        for _ in range(calls):
            work()
        times.append(time.perf_counter() - started)
    return statistics.median(times) / calls
