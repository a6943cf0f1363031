"""A pool read from the chain is the pool on the chain: same quotes, same course, same ticks."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random

import pytest

from defai.amm import MAX_SQRT_RATIO, MIN_SQRT_RATIO, Pool
from defai.chain import mainnet
from defai.chain.codec import argument_types, decode_values, unhex
from defai.chain.contracts import encode_operations, pool_address, pool_key
from defai.chain.keys import throwaway_key
from defai.chain.lens import READ
from defai.chain.pools import check_pools, describe_pool, snapshot_pool
from defai.chain.reader import BlockReader
from defai.chain.rpc import Json, RpcError
from defai.chain.seeding import Band, seed_pools, sqrt_price_x96
from defai.domain.chain_events import PoolSwapped
from defai.domain.operations import MintPosition
from defai.errors import ConfigError, DivergenceError, NotFoundError
from tests.chain.scenes import Market
from tests.chain.test_reader import LyingRpc, PickyRpc

KEY = mainnet.USDC_WETH_005


async def provide_at_random(market: Market, rng: Random, tick: int) -> None:
    """A few more positions, so that swaps cross ticks."""
    operations = []
    for _ in range(4):
        lower = (tick + rng.randrange(-800, 700)) // 10 * 10
        operations.append(
            MintPosition(KEY.address, lower, lower + rng.randrange(1, 60) * 10, 10**11, 10**20, 0, 0)
        )
    calls = encode_operations(
        operations, vault=market.trader.address, pools={KEY.address: KEY}, deadline=1 << 40
    )
    await market.act(calls)


async def test_a_snapshot_quotes_and_goes_on_like_the_chain(market: Market) -> None:
    rng = Random(11)  # noqa: S311  repeatable, not secret
    chain = market.chain
    await provide_at_random(market, rng, 199_802)
    pool = await snapshot_pool(chain.rpc, KEY, await chain.head())
    reader = BlockReader(chain.rpc, [KEY])
    crossed = set()
    for _ in range(12):
        zero_for_one = rng.random() < 0.5
        amount = rng.randrange(10**9, 3 * 10**12) if zero_for_one else rng.randrange(10**17, 10**21)
        head = await chain.head()
        quote = pool.quote(zero_for_one=zero_for_one, amount_specified=amount)
        quoted_out, after_x96 = await market.quoted(KEY, amount, zero_for_one=zero_for_one, block=head)
        assert -(quote.amount1 if zero_for_one else quote.amount0) == quoted_out
        assert quote.sqrt_price_x96 == after_x96

        receipt = await market.swap(KEY, amount, zero_for_one=zero_for_one)
        reading = await reader.read(receipt.block_number)
        result = pool.swap(zero_for_one=zero_for_one, amount_specified=amount)
        (event,) = reading.block.events
        assert isinstance(event, PoolSwapped)
        assert (event.amount0, event.amount1) == (result.amount0, result.amount1)
        report = reading.pools[KEY.address]
        assert (pool.sqrt_price_x96, pool.tick, pool.liquidity) == (
            report.sqrt_price_x96,
            report.tick,
            report.liquidity,
        )
        assert (pool.fee_growth_global0_x128, pool.fee_growth_global1_x128) == (
            report.fee_growth_global0_x128,
            report.fee_growth_global1_x128,
        )
        crossed.add(pool.liquidity)
    assert len(crossed) > 3  # ticks were crossed, or this proves little
    same_fees(pool, await snapshot_pool(chain.rpc, KEY, await chain.head()))


def same_fees(mine: Pool, theirs: Pool) -> None:
    """Ticks agree in all that fees depend on; time outside a tick is the oracle's, which a snapshot begins anew."""
    for pool in (mine, theirs):
        assert pool.ticks
    assert {tick: state[:4] for tick, state in mine.ticks.items()} == {
        tick: state[:4] for tick, state in theirs.ticks.items()
    }


