"""Walking forward over a panel: fit, stop early, quantise, forecast what was not seen, beside every baseline."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from defai.errors import ConfigError
from defai.models.boosting import Boosted, Recipe, fit_boosted, rounds_on_tail
from defai.models.conformal import half_width
from defai.models.exponential import exp2_x24
from defai.models.folds import FEWEST, Fold, purged_tail, windows
from defai.models.leaks import require_purged
from defai.models.metrics import TICK_FLOOR, Floats
from defai.models.naive import naive_forecasts, strong_har
from defai.models.panel import Panel
from defai.models.ratio_start import fit_ratio
from defai.models.start import Start, exp2
from defai.models.targets import VOLATILITIES, Target
from defai.models.weights import by_age, uniqueness
from defai.units import Q24

LEVELS: Final = (0.5, 0.8, 0.9, 0.95)
"""Levels of the bands whose coverage is measured."""
TAIL_SHARE: Final = 0.15
"""Of the training samples, the last of which say when to stop, and how wide a fold's bands are."""
MONOTONE: Final[Mapping[str, Mapping[str, int]]] = {
    "survival": {"log_parkinson": -1, "log_volatility": -1, "parkinson": -1, "volatility": -1},
}
"""A band is less likely to survive the more the price moves. Trees that correct HAR are free: a correction may fall."""


HALF_LIFE_DAYS: Final[Mapping[str, float]] = {"fee_lvr": 7.0}
"""Of targets that follow what others do about their liquidity: last month's ratio is another pool's."""
_LONG_HALF_LIFE_DAYS: Final = 1_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How a walk forward is made; the names are FreqAI's where it has one.

    Attributes:
        identifier: what its author calls it.
        train_period_days: how far back a model's training goes; None for everything before.
        live_retrain_hours: how long a model serves until the next one; 0 for `folds` windows of equal length.
        model_training_parameters: LightGBM's, over the default ones.
        embargo: rows between the end of a training label and the test; None for as many as the horizon.
        test_from: where the first test begins, seconds since 1970.
        train_until: nothing that came at this moment or later is trained on, neither by a fold nor by the model of
            everything.
        weight_half_life_days: after so long a sample counts half; None for what suits the target, 0 where age does not
            matter.
        fixed_rounds: as many trees as `rounds`, without early stopping.
        bands: whether bands have widths, for which each fold trains once more.
        row_weights: by block number, where a sample is not to count once: ratings of decisions.
        workers: threads, of one fold each; they change nothing but the time it takes.
    """

    identifier: str = ""
    train_period_days: float | None = None
    live_retrain_hours: float = 0.0
    folds: int = 6
    model_training_parameters: Mapping[str, Any] = field(default_factory=dict)
    rounds: int = 200
    fixed_rounds: bool = False
    bands: bool = True
    row_weights: Mapping[int, float] | None = None
    embargo: int | None = None
    test_from: int | None = None
    train_until: int | None = None
    weight_half_life_days: float | None = None
    seed: int = 0
    workers: int = 2

    def embargo_rows(self, panel: Panel) -> int:
        """The embargo, in rows."""
        return panel.target.horizon_blocks if self.embargo is None else self.embargo

    def half_life_days(self, target: Target) -> float:
        """The half-life of samples of a target; 0 where their age does not matter."""
        if self.weight_half_life_days is not None:
            return self.weight_half_life_days
        return HALF_LIFE_DAYS.get(target.kind, _LONG_HALF_LIFE_DAYS)

    def to_json(self) -> dict[str, Any]:
        """What of it changes results."""
        plain = asdict(self)
        del (
            plain["workers"],
            plain["bands"],
            plain["model_training_parameters"],
            plain["identifier"],
            plain["seed"],
        )
        plain["row_weights"] = len(self.row_weights or ())
        return plain


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """What one fold's models said on its test samples.

    Attributes:
        said: forecasts by forecaster, "model" first, in the target's unit.
        sums_x24: the model's own sums.
        widths_x24: half the bands' widths by level, from the fold's training alone.
        rounds: how many trees its model has.
    """

    fold: Fold
    said: dict[str, Floats]
    sums_x24: NDArray[np.int64]
    widths_x24: tuple[float, ...]
    rounds: int


def walk(panel: Panel, design: Design) -> tuple[Walked, ...]:
    """Train and test fold by fold.

    Raises:
        ConfigError: where there are too few samples for it.
    """
    folds = windows(
        panel.timestamps,
        horizon_s=panel.horizon_s,
        embargo_s=design.embargo_rows(panel) * panel.step_s,
        folds=design.folds,
        test_from=design.test_from,
        train_period_days=design.train_period_days,
        live_retrain_hours=design.live_retrain_hours,
        train_until=design.train_until,
    )
    return walk_over(panel, design, folds)


def trainable(panel: Panel, design: Design) -> NDArray[np.int64]:
    """The samples that the model of everything is trained on.

    Raises:
        ConfigError: where nothing came before `train_until`.
    """
    if design.train_until is None:
        return np.arange(len(panel.positions))
    known = np.flatnonzero(panel.timestamps < design.train_until - panel.horizon_s)
    if len(known) < FEWEST:
        raise ConfigError(f"Only {len(known)} samples came before the end of training.", "Let it end later.")
    return known


def walk_over(panel: Panel, design: Design, folds: tuple[Fold, ...]) -> tuple[Walked, ...]:
    """The same over given folds.

    Raises:
        LeakError: where a training label reaches into a test.
    """
    require_purged(
        folds,
        panel.timestamps,
        horizon_s=panel.horizon_s,
        embargo_s=design.embargo_rows(panel) * panel.step_s,
    )
    with ThreadPoolExecutor(max(min(design.workers, len(folds)), 1)) as pool:
        return tuple(pool.map(lambda fold: _walked(panel, design, fold), folds))


def train_on(panel: Panel, design: Design, train: NDArray[np.int64]) -> tuple[Boosted, tuple[float, ...]]:
    """A model of these samples, and half the widths of its bands by level, times 2**24, from their purged tail."""
    recipe = _recipe(panel, design)
    weights = _weights(panel, design, train)
    known, tail = purged_tail(
        panel.timestamps[train],
        horizon_s=panel.horizon_s,
        embargo_s=design.embargo_rows(panel) * panel.step_s,
        share=TAIL_SHARE,
    )
    rounds, widths = recipe.rounds, (0.0,) * len(LEVELS)
    if len(known) and (design.bands or not design.fixed_rounds):
        first = _start(panel, train[known], weights[known])
        if not design.fixed_rounds:
            rounds = rounds_on_tail(
                _part(panel, train[known], weights[known]),
                _part(panel, train[tail], weights[tail]),
                names=panel.spec.names,
                target=panel.target,
                recipe=recipe,
                start=first,
            )
        held_out = _fit(panel, recipe, train[known], weights[known], rounds, first)
        errors = errors_x24(panel, held_out.sums_x24(panel.values[train[tail]]), train[tail])
        widths = tuple(half_width(errors, level) for level in LEVELS)
    fitted = _fit(panel, recipe, train, weights, rounds, _start(panel, train, weights))
    return fitted, widths


def errors_x24(panel: Panel, sums_x24: NDArray[np.int64], samples: NDArray[np.int64]) -> Floats:
    """How far sums were from what came, times 2**24: of volatilities in binary logarithms, else in the unit."""
    outcome = panel.outcome[samples]
    wanted = np.log2(np.maximum(outcome, TICK_FLOOR)) if panel.target.kind in VOLATILITIES else outcome
    return np.asarray(wanted * Q24 - sums_x24, dtype=np.float64)


def forecasts(panel: Panel, sums_x24: NDArray[np.int64]) -> Floats:
    """Sums as forecasts in the target's unit, exactly as the model that is served gives them."""
    return exp2(sums_x24) if panel.target.kind in VOLATILITIES else sums_x24 / Q24


