"""A model that takes over stands on the chain with its parent and the reason; one that is taken back, too."""

import json
from dataclasses import replace
from typing import Any

import pytest

from defai.agent.bus import Bus
from defai.agent.ports import ModelChange
from defai.chain.codec import unhex
from defai.chain.model_registry import count_models, find_model, read_model
from defai.config import Settings
from defai.session.served_model import ServedModel
from defai.session.session import Session
from defai.worlds.announcing import MODEL_SWITCH
from defai.worlds.fork import ForkWorld

pytestmark = pytest.mark.usefixtures("trained_home")


async def notices(world: ForkWorld) -> list[dict[str, Any]]:
    """What the newest block's transactions say of models."""
    block = await world.chain.rpc.call("eth_getBlockByNumber", "latest", True)
    contents = [unhex(transaction["input"]) for transaction in block["transactions"]]
    return [json.loads(content) for content in contents if content.startswith(b"{")]


async def test_a_switch_and_its_rollback_stand_on_the_chain() -> None:
    overrides = {"network.block_time_s": 0, "market.warm_up_blocks": 4, "models.watch_drift": True}
    session = Session(Settings.demo(overrides, environment={}), Bus(), blocks=2)
    seen: dict[str, Any] = {}

    async def change(_summary: dict[str, Any]) -> None:
        world, served = session.world, session.agents[0].mandate.model
        assert isinstance(world, ForkWorld)
        assert isinstance(served, ServedModel)
        old, registry = served.model, world._models
        assert registry is not None
        child = replace(old, beats_baseline=not old.beats_baseline)
        before = await count_models(world.chain.rpc, registry)
        await world.announce_switch(ModelChange(child, old.digest, "better on unseen rows"))
        assert await world.feed.make_block() is not None
        number = await find_model(world.chain.rpc, registry, child.digest)
        assert number == before + 1
        read = await read_model(world.chain.rpc, registry, number)
        assert read.parent == await find_model(world.chain.rpc, registry, old.digest)
        seen["switch"], seen["digests"] = await notices(world), (child.digest, old.digest)
        await world.announce_switch(ModelChange(old, child.digest, "it lost money"))
        assert await world.feed.make_block() is not None
        seen["back"] = await notices(world)
        assert await count_models(world.chain.rpc, registry) == before + 1

    session.afterwards = change
    await session.run()
    child, old = seen["digests"]
    reason = "better on unseen rows"
    assert seen["switch"] == [{"kind": MODEL_SWITCH, "digest": child, "parent": old, "reason": reason}]
    reason = "it lost money"
    assert seen["back"] == [{"kind": MODEL_SWITCH, "digest": old, "parent": child, "reason": reason}]
