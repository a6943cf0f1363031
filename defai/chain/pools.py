"""Whole pools: is there one, which one is it, and all of its ticks."""

from collections.abc import Sequence
from typing import Final

from defai.amm import MAX_TICK, MIN_TICK, Pool, TickState
from defai.chain import mainnet
from defai.chain.codec import address_at, address_word, checksum, selector, signed, unsigned, word
from defai.chain.multicall import multicall
from defai.chain.reader import POOL_GETTERS, decode_pool
from defai.chain.rpc import Rpc
from defai.domain.operations import Call
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address, Token
from defai.errors import ConfigError, DivergenceError, NotFoundError

_TICKS: Final = "ticks(int24)"
_BITMAP: Final = "tickBitmap(int16)"
_GET_POOL: Final = "getPool(address,address,uint24)"


async def check_chain(rpc: Rpc, chain_id: int) -> None:
    """Make sure that the node is on the chain we mean.

    Raises:
        ConfigError: where it is on another one.
    """
    answer = int(await rpc.call("eth_chainId"), 16)
    if answer != chain_id:
        raise ConfigError(f"The node at {rpc.name} is on chain {answer}, not on chain {chain_id}.")


async def check_pools(rpc: Rpc, pools: Sequence[PoolKey], *, block: str = "latest") -> None:
    """Make sure that the factory knows each pool under its tokens and fee.

    Args:
        rpc: the node.
        pools: what is expected.
        block: a block's number in hex, or "latest".

    Raises:
        NotFoundError: where one is not there.
    """
    calls = [
        Call(
            mainnet.V3_FACTORY,
            selector(_GET_POOL)
            + address_word(key.token0.address)
            + address_word(key.token1.address)
            + word(key.fee_pips),
        )
        for key in pools
    ]
    answers = await multicall(rpc, calls, block)
    for key, answer in zip(pools, answers, strict=True):
        if not answer or address_at(answer) != key.address:
            raise NotFoundError(
                f"The Uniswap v3 factory at {rpc.name} has no pool {key.name} at {key.address}.",
                "Is it the right network, and the right block?",
            )


async def describe_pool(rpc: Rpc, address: Address, *, block: str = "latest") -> PoolKey:
    """Which pool stands at an address: its tokens, their symbols and decimals, its fee.

    Raises:
        NotFoundError: where no pool of the Uniswap v3 factory stands there.
    """
    pool = _checked(address)
    getters = ("token0()", "token1()", "fee()", "tickSpacing()", "factory()")
    answers = await multicall(rpc, [Call(pool, selector(getter)) for getter in getters], block)
    if not all(answer and len(answer) == 32 for answer in answers):
        raise NotFoundError(f"{pool} is not a Uniswap v3 pool.")
    token0, token1, fee, spacing, _ = [answer or b"" for answer in answers]
    tokens = [address_at(token0), address_at(token1)]
    facts = await multicall(
        rpc,
        [Call(token, selector(getter)) for token in tokens for getter in ("symbol()", "decimals()")],
        block,
    )
    key = PoolKey(
        pool,
        Token(tokens[0], _text(facts[0]) or tokens[0][:8], unsigned(facts[1] or b"")),
        Token(tokens[1], _text(facts[2]) or tokens[1][:8], unsigned(facts[3] or b"")),
        unsigned(fee),
        signed(spacing),
    )
    await check_pools(rpc, [key], block=block)
    return key


