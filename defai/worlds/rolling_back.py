"""A pool's state at the beginning, from its state at the end and the logs between: for nodes that keep no old state.

Liquidity by tick: what is there at the end, less what was minted, plus what was burnt. Price, tick and liquidity in
range: those of the last swap before the beginning, with the mints and burns since. Fee growth: a replay from zero says
how much it grew; the rest was there before. Fee growth outside a tick is turned over at each crossing and otherwise
kept, so at the end it is a * growth + s * outside + c in the unknown global growth and the unknown value at the
beginning; three replays, from (0, 0), (1, 0) and (0, 1), give c, a and s.

What a tick remembered that lost all its liquidity on the way cannot be known. It changes no amount: fees are
differences of growth, and whoever had a position there is gone.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from defai.amm import AmmRevert, Pool, PoolStateError, TickState
from defai.domain.chain_events import Block, FeeProtocolSet, LiquidityBurned, LiquidityMinted, PoolEvent
from defai.domain.pool import PoolKey
from defai.errors import DefaiError
from defai.worlds.verification import Replay

_X256: Final = (1 << 256) - 1
_PROBE: Final = 1


class LastWord(NamedTuple):
    """What the last log before the beginning says of a pool, mints and burns since then counted in."""

    sqrt_price_x96: int
    tick: int
    liquidity: int


class RollBackError(DefaiError):
    """The logs do not lead from any state at the beginning to the state at the end."""


def roll_back(key: PoolKey, closing: Pool, blocks: Iterable[Block], word: LastWord, timestamp: int) -> Pool:
    """The pool at the beginning.

    Args:
        key: the pool.
        closing: its state after the last block.
        blocks: all blocks from the beginning on that have events of it.
        word: its price, tick and liquidity in range at the beginning.
        timestamp: of the block that the state at the beginning belongs to.

    Raises:
        RollBackError: where a replay from it does not come out to the last unit.
    """
    blocks = [_only(key, block) for block in blocks]
    events = [event for block in blocks for event in block.events]
    liquidity = _liquidity_by_tick(key, closing, events)
    fee_protocol = _fee_protocol(closing, events)

    def opened(growth: tuple[int, int], outside: Mapping[int, tuple[int, int]], otherwise: int = 0) -> Pool:
        ticks = {}
        for tick, (gross, net) in liquidity.items():
            outside0, outside1 = outside.get(tick, (otherwise, otherwise))
            ticks[tick] = TickState(gross, net, outside0, outside1)
        try:
            return Pool.from_state(
                fee_pips=key.fee_pips,
                tick_spacing=key.tick_spacing,
                sqrt_price_x96=word.sqrt_price_x96,
                tick=word.tick,
                liquidity=word.liquidity,
                fee_growth_global0_x128=growth[0],
                fee_growth_global1_x128=growth[1],
                ticks=ticks,
                fee_protocol=fee_protocol,
                timestamp=timestamp,
            )
        except (AmmRevert, PoolStateError) as error:
            raise RollBackError(f"{key.name} cannot be rolled back: {error.sentence}") from error

    plain = _played(key, opened((0, 0), {}), blocks)
    grown = _played(key, opened((_PROBE, _PROBE), {}), blocks)
    turned = _played(key, opened((0, 0), {}, _PROBE), blocks)
    growth = (
        (closing.fee_growth_global0_x128 - plain.fee_growth_global0_x128) & _X256,
        (closing.fee_growth_global1_x128 - plain.fee_growth_global1_x128) & _X256,
    )
    outside = {tick: _outside(tick, closing, (plain, grown, turned), growth) for tick in liquidity}
    return opened(growth, outside)


def _only(key: PoolKey, block: Block) -> Block:
    events = tuple(event for event in block.events if event.pool == key.address)
    return Block(block.number, block.hash, block.parent_hash, block.timestamp, block.base_fee_wei, events)


def _liquidity_by_tick(
    key: PoolKey, closing: Pool, events: Iterable[PoolEvent]
) -> dict[int, tuple[int, int]]:
    """Gross and net liquidity of the ticks that were initialised at the beginning."""
    found = {tick: (state.liquidity_gross, state.liquidity_net) for tick, state in closing.ticks.items()}
    for tick, gross, net in _changes(events):
        before = found.get(tick, (0, 0))
        found[tick] = (before[0] - gross, before[1] - net)
    if any(gross < 0 or (not gross and net) for gross, net in found.values()):
        raise RollBackError(f"More liquidity of {key.name} was minted than is there at the end.")
    return {tick: amounts for tick, amounts in found.items() if amounts[0]}


def _changes(events: Iterable[PoolEvent]) -> Iterator[tuple[int, int, int]]:
    for event in events:
        if isinstance(event, LiquidityMinted | LiquidityBurned):
            change = event.liquidity if isinstance(event, LiquidityMinted) else -event.liquidity
            yield event.tick_lower, change, change
            yield event.tick_upper, change, -change


def _fee_protocol(closing: Pool, events: Iterable[PoolEvent]) -> int:
    first = next((event for event in events if isinstance(event, FeeProtocolSet)), None)
    if first is None:
        return closing.fee_protocol
    return first.fee_protocol0_before + (first.fee_protocol1_before << 4)


def _played(key: PoolKey, pool: Pool, blocks: Iterable[Block]) -> Pool:
    replay = Replay({key.address: pool})
    for block in blocks:
        replay.fold(block)
    if replay.complaint:
        raise RollBackError(f"{key.name} cannot be rolled back exactly. {replay.complaint}")
    return replay.pools[key.address]


def _outside(
    tick: int, closing: Pool, played: tuple[Pool, Pool, Pool], growth: tuple[int, int]
) -> tuple[int, int]:
    plain, grown, turned = (pool.ticks.get(tick) for pool in played)
    end = closing.ticks.get(tick)
    if not plain or not grown or not turned or not end:
        return 0, 0
    return (
        _unturned(
            end.fee_growth_outside0_x128,
            plain.fee_growth_outside0_x128,
            grown.fee_growth_outside0_x128,
            turned.fee_growth_outside0_x128,
            growth[0],
        ),
        _unturned(
            end.fee_growth_outside1_x128,
            plain.fee_growth_outside1_x128,
            grown.fee_growth_outside1_x128,
            turned.fee_growth_outside1_x128,
            growth[1],
        ),
    )


def _unturned(end: int, plain: int, grown: int, turned: int, growth: int) -> int:
    """The value at the beginning; 0 where the tick was emptied on the way and has forgotten it."""
    sign, share = _small(turned - plain), _small(grown - plain)
    return sign * (end - plain - share * growth) & _X256


def _small(difference: int) -> int:
    """A wrapped difference that is -1, 0 or 1."""
    wrapped = difference & _X256
    return wrapped - (1 << 256) if wrapped > 1 else wrapped
