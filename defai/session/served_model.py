"""A model as a session serves it: forecasts, while what came of them is watched."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

from defai.domain.decisions import FeatureRow, Forecast
from defai.market.window import Observation
from defai.models.drift import DriftWatch, MissWatch, Profile
from defai.models.trained import TrainedModel
from defai.units import Q24


@dataclass(frozen=True, slots=True)
class _Pending:
    """A forecast whose outcome is not known yet."""

    block_number: int
    value_x24: int
    low_x24: int | None
    high_x24: int | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A forecast and what came of it, both in the target's unit; a band's edges are None where there is none."""

    decided_block: int
    block_number: int
    value: float
    low: float | None
    high: float | None
    outcome: float


class ServedModel:
    """What agents ask for forecasts; who answers may change between two blocks.

    Args:
        key: what the registry knows it by.
        model: who answers at first.
        profile: of the rows it was trained on; None where nobody remembers them: then nothing is watched.

    Attributes:
        switches: how often another model took over.
    """

    def __init__(self, key: str, model: TrainedModel, profile: Profile | None) -> None:
        self.key = key
        self.model = model
        self.switches = 0
        self._watch = _watch(model, profile)
        self._pending: _Pending | None = None
        self._newest = -1

    def predict(self, row: FeatureRow) -> Forecast:
        """The serving model's forecast.

        Raises:
            ValueError: where the row is not of the model's feature specification.
        """
        forecast = self.model.predict(row)
        if row.block_number > self._newest:
            self._newest = row.block_number
            if self._watch is not None:
                self._watch.see_row(row.values)
            if self._pending is None:
                self._pending = _Pending(
                    row.block_number, forecast.value_x24, forecast.low_x24, forecast.high_x24
                )
        return forecast

    def observe(self, window: Sequence[Observation]) -> Judged | None:
        """Hold the forecast that is due against what came of it. One at a time: their horizons must not overlap.

        Args:
            window: the main pool's rows, the newest last.

        Returns:
            The forecast and its outcome; None where none is due, or nobody can tell any more what came of it.
        """
        pending, target = self._pending, self.model.target
        if pending is None or not window:
            return None
        passed = window[-1].block_number - pending.block_number
        if passed < target.horizon_blocks:
            return None
        self._pending = None
        rows = window[-passed - 1 :]
        if rows[0].block_number != pending.block_number:
            return None
        from defai.models.labels import labels  # noqa: PLC0415  numpy: not in every session

        came_x24 = float(labels(rows, target)[0]) * Q24
        if isnan(came_x24):
            return None
        low, high = pending.low_x24, pending.high_x24
        if self._watch is not None and low is not None and high is not None:
            self._watch.see_outcome(missed=not low <= came_x24 <= high)
        return Judged(
            pending.block_number,
            window[-1].block_number,
            pending.value_x24 / Q24,
            None if low is None else low / Q24,
            None if high is None else high / Q24,
            came_x24 / Q24,
        )

    def switch(self, model: TrainedModel, profile: Profile | None) -> None:
        """Let another model answer from now on; it is watched from the beginning."""
        self.model, self._watch, self._pending = model, _watch(model, profile), None
        self.switches += 1

    @property
    def watch(self) -> DriftWatch | None:
        """What is known of its drift; None where nobody watches."""
        return self._watch

    @property
    def drift(self) -> str:
        """Why nobody should act on its forecasts now; empty while they may."""
        return self._watch.reason if self._watch is not None else ""


def _watch(model: TrainedModel, profile: Profile | None) -> DriftWatch | None:
    if profile is None:
        return None
    level = model.card.band.level if model.card.band is not None else 0.9
    return DriftWatch(profile, MissWatch(round(1 - level, 6)))