async def snapshot_pool(rpc: Rpc, key: PoolKey, number: int, *, words: int | None = None) -> Pool:
    """A pool as it stands after a block, with its ticks: from then on it is computed here, to the wei.

    Args:
        rpc: the node.
        key: the pool.
        number: the block's number.
        words: read only so many words of the tick bitmap (256 tick spacings each) to either side of the price; a swap
            that runs past them would be wrong. None reads all.

    Raises:
        NotFoundError: where no initialised pool stands there at that block.
        DivergenceError: where the ticks contradict the pool's liquidity.
    """
    block = hex(number)
    header, *_ = await rpc.batch([("eth_getBlockByNumber", (block, False))])
    if header is None:
        raise NotFoundError(f"The node at {rpc.name} has no block {number:,}.")
    getters = [Call(key.address, selector(getter)) for getter in POOL_GETTERS]
    answer = decode_pool(await multicall(rpc, getters, block))
    if answer is None or not answer[0].sqrt_price_x96:
        raise NotFoundError(f"No initialised pool {key.name} stands at {key.address} at block {number:,}.")
    reading, fee_protocol = answer
    initialised = await _initialised_ticks(rpc, key, block, reading.tick, words)
    ticks = await _tick_states(rpc, key, block, initialised)
    _check_liquidity(key, reading.tick, reading.liquidity, ticks, whole=words is None)
    return Pool.from_state(
        fee_pips=key.fee_pips,
        tick_spacing=key.tick_spacing,
        sqrt_price_x96=reading.sqrt_price_x96,
        tick=reading.tick,
        liquidity=reading.liquidity,
        fee_growth_global0_x128=reading.fee_growth_global0_x128,
        fee_growth_global1_x128=reading.fee_growth_global1_x128,
        ticks=ticks,
        fee_protocol=fee_protocol,
        timestamp=int(header["timestamp"], 16),
    )


async def _initialised_ticks(rpc: Rpc, key: PoolKey, block: str, tick: int, words: int | None) -> list[int]:
    first, last = (MIN_TICK // key.tick_spacing) >> 8, (MAX_TICK // key.tick_spacing) >> 8
    if words is not None:
        middle = (tick // key.tick_spacing) >> 8
        first, last = max(first, middle - words), min(last, middle + words)
    positions = range(first, last + 1)
    calls = [Call(key.address, selector(_BITMAP) + word(position)) for position in positions]
    ticks: list[int] = []
    for position, answer in zip(positions, await multicall(rpc, calls, block), strict=True):
        if answer is None:
            raise DivergenceError(
                f"The pool {key.name} does not answer for word {position} of its tick bitmap."
            )
        bits = unsigned(answer)
        while bits:
            lowest = bits & -bits
            ticks.append(((position << 8) + lowest.bit_length() - 1) * key.tick_spacing)
            bits ^= lowest
    return ticks


async def _tick_states(rpc: Rpc, key: PoolKey, block: str, ticks: Sequence[int]) -> dict[int, TickState]:
    answers = await multicall(
        rpc, [Call(key.address, selector(_TICKS) + word(tick)) for tick in ticks], block
    )
    states: dict[int, TickState] = {}
    for tick, answer in zip(ticks, answers, strict=True):
        if not answer or not unsigned(answer, 7):
            raise DivergenceError(f"Tick {tick} of {key.name} is in the pool's bitmap but not initialised.")
        states[tick] = TickState(
            liquidity_gross=unsigned(answer),
            liquidity_net=signed(answer, 1),
            fee_growth_outside0_x128=unsigned(answer, 2),
            fee_growth_outside1_x128=unsigned(answer, 3),
            tick_cumulative_outside=signed(answer, 4),
            seconds_per_liquidity_outside_x128=unsigned(answer, 5),
            seconds_outside=unsigned(answer, 6),
        )
    return states


def _check_liquidity(
    key: PoolKey, tick: int, liquidity: int, ticks: dict[int, TickState], *, whole: bool
) -> None:
    """The liquidity in range is the sum of what began at or below the tick (white paper of v3, section 6.3)."""
    below = sum(state.liquidity_net for at, state in ticks.items() if at <= tick)
    if whole and below != liquidity:
        raise DivergenceError(
            f"The ticks of {key.name} add up to a liquidity of {below}, the pool says {liquidity}."
        )


def _checked(address: str) -> Address:
    try:
        return checksum(address)
    except ValueError:
        raise ConfigError(f"{address!r} is not an address.", "An address is 0x and 40 hex digits.") from None


def _text(answer: bytes | None) -> str:
    """A symbol: a string, or, of old tokens, 32 bytes."""
    if not answer:
        return ""
    raw = answer if len(answer) == 32 else answer[64 : 64 + unsigned(answer, 1)]
    return raw.rstrip(b"\0").decode("utf-8", "replace")
