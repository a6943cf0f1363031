"""Models in the EVM: LightGBM, the walk over integers and the chain give the same, to the last bit."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from defai.chain.codec import encode_call, unhex
from defai.chain.keys import throwaway_key, throwaway_secret
from defai.chain.local import LocalChain
from defai.chain.model_registry import (
    CHUNK_SIZE,
    PUBLISH,
    card_digest,
    deploy_model_registry,
    find_model,
    find_model_with_card,
    model_file,
    predict_call,
    predict_on_chain,
    read_model,
    register_model,
)
from defai.chain.standin import open_standin
from defai.chain.tx import Step, Wallet, carry_out
from defai.cli.modelling import MODELS_KEY, registered, verified
from defai.cli.modelling import Shelf as CommandShelf
from defai.domain.tokens import Address
from defai.errors import DefaiError, NotFoundError
from defai.models.exponential import HIGHEST_X24, exp2_x24
from defai.models.lightgbm import fit, predict_with_booster
from defai.models.registry import ModelRegistry
from defai.models.study import Design
from defai.models.targets import Target
from defai.models.trained import TrainedModel
from defai.models.training import train
from defai.testing.histories import generated_history
from defai.units import GWEI

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(1200)]

FEATURES = (
    "return_1",
    "return_6",
    "volatility_6",
    "volatility_30",
    "parkinson_12",
    "deviation_12",
    "base_fee",
)
ROWS = 20_000
CARD_URI = "ipfs://bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"


@dataclass
class Shelf:
    """A registry on a stand-in, and an author with money."""

    chain: LocalChain
    author: Wallet
    registry: Address

    async def register(self, model: TrainedModel, *, parent: int | None = None, card_uri: str = "") -> int:
        return await register_model(
            self.chain.rpc,
            self.author,
            self.registry,
            model,
            parent=parent,
            card_uri=card_uri,
            settle=self.mine,
        )

    async def mine(self) -> int:
        return await self.chain.mine(base_fee_wei=GWEI)

    async def gas_used(self) -> int:
        """Of the newest block."""
        block = await self.chain.rpc.call("eth_getBlockByNumber", "latest", False)
        return int(block["gasUsed"], 16)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened_shelf(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shelf]:
    async with open_standin(cache_directory=tmp_path_factory.mktemp("standin")) as chain:
        signer = throwaway_key(4, "author")
        await chain.fund_ether(signer.address)
        author = await Wallet.connect(signer, chain.rpc)
        yield Shelf(chain, author, await deploy_model_registry(chain.rpc, author, settle=chain.mine))


@pytest_asyncio.fixture(loop_scope="module")
async def shelf(opened_shelf: Shelf) -> AsyncIterator[Shelf]:
    before = await opened_shelf.chain.snapshot()
    yield opened_shelf
    await opened_shelf.chain.revert(before)
    await opened_shelf.author.resync(opened_shelf.chain.rpc)


@pytest.fixture(scope="module")
def small() -> TrainedModel:
    return train(
        {"main": generated_history(1_500, seed=11, clustering=0.12, start_tick=-50)},
        feature_names=FEATURES,
        target=Target("volatility", 6),
        design=Design(seed=5, rounds=10, folds=3),
    )


def of_size(model: TrainedModel, *, trees: int, leaves: int) -> TrainedModel:
    """The same model with other trees: exactly so many, of so many leaves."""
    draw = Random(trees)  # noqa: S311  draws rows to train on
    rows = [tuple(round(draw.gauss(0, 1 << 16)) for _ in FEATURES) for _ in range(4_000)]
    labels = [(row[0] - row[1]) * 64 + abs(row[2]) * 32 + draw.randrange(1 << 26) for row in rows]
    settings = {"num_leaves": leaves, "min_data_in_leaf": 5}
    fitted = fit(rows, labels, names=FEATURES, parameters=settings, rounds=trees, seed=1)
    assert {len(tree.leaf_x24) for tree in fitted.ensemble.trees} == {leaves}
    return replace(model, ensemble=fitted.ensemble, lightgbm_text=fitted.text)


@pytest.fixture(scope="module")
def middling(small: TrainedModel) -> TrainedModel:
    return of_size(small, trees=50, leaves=15)


def random_rows(model: TrainedModel, count: int, width: int = len(FEATURES)) -> list[tuple[int, ...]]:
    """Values at the thresholds, next to them, anywhere, and at the ends of int32."""
    draw = Random(3)  # noqa: S311  draws test rows
    thresholds: dict[int, list[int]] = {}
    for tree in model.ensemble.trees:
        for feature, threshold in zip(tree.feature, tree.threshold, strict=True):
            thresholds.setdefault(feature, []).append(threshold)

    def value(feature: int) -> int:
        near = draw.choice(thresholds.get(feature, [0])) + draw.choice((-1, 0, 1))
        return draw.choice((near, near, draw.randrange(-(1 << 17), 1 << 17), -(2**31), 2**31 - 1))

    return [tuple(value(feature) for feature in range(width)) for _ in range(count)]


async def test_twenty_thousand_forecasts_are_lightgbms(shelf: Shelf, middling: TrainedModel) -> None:
    model_id = await shelf.register(middling)
    rows = random_rows(middling, ROWS)
    on_chain = await predict_on_chain(shelf.chain.rpc, shelf.registry, model_id, rows)
    assert on_chain == predict_with_booster(middling.lightgbm_text, rows)
    assert on_chain == [middling.ensemble.sum_x24(row) for row in rows]
    assert middling.ensemble.compile()
    assert on_chain == [middling.ensemble.predict_x24(row) for row in rows]
    assert len(set(on_chain)) > ROWS // 2


async def test_the_evm_computes_a_whole_forecast_in_logarithms(shelf: Shelf, small: TrainedModel) -> None:
    """Start, trees and power: a volatility in ticks, not its logarithm."""
    ensemble = small.ensemble
    assert (ensemble.link, ensemble.linear is not None) == ("exp2", True)
    model_id = await shelf.register(small)
    rows = random_rows(small, 4_000, len(small.spec.names))
    on_chain = await predict_on_chain(shelf.chain.rpc, shelf.registry, model_id, rows)
    assert on_chain == [ensemble.predict_x24(row) for row in rows]
    assert len(set(on_chain)) > 500
    assert (min(on_chain), max(on_chain)) == (1, exp2_x24(HIGHEST_X24)), "both limits are met"


async def test_what_a_model_and_its_forecast_cost(shelf: Shelf, middling: TrainedModel) -> None:
    model_id = await shelf.register(middling, card_uri=CARD_URI)
    assert await shelf.gas_used() <= 2_000_000
    for row in random_rows(middling, 10):
        data = predict_call(shelf.registry, model_id, row).data
        asked = {"to": shelf.registry, "data": "0x" + data.hex()}
        estimate = int(await shelf.chain.rpc.call("eth_estimateGas", asked), 16)
        intrinsic = 21_000 + sum(16 if byte else 4 for byte in data)
        assert estimate - intrinsic <= 40_000


async def test_a_large_model_takes_several_transactions(shelf: Shelf, small: TrainedModel) -> None:
    large = of_size(small, trees=120, leaves=31)
    assert len(model_file(large)) > CHUNK_SIZE
    before = await shelf.chain.head()
    model_id = await shelf.register(large)
    assert await shelf.chain.head() - before == 4
    rows = random_rows(large, 50)
    on_chain = await predict_on_chain(shelf.chain.rpc, shelf.registry, model_id, rows)
    assert on_chain == predict_with_booster(large.lightgbm_text, rows)


async def test_a_model_is_read_back_whole(shelf: Shelf, small: TrainedModel, middling: TrainedModel) -> None:
    rpc = shelf.chain.rpc
    first = await shelf.register(small)
    bare = replace(middling, band_x24=None, beats_baseline=not middling.beats_baseline)
    second = await shelf.register(bare, parent=first, card_uri=CARD_URI)
    assert (first, second) == (1, 2)
    read = await read_model(rpc, shelf.registry, second)
    assert read.digest == bare.digest
    assert read.ensemble == bare.ensemble
    assert read.features_digest == bare.spec.digest
    assert (read.target_kind, read.horizon_blocks) == ("volatility", 6)
    assert read.band_x24 is None
    assert read.beats_baseline == bare.beats_baseline
    assert (read.parent, read.card_uri, read.card_digest) == (first, CARD_URI, card_digest(bare))
    original = await read_model(rpc, shelf.registry, first)
    assert (original.parent, original.band_x24, original.digest) == (None, small.band_x24, small.digest)


async def test_a_model_is_registered_once(shelf: Shelf, small: TrainedModel) -> None:
    rpc = shelf.chain.rpc
    assert await find_model(rpc, shelf.registry, small.digest) is None
    assert await shelf.register(small) == 1
    before = await shelf.chain.head()
    assert await shelf.register(small) == 1
    assert await shelf.chain.head() == before
    assert await find_model(rpc, shelf.registry, small.digest) == 1


async def test_a_squatter_does_not_keep_the_author_out(shelf: Shelf, small: TrainedModel) -> None:
    rpc = shelf.chain.rpc
    boast = replace(small, card=replace(small.card, limits=("none whatever",)))
    assert boast.digest == small.digest
    assert card_digest(boast) != card_digest(small)
    assert await shelf.register(boast) == 1
    assert await find_model_with_card(rpc, shelf.registry, small) is None
    assert await shelf.register(small) == 2
    assert await shelf.register(small) == 2
    assert await find_model(rpc, shelf.registry, small.digest) == 1
    assert await find_model_with_card(rpc, shelf.registry, boast) == 1


async def test_the_command_registers_and_verifies(
    shelf: Shelf, small: TrainedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a node that mines by itself, as a person has it: a registry, a model, its successor, and both verified."""
    rpc, kept = shelf.chain.rpc, ModelRegistry(tmp_path)
    child = replace(small, beats_baseline=not small.beats_baseline)
    child = replace(child, card=replace(small.card, model_digest=child.digest))
    kept.save(small)
    kept.save(child)
    monkeypatch.setenv(MODELS_KEY, "0x" + throwaway_secret(4, "author").hex())
    await rpc.call("evm_setAutomine", True)
    try:
        done = await registered(CommandShelf(shelf.chain.url, None), small, None, CARD_URI, None)
        place = CommandShelf(shelf.chain.url, done["registry"])
        heir = await registered(place, child, small.digest, "", None)
    finally:
        await rpc.call("evm_setAutomine", False)
    assert (done["model_id"], heir["model_id"], heir["parent"]) == (1, 2, 1)
    findings = await verified(kept, [small.digest, child.digest], place, 60)
    assert [finding["broken"] for finding in findings] == ["", ""]
    assert findings[1]["checked"][-1] == "the chain (model #2, 60 forecasts by the EVM)"
    other = await verified(kept, [small.digest], CommandShelf(shelf.chain.url, shelf.registry), 5)
    assert "has no model" in other[0]["broken"]


