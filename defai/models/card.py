"""The card of a model: on what it was trained, how, how good it is beside its baselines, and what it cannot do."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from eth_hash.auto import keccak

from defai.models.targets import VOLATILITIES, Target

Metrics = dict[str, float | None]
"""Values by the metric's name; None where one is undefined, as R2 on labels that never change."""


@dataclass(frozen=True, slots=True)
class TrainingRange:
    """The rows a model was trained on.

    Attributes:
        source: where they are from, in the caller's words.
        pools: the pools' names, the main one first.
        rows: rows of the history; `samples` of them had features and a label.
        digest: keccak256 over every observation of every pool.
    """

    source: str
    pools: tuple[str, ...]
    rows: int
    samples: int
    first_block: int
    last_block: int
    first_timestamp: int
    last_timestamp: int
    digest: str


@dataclass(frozen=True, slots=True)
class FoldResult:
    """One step of the walk forward. Samples are counted from 0; the ends are not included."""

    train_start: int
    train_end: int
    test_start: int
    test_end: int
    metrics: dict[str, Metrics]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The model against the best of its baselines, out of sample.

    Attributes:
        loss: the loss that is compared: "qlike" or "squared error".
        baseline: the baseline with the lowest loss, by its full name.
        gain: the baseline's mean loss less the model's; positive is better.
        low, high: 95 % interval of the gain, by a block bootstrap.
        share: the gain as a share of the baseline's loss; None where that is 0.
        share_low, share_high: its 95 % interval; None where it was not measured.
    """

    loss: str
    baseline: str
    gain: float
    low: float
    high: float
    share: float | None
    block_length: int
    resamples: int
    share_low: float | None = None
    share_high: float | None = None


@dataclass(frozen=True, slots=True)
class Band:
    """The forecast's band, by split conformal prediction on out-of-fold errors.

    Attributes:
        level: the share of outcomes it is meant to hold.
        half_width_x24: half its width times 2**24.
        coverage: share of outcomes it held on the last fold, where its width came from the folds before.
    """

    level: float
    half_width_x24: int
    coverage: float


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Everything a person wants to know before trusting a model.

    Attributes:
        features: one entry per feature, as `FeatureSpec.to_json` gives it.
        metrics: out-of-fold metrics by forecaster: "model" and each baseline.
        rounds: trees at most; `trees` is how many there are.
        importance: share of the total gain by feature.
        lightgbm_digest: keccak256 of the booster's text.
        identifier: what its author calls it.
        comparisons: against every baseline, where they were measured one by one.
        intervals: 95 % intervals of the model's own metrics, by a block bootstrap.
        calibration: by the level of a band, the share of outcomes that bands of this level held out of sample.
        design: how the folds were made and what else the training was told, by the names of its options.
    """

    model_digest: str
    target: Target
    features: tuple[dict[str, Any], ...]
    features_digest: str
    trained_on: TrainingRange
    parameters: dict[str, Any]
    rounds: int
    trees: int
    seed: int
    purge: int
    embargo: int
    folds: tuple[FoldResult, ...]
    metrics: dict[str, Metrics]
    comparison: Comparison
    beats_baseline: bool
    band: Band | None
    importance: dict[str, float]
    limits: tuple[str, ...]
    versions: dict[str, str]
    lightgbm_digest: str
    identifier: str = ""
    comparisons: tuple[Comparison, ...] = ()
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    calibration: dict[str, float] = field(default_factory=dict)
    design: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and numbers."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "ModelCard":
        """The reverse of `to_json`.

        Raises:
            pydantic.ValidationError: where something is missing or of the wrong kind.
        """
        from pydantic import TypeAdapter  # noqa: PLC0415  only reading a card needs it

        return TypeAdapter(cls).validate_python(dict(raw))


def canonical_json(value: Any) -> bytes:  # noqa: ANN401  whatever JSON can hold
    """The one way a value is written where its bytes are digested."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def keccak_hex(content: bytes) -> str:
    """keccak256 as 0x and 64 hex digits."""
    return "0x" + keccak(content).hex()


def summary(card: ModelCard) -> str:
    """The card in a few lines, for a terminal."""
    trained, compared = card.trained_on, card.comparison
    verdict = "beats" if card.beats_baseline else "does NOT beat"
    called = f"{card.identifier}: " if card.identifier else ""
    unit = card.target.unit
    measure = f"as a {unit}" if unit in {"ratio", "probability"} else f"in {unit}"
    lines = [
        f"{called}{card.target.name}, {measure}: {verdict} {compared.baseline}",
        f"  digest    {card.model_digest}",
        f"  trained   {card.trees:,} {'tree' if card.trees == 1 else 'trees'} on {trained.samples:,} samples",
        f"  blocks    {trained.first_block}..{trained.last_block}",
        f"  source    {trained.source or '-'}",
        f"  gain      {compared.gain:.4g} in {compared.loss} over {compared.baseline}"
        f" (95 %: {compared.low:.4g} .. {compared.high:.4g})"
        + ("" if compared.share is None else f", {compared.share:.1%} of its loss"),
    ]
    for one in card.comparisons[1:]:
        if one.share is not None and one.share_low is not None and one.share_high is not None:
            interval = f"(95 %: {one.share_low:.1%} .. {one.share_high:.1%})"
            lines.append(f"            {one.share:.1%} over {one.baseline} {interval}")
    for name, metrics in card.metrics.items():
        shown = "  ".join(f"{metric} {_number(value)}" for metric, value in metrics.items())
        lines.append(f"  {name:<26}{shown}")
    if card.band is not None:
        lines.append(
            f"  band      {_width(card)} for {card.band.level:.0%}; it held {card.band.coverage:.0%}"
        )
    top = sorted(card.importance.items(), key=lambda item: -item[1])[:5]
    lines.append("  leans on  " + ", ".join(f"{name} {share:.0%}" for name, share in top))
    return "\n".join(lines)


def _width(card: ModelCard) -> str:
    """Half the band's width; of a forecast in logarithms, what it is divided and multiplied by."""
    width = (card.band.half_width_x24 if card.band else 0) / 2**24
    if card.design and card.target.kind in VOLATILITIES:
        return f"÷× {2**width:.2f}"
    return f"±{width:.3g}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
