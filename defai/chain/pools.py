"""Whole pools: is there one, which one is it, and all of its ticks."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from defai.amm import MAX_TICK, MIN_TICK, Pool, TickState
from defai.chain import mainnet
from defai.chain.codec import address_at, address_word, checksum, selector, signed, unsigned, word
from defai.chain.lens import LensQuery, PoolAnswer, PoolQuery, read_lens
from defai.chain.multicall import CHUNKS_AT_ONCE, multicall
from defai.chain.pairs import find_pair, snapshot_pair
from defai.chain.rpc import Rpc, RpcError
from defai.domain.operations import Call
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address, Token
from defai.errors import ConfigError, DivergenceError, NotFoundError
from defai.market.state import PoolReport

_PAGE_WORDS: Final = 512
"""Words of a tick bitmap in one call: some 3 million gas where they are empty, 13,000 more for each tick."""
_GET_POOL: Final = "getPool(address,address,uint24)"


async def check_chain(rpc: Rpc, chain_id: int) -> None:
    """Make sure that the node is on the chain we mean.

    Raises:
        ConfigError: where it is on another one.
    """
    answer = await rpc.number("eth_chainId")
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
        find_pair(key)
        if key.is_pair
        else Call(
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
                f"The Uniswap v{key.version} factory at {rpc.name} has no pool {key.name} at {key.address}.",
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
    if key.is_pair:
        return await snapshot_pair(rpc, key, block, int(header["timestamp"], 16))
    answer = await _read_pool(rpc, key, block, words)
    if answer is None or not answer.report.sqrt_price_x96:
        raise NotFoundError(f"No initialised pool {key.name} stands at {key.address} at block {number:,}.")
    reading, ticks = answer.report, dict(answer.ticks)
    _check_ticks(key, reading, ticks, whole=words is None)
    return Pool.from_state(
        fee_pips=key.fee_pips,
        tick_spacing=key.tick_spacing,
        sqrt_price_x96=reading.sqrt_price_x96,
        tick=reading.tick,
        liquidity=reading.liquidity,
        fee_growth_global0_x128=reading.fee_growth_global0_x128,
        fee_growth_global1_x128=reading.fee_growth_global1_x128,
        ticks=ticks,
        fee_protocol=answer.fee_protocol,
        timestamp=int(header["timestamp"], 16),
    )


async def _read_pool(rpc: Rpc, key: PoolKey, block: str, words: int | None) -> PoolAnswer | None:
    """A pool with its ticks: those around the price in one call, all of them in as many as it takes."""
    if words is not None:
        query = PoolQuery(key.address, (-words, words), around_price=True)
        (answer,) = await read_lens(rpc, [LensQuery((query,))], block)
        return answer.pools[0]
    first, last = (MIN_TICK // key.tick_spacing) >> 8, (MAX_TICK // key.tick_spacing) >> 8
    pages = [(start, min(start + _PAGE_WORDS - 1, last)) for start in range(first, last + 1, _PAGE_WORDS)]
    whole: PoolAnswer | None = None
    for i in range(0, len(pages), CHUNKS_AT_ONCE):
        for part in await _read_pages(rpc, key, block, pages[i : i + CHUNKS_AT_ONCE]):
            if part is None:
                return None
            whole = part if whole is None else replace(whole, ticks={**whole.ticks, **part.ticks})
    return whole


async def _read_pages(
    rpc: Rpc, key: PoolKey, block: str, pages: Sequence[tuple[int, int]]
) -> list[PoolAnswer | None]:
    """The ticks in some words of the bitmap, page by page; a page with too many ticks for one call is halved."""
    queries = [LensQuery((PoolQuery(key.address, page),)) for page in pages]
    try:
        return [answer.pools[0] for answer in await read_lens(rpc, queries, block)]
    except RpcError:
        halves = [half for first, last in pages for half in _halves(first, last)]
        if len(halves) == len(pages):
            raise
    parts = [await _read_pages(rpc, key, block, [half]) for half in halves]
    return [answer for part in parts for answer in part]


def _halves(first: int, last: int) -> list[tuple[int, int]]:
    middle = (first + last) // 2
    return [(first, last)] if first == last else [(first, middle), (middle + 1, last)]


def _check_ticks(key: PoolKey, reading: PoolReport, ticks: dict[int, TickState], *, whole: bool) -> None:
    """The liquidity in range is the sum of what began at or below the tick (white paper of v3, section 6.3)."""
    for tick, state in ticks.items():
        if not state.liquidity_gross:
            raise DivergenceError(f"Tick {tick} of {key.name} is in the pool's bitmap but not initialised.")
    below = sum(state.liquidity_net for at, state in ticks.items() if at <= reading.tick)
    if whole and below != reading.liquidity:
        raise DivergenceError(
            f"The ticks of {key.name} add up to a liquidity of {below}, the pool says {reading.liquidity}."
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
