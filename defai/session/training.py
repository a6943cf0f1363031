"""Models for a fleet: taken from the registry, or trained when they are missing."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from defai.features.spec import FeatureSpec
from defai.market.window import Observation
from defai.models.registry import ModelRegistry
from defai.models.targets import Target
from defai.models.trained import TRAINING_VERSION, TrainedModel
from defai.session.history import HistoryRecipe, generate_history
from defai.session.run_directory import models_folder
from defai.strategy.registry import LoadedStrategy

if TYPE_CHECKING:
    from defai.models.study import Design

Histories = Mapping[str, Sequence[Observation]]


def model_key(strategy: LoadedStrategy, recipe: HistoryRecipe) -> str | None:
    """What a strategy's model is known by: all that its training depends on. None where it needs no model."""
    target = strategy.strategy.target()
    if target is None:
        return None
    content = repr((TRAINING_VERSION, strategy.strategy.pools(), _spec(strategy).digest, target, recipe))
    return f"{strategy.name}-{hashlib.sha256(content.encode()).hexdigest()[:16]}"


async def models_for(
    strategies: Sequence[LoadedStrategy],
    recipe: HistoryRecipe,
    say: Callable[[str], None],
    folder: Path | None = None,
    named: Sequence[TrainedModel | None] = (),
) -> list[TrainedModel | None]:
    """The model of each strategy, trained in a thread of its own where it is not in the registry yet.

    Args:
        strategies: for whom; None stands for one that needs no model.
        recipe: what is trained on.
        say: told what is going on.
        folder: the registry's; the user's by default.
        named: models that were chosen already, in the same order; None where none was.
    """
    registry = ModelRegistry(folder or models_folder())
    histories: Histories | None = None
    found: list[TrainedModel | None] = []
    for strategy, chosen in zip_longest(strategies, named):
        if chosen is not None:
            found.append(chosen)
            continue
        key = model_key(strategy, recipe)
        model = registry.find(key) if key else None
        if key and model is None:
            if histories is None:
                say(f"making {recipe.blocks:,} blocks of history to train on")
                histories = await generate_history(recipe)
            say(f"training the model of {strategy.name}")
            model = await asyncio.to_thread(train_for, strategy, histories, str(recipe))
            registry.save(model, key=key)
        found.append(model)
    return found


def train_for(
    strategy: LoadedStrategy, histories: Histories, source: str, design: "Design | None" = None
) -> TrainedModel:
    """Train a strategy's model on rows of its pools.

    Args:
        strategy: what is trained for.
        histories: rows by pool name; those of the strategy's pools are used.
        source: where they are from, for the card.
        design: how; what suits some thousand rows, where it is not said.
    """
    from defai.models.training import QUICK, train  # noqa: PLC0415  numpy and LightGBM, only where something is trained

    target = strategy.strategy.target() or Target("volatility", 12)
    pools = {name: histories[name] for name in strategy.strategy.pools()}
    names = strategy.strategy.features()
    return train(pools, feature_names=names, target=target, design=design or QUICK, source=source)


def _spec(strategy: LoadedStrategy) -> FeatureSpec:
    return FeatureSpec.of(strategy.strategy.features())
