"""The stand-in: everything at its mainnet address, the same each time, from the cache or without it."""

import asyncio
import json
from base64 import b64decode
from pathlib import Path

import pytest

from defai.chain import artifacts, mainnet
from defai.chain.codec import address_at, decode_values, encode_call, selector, signed
from defai.chain.local import LocalChain
from defai.chain.pools import check_chain, check_pools
from defai.chain.reader import BlockReader
from defai.chain.standin import (
    RECIPE,
    STANDIN_CHAIN_ID,
    Deployment,
    cached_state,
    open_fork,
    open_standin,
)
from defai.chain.tx import create_address
from defai.errors import ConfigError, NotFoundError
from tests.chain.scenes import START, Market, opened_market

ACCOUNT = "0x1111111111111111111111111111111111111111"


async def head_hash(chain: LocalChain) -> str:
    block = await chain.rpc.call("eth_getBlockByNumber", "latest", False)
    return str(block["hash"])


def only_file(directory: Path) -> Path:
    (file,) = directory.iterdir()
    return file


@pytest.mark.parametrize("deployment", RECIPE, ids=lambda deployment: str(deployment.artifact))
def test_each_address_follows_from_deployer_and_nonce(deployment: Deployment) -> None:
    assert create_address(deployment.deployer, deployment.nonce) == deployment.address


async def test_every_contract_stands_and_is_wired_to_the_others(market: Market) -> None:
    assert await market.chain.code_exists([deployment.address for deployment in RECIPE]) == [True] * len(
        RECIPE
    )
    for contract in (
        mainnet.POSITION_MANAGER,
        mainnet.SWAP_ROUTER_02,
        mainnet.QUOTER_V2,
        mainnet.SWAP_ROUTER,
    ):
        assert address_at(await market.view(contract, selector("factory()"))) == mainnet.V3_FACTORY
        assert address_at(await market.view(contract, selector("WETH9()"))) == mainnet.WETH.address
    v2 = await market.view(mainnet.V2_ROUTER, selector("factory()"))
    assert address_at(v2) == mainnet.V2_FACTORY


async def test_tokens_say_who_they_are(market: Market) -> None:
    for token in mainnet.TOKENS:
        (symbol,) = decode_values(("string",), await market.view(token.address, selector("symbol()")))
        assert symbol == token.symbol
        assert signed(await market.view(token.address, selector("decimals()"))) == token.decimals


@pytest.mark.parametrize(("fee_pips", "spacing"), sorted(mainnet.TICK_SPACINGS.items()))
async def test_the_fee_tiers_are_mainnets(market: Market, fee_pips: int, spacing: int) -> None:
    data = encode_call("feeAmountTickSpacing(uint24)", fee_pips)
    assert signed(await market.view(mainnet.V3_FACTORY, data)) == spacing


async def test_the_pools_stand_where_mainnet_has_them(market: Market) -> None:
    assert mainnet.USDC_WETH_005.address == "0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640"
    await check_pools(market.chain.rpc, mainnet.POOLS)
    for key in mainnet.POOLS:
        slot0 = await market.view(key.address, selector("slot0()"))
        assert signed(slot0, 1) == 199_802  # 10**12 / 2104.37 = 1.0001**199802.6
        liquidity = await market.view(key.address, selector("liquidity()"))
        assert signed(liquidity) > 10**18


async def test_a_position_draws_itself(market: Market) -> None:
    """The descriptor is linked with its library: it answers with a picture."""
    (uri,) = decode_values(
        ("string",), await market.view(mainnet.POSITION_MANAGER, encode_call("tokenURI(uint256)", 1))
    )
    drawn = json.loads(b64decode(uri.partition(",")[2]))
    assert drawn["name"] == "Uniswap - 0.05% - USDC/ETH - MIN<>MAX"


async def test_the_same_chain_comes_out_each_time(tmp_path: Path, cache_directory: Path) -> None:
    hashes = []
    for directory in (tmp_path, tmp_path, cache_directory):  # built, from the cache, built by another test
        async with open_standin(cache_directory=directory) as chain:
            assert chain.chain_id == STANDIN_CHAIN_ID
            before = await head_hash(chain)
            market = await opened_market(chain)
            await market.swap(mainnet.USDC_WETH_005, 10**9, zero_for_one=True)
            hashes.append((before, await head_hash(chain)))
    assert len(set(hashes)) == 1
    assert only_file(tmp_path).suffix == ".json"


