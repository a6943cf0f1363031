"""Operations, encoded and carried out for real: a position's whole life, and what comes of it."""

import pytest

from defai.amm import MAX_SQRT_RATIO, MIN_SQRT_RATIO
from defai.chain import contracts, mainnet
from defai.chain.codec import decode_values, encode_call, unsigned
from defai.chain.contracts import encode_operations
from defai.chain.decode import (
    NftTransferred,
    PositionCollected,
    PositionDecreased,
    PositionIncreased,
    TokenTransferred,
    decode_receipt_logs,
)
from defai.chain.reader import BlockReader
from defai.domain.chain_events import LiquidityBurned, LiquidityCollected
from defai.domain.operations import (
    AddLiquidity,
    BurnPosition,
    CollectOwed,
    MintPosition,
    Operation,
    RemoveLiquidity,
    SwapExactInput,
)
from defai.errors import DefaiError, NotFoundError
from tests.chain.scenes import Market

KEY = mainnet.USDC_WETH_005
POOLS = {key.address: key for key in mainnet.POOLS}
VAULT = "0x3333333333333333333333333333333333333333"
NOBODY = "0x" + "00" * 20
FAR = 1 << 40

EVERY_KIND: tuple[tuple[Operation, str, tuple[object, ...]], ...] = (
    (
        SwapExactInput(KEY.address, True, 11, 12),
        contracts.POOL_SWAP,
        (VAULT, True, 11, MIN_SQRT_RATIO + 1, (12).to_bytes(32, "big")),
    ),
    (
        SwapExactInput(mainnet.USDC_WETH_030.address, False, 2**255 - 1, 2**256 - 1),
        contracts.POOL_SWAP,
        (VAULT, False, 2**255 - 1, MAX_SQRT_RATIO - 1, b"\xff" * 32),
    ),
    (
        MintPosition(KEY.address, -887_270, -10, 1, 2, 3, 4),
        contracts.MINT,
        ((KEY.token0.address, KEY.token1.address, 500, -887_270, -10, 1, 2, 3, 4, VAULT, FAR),),
    ),
    (AddLiquidity(5, 6, 7, 8, 9), contracts.INCREASE_LIQUIDITY, ((5, 6, 7, 8, 9, FAR),)),
    (RemoveLiquidity(5, 2**128 - 1, 7, 8), contracts.DECREASE_LIQUIDITY, ((5, 2**128 - 1, 7, 8, FAR),)),
    (CollectOwed(5), contracts.COLLECT, ((5, VAULT, 2**128 - 1, 2**128 - 1),)),
    (BurnPosition(5), contracts.BURN, (5,)),
)


@pytest.mark.parametrize(("operation", "signature", "arguments"), EVERY_KIND)
def test_packing_by_hand_equals_a_general_encoder(
    operation: Operation, signature: str, arguments: tuple[object, ...]
) -> None:
    (call,) = encode_operations([operation], vault=VAULT, pools=POOLS, deadline=FAR)
    assert call.data == encode_call(signature, *arguments)
    swapped_in = operation.pool if isinstance(operation, SwapExactInput) else None
    assert call.target == (swapped_in or mainnet.POSITION_MANAGER)


def test_other_calls_equal_a_general_encoder() -> None:
    approve = contracts.approve(mainnet.USDC, VAULT)
    assert approve.data == encode_call("approve(address,uint256)", VAULT, 2**256 - 1)
    assert contracts.transfer(mainnet.USDC, VAULT, 7).data == encode_call(
        "transfer(address,uint256)", VAULT, 7
    )
    create = contracts.create_pool(KEY, 99)
    pool = (KEY.token0.address, KEY.token1.address, 500, 99)
    assert create.data == encode_call(contracts.CREATE_POOL, *pool)


def test_a_pool_that_is_not_watched_is_named() -> None:
    with pytest.raises(NotFoundError, match=f"The pool {VAULT} is not among the 2"):
        encode_operations([SwapExactInput(VAULT, True, 1, 0)], vault=VAULT, pools=POOLS, deadline=FAR)


def test_a_swap_at_the_router_equals_a_general_encoder() -> None:
    call = contracts.exact_input_single(
        KEY, zero_for_one=True, recipient=VAULT, amount_in=11, amount_out_minimum=12
    )
    arguments = (KEY.token0.address, KEY.token1.address, 500, VAULT, 11, 12, 0)
    assert call.data == encode_call(contracts.EXACT_INPUT_SINGLE, arguments)
    assert call.target == mainnet.SWAP_ROUTER_02


@pytest.mark.parametrize("amount", [0, -1])
def test_a_swap_of_nothing_is_refused(amount: int) -> None:
    """To a pool less than nothing means an exact output."""
    with pytest.raises(ValueError, match="positive"):
        encode_operations(
            [SwapExactInput(KEY.address, True, amount, 0)], vault=VAULT, pools=POOLS, deadline=FAR
        )


async def test_a_swap_pays_what_was_quoted(market: Market) -> None:
    trader = market.trader.address
    for key, zero_for_one in ((KEY, True), (KEY, False), (mainnet.USDC_WETH_030, True)):
        bought = key.token(zero=not zero_for_one)
        amount = 10**9 if zero_for_one else 10**18
        quoted, _ = await market.quoted(
            key, amount, zero_for_one=zero_for_one, block=await market.chain.head()
        )
        before = await market.chain.balance(trader, bought)
        swap = contracts.exact_input_single(
            key, zero_for_one=zero_for_one, recipient=trader, amount_in=amount, amount_out_minimum=quoted
        )
        await market.act([swap])
        assert await market.chain.balance(trader, bought) - before == quoted


