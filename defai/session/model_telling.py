"""Models for people: the summary of a card, with what became of the model since."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from defai.domain.stream import ChallengeView, DriftView, ForecastJudged, ModelSeen, StreamEvent, SwitchView
from defai.market.window import Observation
from defai.models.drift import DriftWatch
from defai.models.trained import TrainedModel
from defai.session.served_model import ServedModel

_FEATURES_TOLD = 8


def judge(
    served: ServedModel,
    window: Sequence[Observation],
    agents: Sequence[str],
    publish: Callable[[StreamEvent], None],
) -> None:
    """Hold the forecast that is due against what came of it, and tell of it."""
    found = served.observe(window)
    if found is None:
        return
    target = served.model.target
    told = ForecastJudged(
        served.key,
        tuple(agents),
        target.name,
        target.unit,
        found.decided_block,
        found.block_number,
        found.value,
        found.low,
        found.high,
        found.outcome,
    )
    publish(told)


def model_seen(
    key: str,
    model: TrainedModel,
    agents: Sequence[str],
    *,
    watch: DriftWatch | None = None,
    retraining: bool = False,
    challenges: Sequence[ChallengeView] = (),
    switches: Sequence[SwitchView] = (),
    block_number: int | None = None,
) -> ModelSeen:
    """A served model, for the stream.

    Args:
        key: what the registry knows it by.
        model: who answers now.
        agents: who asks it.
        watch: what is known of its drift.
        retraining: whether a challenger is being trained.
        challenges: what came of the last ones.
        switches: who took over from whom.
        block_number: the newest block; None before the first.
    """
    plain = _summary(key, model)
    return replace(
        plain,
        agents=tuple(agents),
        drift=drift_view(watch) if watch is not None else None,
        retraining=retraining,
        challenges=tuple(challenges),
        switches=tuple(switches),
        block_number=block_number,
    )


def _summary(key: str, model: TrainedModel) -> ModelSeen:
    card = model.card
    comparison, trained_on = card.comparison, card.trained_on
    importance = sorted(card.importance.items(), key=lambda item: -item[1])[:_FEATURES_TOLD]
    return ModelSeen(
        key=key,
        agents=(),
        name=card.identifier or card.target.name,
        digest=model.digest,
        target=card.target.name,
        unit=card.target.unit,
        trained_on=trained_on.source,
        trained_until=trained_on.last_block,
        trained_until_timestamp=trained_on.last_timestamp,
        samples=trained_on.samples,
        trees=card.trees,
        metrics={name: dict(values) for name, values in card.metrics.items()},
        loss=comparison.loss,
        baseline=comparison.baseline,
        gain=comparison.gain,
        gain_low=comparison.low,
        gain_high=comparison.high,
        gain_share=comparison.share,
        beats_baseline=card.beats_baseline,
        band_level=card.band.level if card.band else None,
        band_coverage=card.band.coverage if card.band else None,
        importance=tuple(importance),
        limits=card.limits,
    )


def drift_view(watch: DriftWatch) -> DriftView:
    """What a watch found so far."""
    index, limit, feature = watch.worst or (None, None, "")
    misses = watch.misses
    return DriftView(
        feature=feature,
        stability_index=index,
        limit=limit,
        outcomes=misses.count,
        missed=misses.misses,
        expected_miss_rate=misses.miss_rate,
        alarm=misses.alarm,
        reason=watch.reason,
    )