async def test_another_models_digest_is_refused(
    shelf: Shelf, small: TrainedModel, middling: TrainedModel
) -> None:
    data = encode_call(PUBLISH, 0, model_file(small), unhex(middling.digest))
    step = Step(shelf.registry, data, 5_000_000, "register the model")
    with pytest.raises(DefaiError, match="WrongDigest"):
        await carry_out(
            *(shelf.chain.rpc, shelf.author, [step]),
            max_fee_wei=10 * GWEI,
            priority_fee_wei=GWEI,
            settle=shelf.mine,
        )


async def test_what_is_not_there_is_said(shelf: Shelf, small: TrainedModel) -> None:
    rpc = shelf.chain.rpc
    with pytest.raises(NotFoundError, match="no sealed model 1 in the registry"):
        await read_model(rpc, shelf.registry, 1)
    with pytest.raises(NotFoundError, match="There is no model registry at"):
        await find_model(rpc, shelf.author.address, small.digest)
    model_id = await shelf.register(small)
    with pytest.raises(DefaiError, match="gives no forecast for"):
        await predict_on_chain(rpc, shelf.registry, model_id, [(1, 2)])
    with pytest.raises(DefaiError, match="The card's URI has 65,536 bytes"):
        model_file(small, card_uri="x" * 65_536)
