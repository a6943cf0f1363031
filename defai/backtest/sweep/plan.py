"""What a sweep is going to do, worked out before any of it is done, so that it can be gone on with another day."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Final

from defai import __version__
from defai.backtest.ground import Ground
from defai.backtest.record import configuration_of
from defai.backtest.request import BacktestRequest
from defai.backtest.sweep.sources import digest_of
from defai.backtest.sweep.space import Axes, refuse_unknown, values_of
from defai.backtest.timeranges import moment_text, parse_timerange
from defai.errors import ConfigError
from defai.strategy.registry import LoadedStrategy, load

MOST_RUNS: Final = 1_000_000
_PLAN_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What all runs of a sweep have in common.

    Attributes:
        request: what each is asked for, but for its parameters and its time range.
        loaded: the strategy with the parameters that all runs share.
        source_digest: of the source's files, as `digest_of` has it.
    """

    request: BacktestRequest
    loaded: LoadedStrategy
    source_digest: str

    @classmethod
    def of(cls, request: BacktestRequest) -> "Subject":
        """Find the strategy and the source, by paths that hold from anywhere.

        Raises:
            DefaiError: where there is none, or several strategies are asked for.
        """
        if len(request.strategies) != 1:
            raise ConfigError("A sweep is of one strategy.", "Name one: -s NAME.")
        path, _, name = request.strategies[0].rpartition(":")
        reference = f"{Path(path).absolute()}:{name}" if path.endswith(".py") else name
        fees = request.base_fees and request.base_fees.absolute()
        request = replace(
            request,
            strategies=(reference,),
            source=request.source.absolute(),
            base_fees=fees,
            baselines=False,
        )
        loaded = load(reference)
        refuse_unknown(list(request.parameters), type(loaded.strategy))
        return cls(request=request, loaded=loaded, source_digest=digest_of(request.source))

    @property
    def strategy_digest(self) -> str:
        """Of the strategy's source file."""
        return hashlib.sha256(self.loaded.source).hexdigest()

    def plan(self, kind: str, more: dict[str, Any]) -> dict[str, Any]:
        """The plan as it is written down; the same plan gives the same runs."""
        configuration = configuration_of(self.request)
        return {
            "kind": kind,
            "version": _PLAN_VERSION,
            "defai": __version__,
            "strategy": configuration.pop("strategies")[0],
            "strategy_sha256": self.strategy_digest,
            "source": configuration.pop("source"),
            "source_sha256": self.source_digest,
            **{name: plain(value) for name, value in (configuration | more).items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """One run of a sweep.

    Attributes:
        number: its place in the plan.
        window: number of its window.
        timerange: of the window.
        parameters: those that differ from run to run, and those that all share.
    """

    number: int
    window: int
    timerange: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The runs of a sweep: every combination of values in every window.

    Attributes:
        axes: values by parameter, as they were written.
        windows: time ranges.
    """

    axes: dict[str, tuple[str, ...]]
    windows: tuple[str, ...]

    @property
    def combinations(self) -> int:
        """How many there are; each runs in every window."""
        count = 1
        for values in self.axes.values():
            count *= len(values)
        return count

    @property
    def runs_in_all(self) -> int:
        """Combinations times windows."""
        return self.combinations * len(self.windows)

    def runs(self, subject: Subject) -> Iterator[PlannedRun]:
        """The runs, window by window, so that workers read each window once."""
        number = 0
        for window, timerange in enumerate(self.windows):
            for values in product(*self.axes.values()):
                parameters = dict(subject.request.parameters) | dict(zip(self.axes, values, strict=True))
                yield PlannedRun(number=number, window=window, timerange=timerange, parameters=parameters)
                number += 1


def grid_of(subject: Subject, axes: Axes, windows: tuple[str, ...]) -> Grid:
    """The grid of some axes in some windows.

    Raises:
        ConfigError: for a parameter that the strategy has not, a value that no combination accepts, or where there is
            nothing to sweep, or no end of it.
    """
    refuse_unknown(list(axes), type(subject.loaded.strategy))
    grid = Grid(axes={name: values_of(name, axis) for name, axis in axes.items()}, windows=windows)
    if grid.runs_in_all == 1:
        raise ConfigError(
            "There is nothing to sweep: it would be a single run.", "Say --param name=1,2,3, or --windows 4."
        )
    if grid.runs_in_all > MOST_RUNS:
        raise ConfigError(f"The grid has {grid.runs_in_all:,} runs; at most {MOST_RUNS:,} can be.")
    _refuse_bad_values(subject, grid)
    return grid


def _refuse_bad_values(subject: Subject, grid: Grid) -> None:
    """Refuse a value that no combination accepts. What some don't accept is a matter of those runs."""
    refused: dict[tuple[str, str], ConfigError] = {}
    accepted: set[tuple[str, str]] = set()
    for values in product(*grid.axes.values()):
        chosen = dict(zip(grid.axes, values, strict=True))
        try:
            load(subject.request.strategies[0], {**subject.request.parameters, **chosen})
            accepted.update(chosen.items())
        except ConfigError as error:
            for pair in chosen.items():
                refused.setdefault(pair, error)
    for pair, refusal in refused.items():
        if pair not in accepted:
            raise refusal


def windows_of(
    request: BacktestRequest, ground: Ground, given: Sequence[str], slices: int
) -> tuple[str, ...]:
    """The time ranges to run in.

    Args:
        request: its time range is the one window, or what is cut into slices.
        ground: the history of all of it.
        given: windows as they were written, `FROM..TO`.
        slices: cut the time range into so many equal windows; 1 for none.

    Raises:
        ConfigError: for a text that is no window, a window outside of the history, or both ways at once.
    """
    if given and slices > 1:
        raise ConfigError("Either --window or --windows: both can't be.")
    if slices > 1:
        return _slices(request, ground, slices)
    windows = tuple(dict.fromkeys(parse_window(text) for text in given))
    for timerange in windows:
        refuse_outside(request, ground, timerange)
    return windows or (request.timerange,)


def parse_window(text: str) -> str:
    """`2023-01-01..2023-01-31`, both days included, as a time range; moments as `2023-01-01T06:00`, the last left out.

    Raises:
        ConfigError: where the text is no window.
    """
    first, dots, last = (part.strip().replace("-", "").replace(":", "") for part in text.partition(".."))
    if not dots or not (first or last):
        raise ConfigError(f"'{text}' is no window.", "Write --window 2023-01-01..2023-01-31, in UTC.")
    timerange = f"{first}-{last}"
    try:
        parse_timerange(timerange)
    except ConfigError as error:
        ends = "ends before" in error.sentence
        sentence = f"The window {text} ends before it begins." if ends else f"'{text}' is no window."
        raise ConfigError(sentence, "Write --window 2023-01-01..2023-01-31, in UTC.") from error
    return timerange


def refuse_outside(request: BacktestRequest, ground: Ground, timerange: str) -> None:
    """Check that some of a time range is within a history.

    Raises:
        ConfigError: where nothing is.
    """
    first, end = parse_timerange(timerange)
    begins, ends = span_of(request, ground)
    if (first is not None and first > ends) or (end is not None and end <= begins):
        raise ConfigError(
            f"The window {timerange} is outside of the history, which goes from {moment_text(begins)} to "
            f"{moment_text(ends)}."
        )


def span_of(request: BacktestRequest, ground: Ground) -> tuple[int, int]:
    """When what is asked for begins and ends, as far as there is history, in seconds since 1970.

    Raises:
        ConfigError: where nobody can say.
    """
    if ground.first_time is None or ground.last_time is None:
        raise ConfigError(f"Nobody can say when the history of kind {ground.kind} begins and ends.")
    first, end = parse_timerange(request.timerange)
    begins = ground.first_time if first is None else max(first, ground.first_time)
    return begins, ground.last_time if end is None else min(end - 1, ground.last_time)


def _slices(request: BacktestRequest, ground: Ground, slices: int) -> tuple[str, ...]:
    first, last = span_of(request, ground)
    cuts = [first + (last + 1 - first) * index // slices for index in range(slices + 1)]
    if len(set(cuts)) <= slices:
        raise ConfigError(f"{last + 1 - first} s of history can't be cut into {slices} windows.")
    return tuple(f"{moment_text(cuts[index])}-{moment_text(cuts[index + 1])}" for index in range(slices))


def plain(value: object) -> object:
    """A value as JSON has it after reading it back."""
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