async def test_a_swap_below_its_minimum_reverts_in_words(market: Market) -> None:
    quoted, _ = await market.quoted(KEY, 10**9, zero_for_one=True, block=await market.chain.head())
    swap = contracts.exact_input_single(
        KEY,
        zero_for_one=True,
        recipient=market.trader.address,
        amount_in=10**9,
        amount_out_minimum=quoted + 1,
    )
    with pytest.raises(DefaiError, match=r"the swap gives less than the minimum \(Too little received\)"):
        await market.act([swap])


async def test_a_positions_whole_life(market: Market) -> None:
    trader = market.trader.address

    async def carry_out(*operations: Operation) -> list[object]:
        calls = encode_operations(operations, vault=trader, pools=POOLS, deadline=FAR)
        receipts = await market.act(calls)
        return [event for receipt in receipts for event in decode_receipt_logs(receipt.logs)]

    async def liquidity_of(token_id: int) -> int:
        data = encode_call("positions(uint256)", token_id)
        return unsigned(await market.view(mainnet.POSITION_MANAGER, data), 7)

    events = await carry_out(MintPosition(KEY.address, 199_000, 200_600, 10**10, 10**19, 1, 1))
    (nft,) = [event for event in events if isinstance(event, NftTransferred)]
    (minted,) = [event for event in events if isinstance(event, PositionIncreased)]
    assert (nft.contract, nft.sender, nft.recipient) == (mainnet.POSITION_MANAGER, NOBODY, trader)
    assert nft.token_id == minted.token_id
    assert minted.liquidity == await liquidity_of(nft.token_id) > 0
    paid = {event.token: event.amount_raw for event in events if isinstance(event, TokenTransferred)}
    assert paid == {KEY.token0.address: minted.amount0, KEY.token1.address: minted.amount1}

    (added, *_) = [
        event
        for event in await carry_out(AddLiquidity(nft.token_id, 10**9, 10**18, 0, 0))
        if isinstance(event, PositionIncreased)
    ]
    assert await liquidity_of(nft.token_id) == minted.liquidity + added.liquidity

    await market.swap(KEY, 10**11, zero_for_one=True)
    total = minted.liquidity + added.liquidity
    events = await carry_out(
        RemoveLiquidity(nft.token_id, total, 0, 0), CollectOwed(nft.token_id), BurnPosition(nft.token_id)
    )
    (removed,) = [event for event in events if isinstance(event, PositionDecreased)]
    (collected,) = [event for event in events if isinstance(event, PositionCollected)]
    burned = [event for event in events if isinstance(event, NftTransferred)]
    assert removed.liquidity == total
    assert collected.recipient == trader
    assert collected.amount0 > removed.amount0  # the fee was paid in token0
    assert collected.amount1 == removed.amount1
    assert [(event.sender, event.recipient) for event in burned] == [(trader, NOBODY)]

    seen = await BlockReader(market.chain.rpc, [KEY]).read(await market.chain.head())
    manager, span = mainnet.POSITION_MANAGER, (199_000, 200_600)
    burn, paid_out = seen.block.events
    assert isinstance(burn, LiquidityBurned)
    assert isinstance(paid_out, LiquidityCollected)
    assert (burn.owner, burn.tick_lower, burn.tick_upper, burn.liquidity) == (manager, *span, total)
    assert (burn.amount0, burn.amount1) == (removed.amount0, removed.amount1)
    assert (paid_out.owner, paid_out.recipient) == (manager, trader)
    assert (paid_out.tick_lower, paid_out.tick_upper) == span
    assert (paid_out.amount0, paid_out.amount1) == (collected.amount0, collected.amount1)


async def test_nobody_else_is_ever_paid(market: Market) -> None:
    """A third account named as the vault gets the proceeds, and the position."""
    swap = contracts.exact_input_single(
        KEY, zero_for_one=True, recipient=VAULT, amount_in=10**9, amount_out_minimum=0
    )
    opening = MintPosition(KEY.address, 199_000, 200_600, 10**9, 10**18, 0, 0)
    receipts = await market.act([swap, *encode_operations([opening], vault=VAULT, pools=POOLS, deadline=FAR)])
    assert await market.chain.balance(VAULT, mainnet.WETH) > 0
    (nft,) = [event for event in decode_receipt_logs(receipts[1].logs) if isinstance(event, NftTransferred)]
    assert nft.recipient == VAULT
    owner = await market.view(mainnet.POSITION_MANAGER, encode_call("ownerOf(uint256)", nft.token_id))
    assert decode_values(("address",), owner) == (VAULT,)


async def test_a_deadline_that_has_passed(market: Market) -> None:
    operation = MintPosition(KEY.address, 199_000, 200_600, 10**9, 10**18, 0, 0)
    calls = encode_operations([operation], vault=market.trader.address, pools=POOLS, deadline=1)
    with pytest.raises(DefaiError, match=r"the deadline has passed \(Transaction too old\)"):
        await market.act(calls)
