"""Whose models a session keeps up to date: those that were trained for its fleet, not those that agents name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from defai.agent.ports import ModelChange, PublicWorld, World
from defai.config import Settings
from defai.domain.decisions import ZERO_DIGEST
from defai.domain.stream import Notice, StreamEvent
from defai.market.state import MarketState
from defai.models.lineage import Switch
from defai.models.trained import TrainedModel
from defai.session.choice import history_recipe
from defai.session.history import generate_history
from defai.session.model_keeper import Chain, ModelKeeper
from defai.session.run_directory import models_folder
from defai.session.training import model_key

if TYPE_CHECKING:
    from defai.agent.agent import Agent
    from defai.session.fleet import Member


@dataclass(frozen=True, slots=True)
class Fleet:
    """Who needs models, in one order.

    Attributes:
        models: of the members; None for one that needs none.
        agents: the members on their seats.
        run: the run's directory, where ratings are; None where nothing is kept.
        is_taken_up: whether an earlier process began the run.
    """

    members: "Sequence[Member]"
    models: Sequence[TrainedModel | None]
    agents: "Sequence[Agent]"
    run: Path | None
    is_taken_up: bool = False


async def keep_models(
    settings: Settings,
    fleet: Fleet,
    world: World,
    market: MarketState,
    publish: Callable[[StreamEvent], None],
) -> ModelKeeper | None:
    """The keeper of a fleet's models; None where the settings leave it nothing to do.

    Args:
        settings: those of the session.
        fleet: its agents ask the keeper's models from now on.
        world: where switches are recorded, if it has a chain.
        market: as of now.
        publish: told what happens.
    """
    if not settings.models.is_active:
        return None
    recipe = history_recipe(settings)
    chain = None
    if isinstance(world, PublicWorld) and world.rpc_url:
        chain = Chain(partial(_record, world), world.amend, fleet.is_taken_up)
    keeper = ModelKeeper(
        settings.models,
        models_folder(),
        market,
        publish,
        chain,
        run=fleet.run,
        lock_step=settings.network.lock_step,
    )
    histories = None
    for agent, member, model in zip(fleet.agents, fleet.members, fleet.models, strict=True):
        key = model_key(member.loaded, recipe)
        if model is None or key is None:
            continue
        if member.settings.model is not None:
            publish(Notice("info", f"{agent.name} keeps the model it names: nobody retrains or watches it."))
            continue
        profile = None
        if settings.models.watch_drift and model.card.trained_on.source == str(recipe):
            from defai.models.challenge import profile_of  # noqa: PLC0415  numpy: not in every session

            histories = histories or await generate_history(recipe)
            profile = profile_of([histories[pool.name] for pool in member.pools], model)
        keeper.serve(agent, key, model, profile)
    return keeper


async def _record(world: PublicWorld, model: TrainedModel, switch: Switch) -> None:
    await world.announce_switch(ModelChange(model, switch.parent or ZERO_DIGEST, switch.reason))
