"""A market's history of thousands of events, made quickly: many swaps to a transaction, some of them to a block."""

import random

from defai.chain import mainnet
from defai.chain.codec import encode_call
from defai.chain.contracts import encode_operations, exact_input_single
from defai.chain.decode import PositionIncreased, decode_receipt_logs
from defai.domain.operations import BurnPosition, Call, CollectOwed, MintPosition, RemoveLiquidity
from defai.domain.pool import PoolKey
from tests.chain.scenes import Market

SWAPS_A_CALL = 50


async def live_through(market: Market, key: PoolKey, *, blocks: int, seed: int) -> None:
    """Blocks of 100 swaps each, one in five left empty; positions come and go, and the protocol takes its share."""
    rng = random.Random(seed)  # noqa: S311  a market, not a secret
    held: list[tuple[int, int]] = []
    for number in range(blocks):
        if number % 5 == 4:
            await market.chain.mine()
            continue
        if number == blocks // 2:
            await set_fee_protocol(market, key, 4, 6)
        await market.act([swaps(market, key, rng) for _ in range(2)], gas=14_000_000)
        if number % 3 == 0:
            held.append(await mint(market, key, rng))
        elif held:
            await leave(market, key, *held.pop(0), whole=number % 2 == 0)


def swaps(market: Market, key: PoolKey, rng: random.Random) -> Call:
    """One call that makes many swaps, most of them across ticks."""
    made = []
    for _ in range(SWAPS_A_CALL):
        zero = rng.random() < 0.5
        amount = rng.randrange(10**6, 2 * 10**11) if zero else rng.randrange(10**14, 10**20)
        made.append(
            exact_input_single(
                key,
                zero_for_one=zero,
                recipient=market.trader.address,
                amount_in=amount,
                amount_out_minimum=0,
            ).data
        )
    return Call(mainnet.SWAP_ROUTER_02, encode_call("multicall(bytes[])", made))


async def mint(market: Market, key: PoolKey, rng: random.Random) -> tuple[int, int]:
    """A position around the price, with a liquidity that matters; its id and liquidity."""
    slot0 = await market.view(key.address, encode_call("slot0()"))
    tick = int.from_bytes(slot0[32:64], "big", signed=True) // key.tick_spacing * key.tick_spacing
    width = rng.randrange(1, 6) * key.tick_spacing
    operation = MintPosition(key.address, tick - width, tick + width, 10**11, 5 * 10**19, 0, 0)
    (receipt,) = await market.act(await encoded(market, key, operation))
    (grown,) = [e for e in decode_receipt_logs(receipt.logs) if isinstance(e, PositionIncreased)]
    return grown.token_id, grown.liquidity


async def leave(market: Market, key: PoolKey, token_id: int, liquidity: int, *, whole: bool) -> None:
    """Take a position's liquidity out, all of it or half, and collect."""
    taken = liquidity if whole else liquidity // 2
    operations = [RemoveLiquidity(token_id, taken, 0, 0), CollectOwed(token_id)]
    await market.act(await encoded(market, key, *operations, *([BurnPosition(token_id)] if whole else [])))


async def encoded(market: Market, key: PoolKey, *operations: object) -> list[Call]:
    header = await market.chain.rpc.call("eth_getBlockByNumber", "latest", False)
    return list(
        encode_operations(
            operations,  # type: ignore[arg-type]  # any of them
            vault=market.trader.address,
            pools={key.address: key},
            deadline=int(header["timestamp"], 16) + 3_600,
        )
    )


async def set_fee_protocol(market: Market, key: PoolKey, share0: int, share1: int) -> None:
    """Let the factory's owner take a share of the fees."""
    rpc = market.chain.rpc
    owner = "0x" + (await market.view(mainnet.V3_FACTORY, encode_call("owner()")))[12:].hex()
    await rpc.call("anvil_impersonateAccount", owner)
    await rpc.call("anvil_setBalance", owner, hex(10**20))
    data = "0x" + encode_call("setFeeProtocol(uint8,uint8)", share0, share1).hex()
    await rpc.call(
        "eth_sendTransaction", {"from": owner, "to": key.address, "data": data, "gas": hex(200_000)}
    )
    await market.chain.mine()
    await rpc.call("anvil_stopImpersonatingAccount", owner)
