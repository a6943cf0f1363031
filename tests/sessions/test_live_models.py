"""A model that takes over stands on the chain with its parent and the reason; one that is taken back, too."""

import json
from dataclasses import replace
from typing import Any

import pytest

from defai.agent.bus import Bus
from defai.agent.ports import ModelChange
from defai.audit.ladder.findings import Report
from defai.chain.codec import unhex
from defai.chain.download.patience import PatientRpc
from defai.chain.model_registry import count_models, find_model, read_model
from defai.config import Settings
from defai.domain.stream import ParametersChanged
from defai.marketsim.base_fees import BaseFees
from defai.models.drift import DriftWatch, MissWatch, Profile
from defai.models.lineage import Switch
from defai.models.trained import TrainedModel
from defai.session.model_keeper import Asked
from defai.session.served_model import ServedModel
from defai.session.session import Session
from defai.session.steering import Steering
from defai.session.verification.chapters import Means
from defai.session.verification.evidence import read_evidence
from defai.session.verification.verifier import verify
from defai.strategy.registry import shipped_folder
from defai.units import GWEI
from defai.worlds.announcing import MODEL_SWITCH
from defai.worlds.fork import ForkWorld

DRIFTED = "model drift: nothing is what it was"


class Changing(Session):
    """A session whose model changes, drifts, and is taken back as it runs; one agent's parameters change too."""

    async def _set_up(self) -> None:
        await super()._set_up()
        keeper, start = self._keeper, self.market.head.number if self.market else 0
        assert keeper is not None
        (place, *_), on_block = keeper._places, keeper.on_block
        old, place.served.key = place.served.model, "of no registry"
        child = replace(old, beats_baseline=not old.beats_baseline)
        watch = DriftWatch(Profile((), ()), MissWatch(0.1), DRIFTED)

        async def take_over(model: TrainedModel, before: TrainedModel) -> None:
            assert keeper._chain is not None
            place.served.switch(model, None)
            await keeper._chain.record(model, Switch(model.digest, before.digest, "so we say", 0))

        async def changed() -> Asked:
            assert self.market is not None
            lived = self.market.head.number - start
            if lived == 4:
                await take_over(child, old)
            elif lived in {7, 10}:
                place.served._watch = watch if lived == 7 else None
            elif lived == 12:
                await take_over(old, child)
            elif lived == 9:
                await Steering(self).set_parameters("tiers", {"most_share": "0.05"})
            return await on_block()

        keeper.on_block = changed  # type: ignore[method-assign]  # this one changes, others of its class do not


pytestmark = pytest.mark.usefixtures("trained_home")


async def notices(world: ForkWorld) -> list[dict[str, Any]]:
    """What the newest block's transactions say of models."""
    block = await world.chain.rpc.call("eth_getBlockByNumber", "latest", True)
    contents = [unhex(transaction["input"]) for transaction in block["transactions"]]
    return [json.loads(content) for content in contents if content.startswith(b"{")]


@pytest.fixture
def _dear_gas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gas that costs four times as much once the session has begun, as in every tenth block of a generated market."""
    monkeypatch.setattr(BaseFees, "at", lambda _self, index: (7 if index <= 4 else 28) * GWEI)


@pytest.mark.usefixtures("_dear_gas")
async def test_a_switch_and_its_rollback_stand_on_the_chain() -> None:
    overrides = {"network.block_time_s": 0, "market.warm_up_blocks": 4, "models.watch_drift": True}
    session = Changing(Settings.demo(overrides, environment={}), Bus(), blocks=16)
    seen: dict[str, Any] = {}

    async def change(_summary: dict[str, Any]) -> None:
        world, served = session.world, session.agents[0].mandate.model
        assert isinstance(world, ForkWorld)
        assert isinstance(served, ServedModel)
        seen["reports"] = await verified(world)
        old, registry = served.model, world._models
        assert registry is not None
        child = replace(old, band_x24=None if old.band_x24 else 1 << 24)
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

    told: list[ParametersChanged] = []
    session.bus.tap(lambda event: told.append(event) if isinstance(event, ParametersChanged) else None)
    session.afterwards = change
    await session.run()
    assert [(event.agent, event.parameters["most_share"]) for event in told] == [("tiers", "0.05")]
    child, old = seen["digests"]
    reason = "better on unseen rows"
    assert seen["switch"] == [{"kind": MODEL_SWITCH, "digest": child, "parent": old, "reason": reason}]
    reason = "it lost money"
    assert seen["back"] == [{"kind": MODEL_SWITCH, "digest": old, "parent": child, "reason": reason}]
    assert len(seen["reports"]) == 4 * 16
    assert [report.to_json() for report in seen["reports"] if not report.is_verified] == []


async def verified(world: ForkWorld) -> list[Report]:
    """Decided again by a stranger: each decision by what was announced for it."""
    async with PatientRpc(world.rpc_url) as rpc:
        evidence = await read_evidence(rpc, world.audit_log.domain.contract)
        lp = next(
            trail for trail in evidence.trails.values() if trail.charter and trail.charter.name == "lp-wide"
        )
        assert [amendment.holds for amendment in lp.amendments] == ["", DRIFTED, "", ""]
        assert len({amendment.model_digest for amendment in lp.amendments}) == 2
        tiers = next(
            trail for trail in evidence.trails.values() if trail.charter and trail.charter.name == "tiers"
        )
        assert [dict(amendment.parameters or {})["most_share"] for amendment in tiers.amendments] == ["0.05"]
        return await verify(rpc, evidence, Means((shipped_folder(),)))