async def test_two_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    async def one(amount: int) -> int:
        async with open_standin(cache_directory=tmp_path) as chain:
            await chain.fund(ACCOUNT, mainnet.USDC, amount)
            return await chain.balance(ACCOUNT, mainnet.USDC)

    assert list(await asyncio.gather(one(1), one(2))) == [1, 2]


@pytest.mark.parametrize("damage", [b"", b"{}", b"\x00" * 1000])
async def test_a_damaged_cache_is_built_anew(tmp_path: Path, damage: bytes) -> None:
    async with open_standin(cache_directory=tmp_path):
        pass
    cached = only_file(tmp_path)
    cached.write_bytes(damage)
    async with open_standin(cache_directory=tmp_path) as chain:
        await chain.mine(timestamp=START)
    again = only_file(tmp_path)
    assert again.stat().st_size > 10**6
    assert cached_state(tmp_path) == again


async def test_a_cache_that_anvil_cannot_read_is_built_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = tmp_path / "foreign.json"
    foreign.write_text('{"block": "of another version"}')
    answers = [foreign]
    monkeypatch.setattr("defai.chain.standin.cached_state", lambda _: answers.pop())
    async with open_standin(cache_directory=tmp_path) as chain:
        assert await chain.head() == len(RECIPE) + 2
    assert not foreign.exists()


async def test_a_missing_artifact_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(artifacts, "NODE_MODULES", tmp_path)
    artifacts.artifact.cache_clear()
    with pytest.raises(NotFoundError, match=r"The compiled contract .* is missing") as caught:
        async with open_standin(cache_directory=tmp_path):
            pass
    assert "make setup" in caught.value.hint


async def test_funding_and_mining(market: Market) -> None:
    chain = market.chain
    for token in mainnet.TOKENS:
        await chain.fund(ACCOUNT, token, 123_456)
        assert await chain.balance(ACCOUNT, token) == 123_456
    number = await chain.mine(timestamp=START + 5000, base_fee_wei=77)
    block = await chain.rpc.call("eth_getBlockByNumber", hex(number), False)
    assert (int(block["timestamp"], 16), int(block["baseFeePerGas"], 16)) == (START + 5000, 77)
    assert await chain.mine() == number + 1
    snapshot = await chain.snapshot()
    await chain.fund(ACCOUNT, mainnet.USDC, 1)
    await chain.revert(snapshot)
    assert await chain.balance(ACCOUNT, mainnet.USDC) == 123_456


async def test_a_fork_of_a_stand_in_goes_its_own_way(market: Market) -> None:
    key = mainnet.USDC_WETH_005
    fork_block = await market.chain.head()
    await market.swap(key, 10**12, zero_for_one=True)
    async with open_fork(market.chain.url, block=fork_block) as fork:
        assert fork.chain_id == STANDIN_CHAIN_ID
        assert await fork.head() == fork_block
        await check_pools(fork.rpc, mainnet.POOLS)
        await fork.fund(ACCOUNT, mainnet.USDC, 5)
        await fork.mine(base_fee_wei=10**9)
        reading = await BlockReader(fork.rpc, [key]).read(fork_block + 1, accounts=[ACCOUNT])
        assert reading.balances[ACCOUNT][mainnet.USDC.address] == 5
        origin = BlockReader(market.chain.rpc, [key])
        before, after = [await origin.read(number) for number in (fork_block, fork_block + 1)]
        assert reading.pools == before.pools != after.pools
        assert reading.block.parent_hash == before.block.hash


async def test_a_fork_can_be_given_another_chain_id(market: Market) -> None:
    async with open_fork(market.chain.url, chain_id=99) as fork:
        assert fork.chain_id == 99
        with pytest.raises(ConfigError, match="is on chain 99, not on chain 31337"):
            await check_chain(fork.rpc, STANDIN_CHAIN_ID)
        await check_chain(fork.rpc, 99)
