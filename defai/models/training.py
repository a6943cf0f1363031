"""From histories to a model with its card: walk forward, measure beside the baselines, then train on everything."""

from collections.abc import Mapping, Sequence

from defai.features.spec import FeatureSpec
from defai.market.window import Observation
from defai.models.panel import windows_within
from defai.models.study import Design
from defai.models.targets import Target
from defai.models.trained import TrainedModel
from defai.models.walking import study, trained_model

QUICK = Design(folds=4, rounds=60)
"""What suits some thousand rows, while somebody waits."""


def train(
    histories: Mapping[str, Sequence[Observation]],
    *,
    feature_names: Sequence[str],
    target: Target,
    design: Design = QUICK,
    source: str = "",
) -> TrainedModel:
    """Train a model for an agent, and measure it, out of sample, beside its baselines.

    The same histories and design give the same model, digest included. What strong HAR looks at joins the features of a
    volatility, with windows that don't reach further back than the features do where these reach far enough: whoever
    named them said how long an agent waits for its first forecast.

    Args:
        histories: rows by pool, one a block, the main pool first.
        feature_names: the features it is given, in order.
        target: what it forecasts.
        design: how.
        source: where the rows are from, for the card.

    Raises:
        ConfigError: for an unknown feature, a settled parameter, or too short a history.
    """
    done = study(
        histories,
        feature_names=feature_names,
        target=target,
        design=design,
        har_windows=windows_within(FeatureSpec.of(feature_names).warm_up),
    )
    return trained_model(done, source=source)
