"""A trained model: trees, what they were trained for, and the card that says how good they are."""

import struct
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from eth_hash.auto import keccak

from defai.domain.decisions import FeatureRow, Forecast
from defai.features.spec import FeatureSpec
from defai.models.blob import pack
from defai.models.card import ModelCard
from defai.models.ensemble import Ensemble
from defai.models.targets import TARGET_CODES, Target

ENCODING_VERSION: Final = 2
"""First byte of what a model's digest covers."""
TRAINING_VERSION: Final = 4
"""Raised whenever the same rows and settings would train another model: part of what a cache knows a model by."""


@dataclass(frozen=True)
class Forecaster:
    """All that a forecast depends on, from a disk or from the chain; it needs neither LightGBM nor numpy.

    Attributes:
        band_x24: half the width of the forecast's band, times 2**24; None where none was measured. Where the trees sum
            up a logarithm, so is this: the band is the forecast divided and multiplied by two to its power.
        beats_baseline: whether it beat its best baseline out of sample, the interval of the difference included.
    """

    spec: FeatureSpec
    target: Target
    ensemble: Ensemble
    band_x24: int | None
    beats_baseline: bool

    @cached_property
    def digest(self) -> str:
        """See `model_digest`."""
        return model_digest(self.spec.digest, self.target, self.ensemble, self.band_x24, self.beats_baseline)

    @cached_property
    def _constants(self) -> tuple[str, str, str, str]:
        return self.spec.digest, self.target.unit, self.target.name, self.digest

    def predict(self, row: FeatureRow) -> Forecast:
        """The forecast for one row. A volatility's band ends at 0; the forecast itself is the bare sum of leaves.

        Raises:
            ValueError: where the row is not of the model's feature specification.
        """
        wanted, unit, name, digest = self._constants
        if row.spec_digest != wanted:
            raise ValueError("the feature row is not of the model's feature specification")
        if self.band_x24 is None:
            value = self.ensemble.predict_x24(row.values)
            return Forecast(value, unit, name, digest, None, None, self.beats_baseline)
        value, low, high = self.ensemble.span_x24(row.values, self.band_x24)
        if self.target.is_positive:
            low, high = max(low, 0), max(high, 0)
        return Forecast(value, unit, name, digest, low, high, self.beats_baseline)


@dataclass(frozen=True)
class TrainedModel(Forecaster):
    """A model with where it comes from.

    Attributes:
        lightgbm_text: the booster as LightGBM writes it, leaves quantised: for verification and for other tools.
    """

    card: ModelCard = field(repr=False, compare=False)
    lightgbm_text: str = field(repr=False, compare=False)


def model_digest(
    spec_digest: str, target: Target, ensemble: Ensemble, band_x24: int | None, beats_baseline: bool
) -> str:
    """keccak256 over all that a forecast depends on: the same on any machine.

    The bytes, big-endian: version (1), digest of the feature specification (32), kind of target (1), its terms (4),
    band (8, -1 for none), beats_baseline (1), keccak256 of `blob.pack(ensemble)` (32).
    The chain's ModelRegistry computes the same from what was uploaded to it.
    """
    head = struct.pack(
        ">B32sBIqB",
        ENCODING_VERSION,
        bytes.fromhex(spec_digest[2:]),
        TARGET_CODES[target.kind],
        target.terms,
        -1 if band_x24 is None else band_x24,
        beats_baseline,
    )
    return "0x" + keccak(head + keccak(pack(ensemble))).hex()
