"""Kept models that agents name: found by digest or identifier, and held to what their strategies want."""

from collections.abc import Callable, Sequence
from pathlib import Path

from defai.errors import ConfigError, DefaiError
from defai.features.spec import FeatureSpec
from defai.models.registry import ModelRegistry
from defai.models.trained import TrainedModel
from defai.session.fleet import Member
from defai.session.history import HistoryRecipe
from defai.session.run_directory import models_folder
from defai.session.training import models_for
from defai.strategy.registry import LoadedStrategy


def named_model(agent: str, wanted: str, loaded: LoadedStrategy, folder: Path | None = None) -> TrainedModel:
    """The model that an agent names.

    Args:
        agent: its name.
        wanted: the beginning of the model's digest, with 0x, or its identifier.
        loaded: the agent's strategy.
        folder: the registry's; the user's by default.

    Raises:
        DefaiError: naming the agent, where there is no such model or there are several, where it is not what its
            digest says, or where it is none for the strategy.
    """
    registry = ModelRegistry(folder or models_folder())
    try:
        return fitting(loaded, registry.load(registry.named(wanted)))
    except DefaiError as error:
        raise type(error)(
            f"The agent '{agent}' can't have its model. {error.sentence}", error.hint
        ) from error


async def models_of(
    members: Sequence[Member], recipe: HistoryRecipe, say: Callable[[str], None]
) -> list[TrainedModel | None]:
    """The model of each member: the one it names, or its strategy's of generated history. As `models_for`.

    Raises:
        DefaiError: as `named_model` does.
    """
    loaded = [member.loaded for member in members]
    return await models_for(loaded, recipe, say, named=models_named(members))


def models_named(members: Sequence[Member]) -> list[TrainedModel | None]:
    """The model of each member that names one; None for the others.

    Raises:
        DefaiError: as `named_model` does.
    """
    return [
        None
        if member.settings.model is None
        else named_model(member.settings.name, member.settings.model, member.loaded)
        for member in members
    ]


def fitting(loaded: LoadedStrategy, model: TrainedModel) -> TrainedModel:
    """The model, if it is one for the strategy.

    Raises:
        ConfigError: where it forecasts something else, or is given less than the strategy looks at.
    """
    target, names = loaded.strategy.target(), loaded.strategy.features()
    if model.target != target:
        raise ConfigError(
            f"The strategy '{loaded.name}' wants {target.name if target else 'no forecast'}, and the model "
            f"{model.digest[:10]}… forecasts {model.target.name}."
        )
    wanted = FeatureSpec.of(names)
    missing = [one.name for one in wanted.features if one not in model.spec.features]
    if missing:
        raise ConfigError(
            f"The model {model.digest[:10]}… is not given {missing[0]}, which '{loaded.name}' looks at."
        )
    if model.spec.pools > len(loaded.strategy.pools()):
        raise ConfigError(
            f"The model {model.digest[:10]}… looks at {model.spec.pools} pools, and '{loaded.name}' at fewer."
        )
    return model
