"""A new model against the one that serves: trained on older rows, judged beside it on newer ones neither has seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan
from pathlib import Path
from typing import Final

import numpy as np

from defai.errors import ConfigError
from defai.features.pipeline import build_table
from defai.market.window import Observation
from defai.models.drift import Profile
from defai.models.labels import labels
from defai.models.metrics import Floats, loss_name, losses, mean_interval
from defai.models.registry import ModelRegistry
from defai.models.study import Design
from defai.models.targets import Target
from defai.models.trained import TrainedModel
from defai.models.training import train
from defai.units import Q24

LIVE: Final = "live: "
"""How the source of rows that a session saw begins on a model's card."""
FEWEST_JUDGED: Final = 100
_RESAMPLES: Final = 400


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a worker process is told.

    Attributes:
        histories: rows by pool, one a block, the main pool first: of the market that is traded.
        holder: digest of the model that serves.
        folder: of the registry; the challenger is saved there.
        own_blocks: whether the holder's block numbers count this very market's blocks. Where they don't, it was
            trained elsewhere and has seen none of these rows.
        held_out: share of the rows, the newest, that the two are judged on.
    """

    histories: Mapping[str, tuple[Observation, ...]]
    feature_names: tuple[str, ...]
    holder: str
    folder: Path
    own_blocks: bool
    design: Design
    held_out: float = 0.25


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a challenge.

    Attributes:
        challenger: digest of the new model.
        takes_over: whether the interval of its gain lies above 0.
        gain: the holder's mean loss less the challenger's, on `judged` rows that neither has seen; low and high are
            its 95 % interval, by a block bootstrap.
        profile: of the rows that the challenger was trained on.
        reason: all that in a sentence.
    """

    challenger: str
    holder: str
    takes_over: bool
    gain: float
    low: float
    high: float
    judged: int
    profile: Profile
    reason: str


def challenge(task: Challenge) -> Outcome:
    """Train a challenger and judge it. Runs in a worker process; nothing in it depends on the clock.

    Raises:
        ConfigError: where there are too few rows to train or to judge on.
        ModelRefusedError: where the holder is not what its digest says.
    """
    registry = ModelRegistry(task.folder)
    holder = registry.load(task.holder)
    target, main = holder.target, next(iter(task.histories.values()))
    cut = len(main) - max(1, round(len(main) * task.held_out))
    older = {name: rows[:cut] for name, rows in task.histories.items()}
    source = f"{LIVE}blocks {main[0].block_number} to {main[cut - 1].block_number}"
    seen_until = holder.card.trained_on.last_block if task.own_blocks else -1
    after = max(main[cut].block_number - 1, seen_until) + _embargo(task, target)
    challenger, effect = _trained(task, older, holder, source, after)
    gains = _gains(task, holder, challenger, after=after)
    if len(gains) < FEWEST_JUDGED:
        raise ConfigError(
            f"Only {len(gains)} rows are left that neither model has seen; it takes {FEWEST_JUDGED} to judge."
        )
    length = max(2 * target.horizon_blocks, round(len(gains) ** 0.5))
    low, high = mean_interval(gains, block_length=length, resamples=_RESAMPLES, seed=task.design.seed)
    gain = float(gains.mean())
    registry.save(challenger)
    better = "it beats" if low > 0 else "it does not beat"
    sentence = (
        f"retrained on blocks {main[0].block_number} to {main[cut - 1].block_number}, {better} its predecessor:"
        f" {_figure(gain)} in {loss_name(target)} (95 %: {_figure(low)} .. {_figure(high)}; above 0 is better) on"
        f" {len(gains)} rows that neither had seen{effect}"
    )
    profile = _profile(older, challenger)
    return Outcome(challenger.digest, task.holder, low > 0, gain, low, high, len(gains), profile, sentence)


def _figure(value: float) -> str:
    """Four digits or so, with a sign, as a person writes them."""
    return f"{value:+.4g}" if abs(value) < 10_000 else f"{value:+,.0f}"


def _trained(
    task: Challenge,
    histories: Mapping[str, Sequence[Observation]],
    holder: TrainedModel,
    source: str,
    after: int,
) -> tuple[TrainedModel, str]:
    """The challenger, and what ratings did for it on the judged rows; where they did no good they don't count."""
    trained = [
        train(
            histories,
            feature_names=task.feature_names,
            target=holder.target,
            design=replace(task.design, row_weights=weights),
            source=source,
        )
        for weights in (None, task.design.row_weights or None)[: 2 if task.design.row_weights else 1]
    ]
    if len(trained) == 1:
        return trained[0], ""
    plain, rated = trained
    gains = _gains(task, plain, rated, after=after)
    effect = float(gains.mean()) if len(gains) else 0.0
    counts = effect > 0
    changed = (
        f"make it {'better' if counts else 'worse'} by {_figure(abs(effect)).lstrip('+')} there"
        if effect
        else "change nothing"
    )
    said = f"; the operator's ratings {changed}, so they {'count' if counts else 'do not count'}"
    return (rated if counts else plain), said


def _embargo(task: Challenge, target: Target) -> int:
    return target.horizon_blocks if task.design.embargo is None else task.design.embargo


def profile_of(histories: Sequence[Sequence[Observation]], model: TrainedModel) -> Profile:
    """Where a model's features lay in some histories, its main pool's first."""
    rows = [row.values for row in build_table(histories, model.spec) if row is not None]
    return Profile.of(model.spec.names, rows)


def _profile(histories: Mapping[str, Sequence[Observation]], model: TrainedModel) -> Profile:
    return profile_of(list(histories.values()), model)


def _gains(task: Challenge, holder: TrainedModel, challenger: TrainedModel, *, after: int) -> Floats:
    """The holder's loss less the challenger's on each row behind a block whose outcome is known."""
    histories = list(task.histories.values())
    came = labels(histories[0], holder.target)
    theirs, ours, outcomes = [], [], []
    tables = zip(
        build_table(histories, holder.spec),
        build_table(histories, challenger.spec),
        came.tolist(),
        strict=True,
    )
    for old_row, new_row, label in tables:
        if old_row is None or new_row is None or isnan(label) or old_row.block_number <= after:
            continue
        theirs.append(holder.predict(old_row).value_x24)
        ours.append(challenger.predict(new_row).value_x24)
        outcomes.append(label)
    old, new = (np.asarray(values, dtype=np.float64) / Q24 for values in (theirs, ours))
    outcome = np.asarray(outcomes, dtype=np.float64)
    return losses(holder.target, old, outcome) - losses(holder.target, new, outcome)
