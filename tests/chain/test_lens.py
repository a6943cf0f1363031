"""The lens: balances and positions of a block, in one call, as the contracts themselves tell them."""

from defai.chain import mainnet
from defai.chain.codec import address_at, encode_call, signed, unsigned
from defai.chain.contracts import encode_operations
from defai.chain.keys import throwaway_key
from defai.chain.lens import LENS, LensQuery, PoolQuery, decode_lens, lens_request, lens_words, read_lens
from defai.chain.pools import snapshot_pool
from defai.domain.operations import MintPosition, Operation
from tests.chain.scenes import Market

KEY = mainnet.USDC_WETH_005
NOBODY = "0x2222222222222222222222222222222222222222"
TOKENS = (mainnet.USDC.address, NOBODY, mainnet.WETH.address)


async def open_positions(market: Market, count: int) -> None:
    operations: list[Operation] = [
        MintPosition(KEY.address, 198_000 + 10 * i, 201_000, 10**9, 10**18, 0, 0) for i in range(count)
    ]
    calls = encode_operations(
        operations, vault=market.trader.address, pools={KEY.address: KEY}, deadline=1 << 40
    )
    await market.act(calls)


async def test_what_accounts_hold(market: Market) -> None:
    await open_positions(market, 3)
    lp = throwaway_key(1, "lp").address
    query = LensQuery(
        tokens=TOKENS, accounts=(market.trader.address, lp, NOBODY), manager=mainnet.POSITION_MANAGER
    )
    (answer,) = await read_lens(market.chain.rpc, [query], "latest")
    trader, provider, nobody = answer.accounts
    ether = int(await market.chain.rpc.call("eth_getBalance", market.trader.address, "latest"), 16)
    assert trader.ether_wei == ether
    for account, held in ((market.trader.address, trader), (lp, provider), (NOBODY, nobody)):
        assert held.balances == {
            mainnet.USDC.address: await market.chain.balance(account, mainnet.USDC),
            NOBODY: None,
            mainnet.WETH.address: await market.chain.balance(account, mainnet.WETH),
        }
    assert [len(held.positions) for held in answer.accounts] == [3, 7, 0]
    for position in trader.positions:
        said = await market.view(
            mainnet.POSITION_MANAGER, encode_call("positions(uint256)", position.token_id)
        )
        assert (position.token0, position.token1) == (address_at(said, 2), address_at(said, 3))
        assert (position.fee_pips, position.liquidity) == (unsigned(said, 4), unsigned(said, 7))
        assert (position.tick_lower, position.tick_upper) == (signed(said, 5), signed(said, 6))
        assert position.fee_growth_inside0_x128 == unsigned(said, 8)
        assert position.fee_growth_inside1_x128 == unsigned(said, 9)
        assert (position.tokens_owed0, position.tokens_owed1) == (unsigned(said, 10), unsigned(said, 11))
    assert [position.tick_lower for position in trader.positions] == [198_000, 198_010, 198_020]


async def test_positions_and_pools_that_are_not_there(market: Market) -> None:
    query = LensQuery(
        pools=(PoolQuery(NOBODY), PoolQuery(mainnet.USDC.address, (0, 0)), PoolQuery(KEY.address, (0, 0))),
        manager=mainnet.POSITION_MANAGER,
        position_ids=(1, 10**6, 2),
    )
    (answer,) = await read_lens(market.chain.rpc, [query], "latest")
    first, second, third = answer.pools
    assert (first, second) == (None, None)
    assert third is not None
    assert third.report.sqrt_price_x96 > 0
    one, none, two = answer.positions
    assert none is None
    assert one is not None
    assert two is not None
    assert (one.token_id, two.token_id) == (1, 2)
    assert one.liquidity > 0


async def test_both_ways_of_asking_give_the_same(market: Market) -> None:
    """As a state override, and as creation code: with more in the answer than a contract may have of code."""
    await open_positions(market, 8)
    whole = (-2_000, 2_000)
    query = LensQuery(
        tuple(PoolQuery(key.address, whole) for key in mainnet.POOLS) * 20,
        TOKENS,
        (market.trader.address,),
        mainnet.POSITION_MANAGER,
    )
    replies = await market.chain.rpc.batch_settled(
        [lens_request(query.data(), "latest", override=override) for override in (True, False)]
    )
    overridden, created = (
        lens_words(reply, override=override) for reply, override in zip(replies, (True, False), strict=True)
    )
    assert overridden is not None
    assert overridden == created
    assert len(overridden) > 2 * 24_576
    answer = decode_lens(query, overridden)
    pool = await snapshot_pool(market.chain.rpc, KEY, await market.chain.head())
    assert answer.pools[0] is not None
    assert answer.pools[0].ticks == pool.ticks


async def test_nothing_is_deployed(market: Market) -> None:
    await read_lens(market.chain.rpc, [LensQuery((PoolQuery(KEY.address),))], "latest")
    assert await market.chain.code_exists([LENS, KEY.address]) == [False, True]
