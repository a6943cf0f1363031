"""What a walk forward says of a model: metrics with intervals, gains over every baseline, coverage, break-even cost."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from defai.models.bootstrap import saved_share
from defai.models.card import Band, Comparison, FoldResult, Metrics
from defai.models.conformal import coverage, half_width
from defai.models.metrics import TICK_FLOOR, Floats, loss_name, losses, mean_interval, measure
from defai.models.panel import Panel
from defai.models.study import LEVELS, Walked, errors_x24
from defai.models.targets import VOLATILITIES

RESAMPLES: Final = 1_000
BAND_LEVEL: Final = 0.9
_WEEK_S: Final = 604_800
_TICK_BPS: Final = 1.0


def outcomes(panel: Panel, walked: Sequence[Walked]) -> Floats:
    """What came of all tested samples, fold after fold."""
    return np.concatenate([panel.outcome[one.fold.test] for one in walked])


def said(walked: Sequence[Walked]) -> dict[str, Floats]:
    """Everyone's forecasts of all tested samples, fold after fold; the model first."""
    return {name: np.concatenate([one.said[name] for one in walked]) for name in walked[0].said}


def block_length(panel: Panel) -> int:
    """How many samples are drawn together: a week of them, or two horizons where that is more."""
    tested = max(len(panel.positions), 1)
    week = max(_WEEK_S // panel.step_s, 1)
    return min(max(2 * panel.target.horizon_blocks, min(week, tested // 20)), tested)


def all_metrics(panel: Panel, walked: Sequence[Walked]) -> dict[str, Metrics]:
    """Everyone's metrics on all tested samples together."""
    outcome = outcomes(panel, walked)
    return {name: scores(panel, forecast, outcome) for name, forecast in said(walked).items()}


def scores(panel: Panel, forecast: Floats, outcome: Floats) -> Metrics:
    """The metrics of one forecaster; see `metrics.measure`.

    Of volatilities also R2 of the logarithm, of returns also the cost of a round trip, in bps, at which trading in the
    forecast's direction breaks even: the mean move that way, wherever there was a forecast. A tick is about a bp.
    """
    found = measure(panel.target, forecast, outcome)
    if panel.target.kind in VOLATILITIES:
        found["r2_log"] = _r2_log(forecast, outcome)
    if panel.target.kind in {"return", "net_return"}:
        spoken = forecast != 0
        gain = np.sign(forecast[spoken]) * outcome[spoken]
        found["break_even_bps"] = float(gain.mean()) * _TICK_BPS if len(gain) else None
    return found


def fold_results(panel: Panel, walked: Sequence[Walked]) -> tuple[FoldResult, ...]:
    """Each fold's metrics, and where its samples lie."""
    return tuple(
        FoldResult(
            int(one.fold.train[0]),
            int(one.fold.train[-1]) + 1,
            int(one.fold.test[0]),
            int(one.fold.test[-1]) + 1,
            {
                name: scores(panel, forecast, panel.outcome[one.fold.test])
                for name, forecast in one.said.items()
            },
        )
        for one in walked
    )


def comparisons(panel: Panel, walked: Sequence[Walked], seed: int) -> tuple[Comparison, ...]:
    """The model against each baseline, the one with the lowest loss first."""
    outcome, forecasters = outcomes(panel, walked), said(walked)
    suffered = {name: losses(panel.target, forecast, outcome) for name, forecast in forecasters.items()}
    mine = suffered.pop("model")
    length = min(block_length(panel), len(mine))
    found = []
    for name, theirs in sorted(suffered.items(), key=lambda item: float(item[1].mean())):
        low, high = mean_interval(theirs - mine, block_length=length, resamples=RESAMPLES, seed=seed)
        share: tuple[float | None, float | None, float | None] = (None, None, None)
        if theirs.mean() > 0:
            share = saved_share(mine, theirs, block_length=length, resamples=RESAMPLES, seed=seed)
        gain = float((theirs - mine).mean())
        found.append(
            Comparison(
                loss_name(panel.target),
                name,
                gain,
                low,
                high,
                share[0],
                length,
                RESAMPLES,
                share[1],
                share[2],
            )
        )
    return tuple(found)


def intervals(panel: Panel, walked: Sequence[Walked], seed: int) -> dict[str, tuple[float, float]]:
    """95 % intervals of the model's metrics, by a block bootstrap."""
    outcome, forecast = outcomes(panel, walked), said(walked)["model"]
    length = min(block_length(panel), len(outcome))
    loss = losses(panel.target, forecast, outcome)
    drawn: Mapping[str, int] = {"block_length": length, "resamples": RESAMPLES, "seed": seed}
    found = {loss_name(panel.target): mean_interval(loss, **drawn)}
    agreement = _rank_products(forecast, outcome)
    if agreement is not None:
        found["rank_ic"] = mean_interval(agreement, **drawn)
    if panel.target.kind in VOLATILITIES:
        wanted, got = _logs(outcome), _logs(forecast)
        _, low, high = saved_share((wanted - got) ** 2, (wanted - wanted.mean()) ** 2, **drawn)
        if low is not None and high is not None:
            found["r2_log"] = (low, high)
    if panel.target.kind in {"return", "net_return"} and np.any(forecast):
        found["break_even_bps"] = mean_interval(np.sign(forecast) * outcome, **drawn)
    return found


def calibration(panel: Panel, walked: Sequence[Walked]) -> dict[str, float]:
    """By level, the share of tested outcomes that bands held whose widths came from each fold's training alone."""
    errors = [errors_x24(panel, one.sums_x24, one.fold.test) for one in walked]
    held = {}
    for index, level in enumerate(LEVELS):
        widths = [
            np.full(len(error), one.widths_x24[index]) for one, error in zip(walked, errors, strict=True)
        ]
        held[f"{level:g}"] = coverage(np.concatenate(errors), np.concatenate(widths))
    return held


def band(panel: Panel, walked: Sequence[Walked], held: Mapping[str, float]) -> Band:
    """The band of the model that is served, from all out-of-sample errors; its coverage is that of the folds' own."""
    errors = np.concatenate([errors_x24(panel, one.sums_x24, one.fold.test) for one in walked])
    return Band(BAND_LEVEL, round(half_width(errors, BAND_LEVEL)), held[f"{BAND_LEVEL:g}"])


def _logs(volatility: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(volatility, TICK_FLOOR)), dtype=np.float64)


def _r2_log(forecast: Floats, outcome: Floats) -> float | None:
    wanted = _logs(outcome)
    total = float(((wanted - wanted.mean()) ** 2).sum())
    return 1 - float(((wanted - _logs(forecast)) ** 2).sum()) / total if total else None


def _rank_products(forecast: Floats, outcome: Floats) -> Floats | None:
    """Products of standardised ranks, whose mean is the rank correlation; None where either never changes."""
    ranks = []
    for values in (forecast, outcome):
        rank = np.unique(values, return_inverse=True, return_counts=True)
        middle = np.cumsum(rank[2]) - (rank[2] - 1) / 2
        placed = middle[rank[1]]
        spread = float(placed.std())
        if not spread:
            return None
        ranks.append((placed - placed.mean()) / spread)
    return np.asarray(ranks[0] * ranks[1], dtype=np.float64)