def forecast_of_sum(panel: Panel, sum_x24: int) -> int:
    """One sum as a forecast, times 2**24."""
    return exp2_x24(sum_x24) if panel.target.kind in VOLATILITIES else sum_x24


def _walked(panel: Panel, design: Design, fold: Fold) -> Walked:
    fitted, widths = train_on(panel, design, fold.train)
    sums = fitted.sums_x24(panel.values[fold.test])
    said = {"model": forecasts(panel, sums), **naive_forecasts(panel, fold)}
    own = len(fitted.ensemble.trees) - (len(fitted.start.seasons) if fitted.start else 0)
    return Walked(fold, said, sums, widths, own)


def _recipe(panel: Panel, design: Design) -> Recipe:
    wanted = MONOTONE.get(panel.target.kind, {})
    signs = {name: wanted.get(name.rpartition("_")[0], 0) for name in panel.spec.names}
    return Recipe(
        parameters=design.model_training_parameters,
        rounds=design.rounds,
        seed=design.seed,
        monotone={name: sign for name, sign in signs.items() if sign},
    )


def _weights(panel: Panel, design: Design, train: NDArray[np.int64]) -> Floats:
    weights = uniqueness(panel.positions[train], panel.target.horizon_blocks)
    if half_life := design.half_life_days(panel.target):
        weights = weights * by_age(panel.timestamps[train], half_life)
    if design.row_weights:
        blocks = (panel.rows[at].block_number for at in panel.positions[train].tolist())
        weights = weights * np.array([design.row_weights.get(block, 1.0) for block in blocks])
    return np.asarray(weights / weights.mean(), dtype=np.float64)


def _start(panel: Panel, train: NDArray[np.int64], weights: Floats) -> Start | None:
    if panel.target.kind in VOLATILITIES:
        return strong_har(panel, train, weights, guided=True)
    return fit_ratio(panel, train, weights) if panel.target.kind == "fee_lvr" else None


def _part(
    panel: Panel, samples: NDArray[np.int64], weights: Floats
) -> tuple[NDArray[np.int64], Floats, Floats]:
    return panel.values[samples], panel.guide[samples], weights


def _fit(
    panel: Panel,
    recipe: Recipe,
    train: NDArray[np.int64],
    weights: Floats,
    rounds: int,
    start: Start | None,
) -> Boosted:
    fitted = fit_boosted(
        *_part(panel, train, weights),
        names=panel.spec.names,
        target=panel.target,
        recipe=recipe,
        rounds=rounds,
        start=start,
    )
    if panel.target.kind not in VOLATILITIES:
        return fitted
    forecast = 2.0 ** (fitted.sums_x24(panel.values[train]) / Q24)
    ratio = np.maximum(panel.outcome[train], TICK_FLOOR) / np.maximum(forecast, TICK_FLOOR)
    return fitted.lifted(round(float(np.log2(np.average(ratio**2, weights=weights))) / 2 * Q24))