async def test_a_narrow_snapshot_holds_the_ticks_near_the_price(market: Market) -> None:
    number = await market.chain.head()
    whole = await snapshot_pool(market.chain.rpc, KEY, number)
    near = await snapshot_pool(market.chain.rpc, KEY, number, words=1)
    assert set(near.ticks) < set(whole.ticks)
    word = whole.tick // 10 >> 8
    assert set(near.ticks) == {tick for tick in whole.ticks if abs((tick // 10 >> 8) - word) <= 1}
    small = 10**9
    assert near.quote(zero_for_one=True, amount_specified=small) == whole.quote(
        zero_for_one=True, amount_specified=small
    )


async def test_the_finest_spacing_has_the_most_words(market: Market) -> None:
    """A 1 bp pool has 6,932 words of bitmap, read in a dozen calls."""
    key = pool_key(mainnet.USDC, mainnet.USDT, 100)
    start_x96 = sqrt_price_x96(key, Decimal(1), of=mainnet.USDC)
    bands = {100: (Band(None, 10**12), Band(7, 10**12))}
    number = await seed_pools(market.chain, throwaway_key(2, "lp"), prices_x96={key: start_x96}, bands=bands)
    pool = await snapshot_pool(market.chain.rpc, key, number)
    assert sorted(pool.ticks) == [-887_272, -7, 7, 887_272]
    quoted, _ = await market.quoted(key, 10**11, zero_for_one=True, block=number)
    assert -pool.quote(zero_for_one=True, amount_specified=10**11).amount1 == quoted


async def test_a_pool_is_described_from_its_address_alone(market: Market) -> None:
    for key in mainnet.POOLS:
        assert await describe_pool(market.chain.rpc, key.address.lower()) == key


@pytest.mark.parametrize("address", [mainnet.USDC.address, mainnet.V3_FACTORY, "0x" + "12" * 20])
async def test_what_is_no_pool_is_not_described(market: Market, address: str) -> None:
    with pytest.raises(NotFoundError, match="is not a Uniswap v3 pool"):
        await describe_pool(market.chain.rpc, address)


@pytest.mark.parametrize(
    "address", ["0x12", "88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640", "0x" + "zz" * 20, ""]
)
async def test_what_is_no_address_is_said_to_be_none(market: Market, address: str) -> None:
    with pytest.raises(ConfigError, match="is not an address"):
        await describe_pool(market.chain.rpc, address)


async def test_a_pool_the_factory_does_not_know(market: Market) -> None:
    absent = pool_key(mainnet.WETH, mainnet.USDT, 3000)
    with pytest.raises(NotFoundError, match=r"has no pool WETH/USDT 0\.3 % at 0x"):
        await check_pools(market.chain.rpc, [*mainnet.POOLS, absent])
    with pytest.raises(NotFoundError, match="No initialised pool"):
        await snapshot_pool(market.chain.rpc, absent, await market.chain.head())
    with pytest.raises(NotFoundError, match="has no block 5,000"):
        await snapshot_pool(market.chain.rpc, KEY, 5_000)


async def test_ticks_that_contradict_the_liquidity_are_not_believed(market: Market) -> None:
    number = await market.chain.head()
    pool = await snapshot_pool(market.chain.rpc, KEY, number)
    gross = max(state.liquidity_gross for state in pool.ticks.values())
    for found, put, sentence in (
        (f"{gross:064x}", f"{gross + 1:064x}", "add up to a liquidity of"),
        (f"{gross:064x}", "00" * 32, "in the pool's bitmap but not initialised"),
    ):

        def tamper(answer: str, found: str = found, put: str = put) -> str:
            """Liquidity is written twice where it begins: gross and net are the same."""
            return answer.replace(found, put)

        async with LyingRpc(market.chain.url, {"eth_call": tamper}) as rpc:
            with pytest.raises(DivergenceError, match=sentence):
                await snapshot_pool(rpc, KEY, number)


async def test_a_page_with_too_many_ticks_is_halved(market: Market) -> None:
    """A node that allows a call as much as sixty words and no more."""
    number = await market.chain.head()
    pages = []

    def refuse(method: str, params: Sequence[Json], result: Json) -> Json:
        if method != "eth_call":
            return result
        ((_, first, last, _),), *_ = decode_values(argument_types(READ), unhex(params[0]["data"])[4:])
        pages.append((first, last))
        return result if last - first < 60 else RpcError("eth_call", -32000, "out of gas")

    async with PickyRpc(market.chain.url, refuse) as rpc:
        pool = await snapshot_pool(rpc, KEY, number)
    whole = await snapshot_pool(market.chain.rpc, KEY, number)
    assert pool.ticks == whole.ticks
    assert (pool.sqrt_price_x96, pool.liquidity) == (whole.sqrt_price_x96, whole.liquidity)
    assert len(pages) > 16

    def refuse_all(method: str, _: Sequence[Json], result: Json) -> Json:
        return RpcError("eth_call", -32000, "out of gas") if method == "eth_call" else result

    async with PickyRpc(market.chain.url, refuse_all) as rpc:
        with pytest.raises(RpcError, match="out of gas"):
            await snapshot_pool(rpc, KEY, number)


def test_pool_addresses_are_mainnets() -> None:
    assert pool_address(mainnet.WETH.address, mainnet.USDC.address, 500) == KEY.address
    assert pool_key(mainnet.WETH, mainnet.USDC, 3000) == mainnet.USDC_WETH_030
    known = "0x4e68Ccd3E89f51C3074ca5072bbAC773960dFa36"
    assert pool_address(mainnet.WETH.address, mainnet.USDT.address, 3000) == known


@pytest.mark.parametrize(
    "usdc_per_weth", [Decimal("0.000001"), Decimal(80), Decimal("2104.37"), Decimal(10**9)]
)
def test_square_root_prices(usdc_per_weth: Decimal) -> None:
    of_weth = sqrt_price_x96(KEY, usdc_per_weth, of=mainnet.WETH)
    of_usdc = sqrt_price_x96(KEY, 1 / usdc_per_weth, of=mainnet.USDC)
    assert MIN_SQRT_RATIO < of_weth < MAX_SQRT_RATIO
    assert of_usdc == pytest.approx(of_weth, rel=1e-15)
    assert 10**12 * 2**192 / of_weth**2 == pytest.approx(float(usdc_per_weth), rel=1e-9)


def test_prices_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="not positive"):
        sqrt_price_x96(KEY, Decimal(0), of=mainnet.WETH)
    with pytest.raises(ValueError, match="has no USDT"):
        sqrt_price_x96(KEY, Decimal(1), of=mainnet.USDT)
