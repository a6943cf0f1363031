"""A pool's state before the first event of a history, as far as the events tell it.

Three things are learnt. Liquidity that is burnt and was not minted before stood there from the beginning. Price and
liquidity are those of the first swap, which is where the replay begins. And a swap that crosses a tick nobody has told
of changes the liquidity by what that tick holds: of the few ticks on its way, the one with which the swap comes out
to the last unit is it, and it was there from the beginning too.

What no swap has crossed alone, and nobody has burnt, stays unknown; it changes nothing until a price gets there that
history has not seen.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from defai.amm import AmmRevert, Pool, PoolStateError, TickState
from defai.amm.swap import commit_swap
from defai.backtest.sources.logged import Logged
from defai.domain.chain_events import LiquidityBurned, LiquidityMinted, PoolSwapped
from defai.domain.pool import PoolKey
from defai.errors import ConfigError, DefaiError
from defai.worlds.event_history import KINDS, SwapCall, apply_liquidity_event, call_behind

_MOST_CANDIDATES: Final = 64


class Reconstruction(NamedTuple):
    """An opening state and what follows it.

    Attributes:
        opening: the pool right after the first swap.
        rest: the events after that swap.
        calls: the call behind each swap of the rest.
        first: the swap that the opening comes after.
        ticks_learnt: ticks that crossings gave away.
    """

    opening: Pool
    rest: Sequence[Logged]
    calls: tuple[SwapCall, ...]
    first: Logged
    ticks_learnt: int


def reconstruct(key: PoolKey, events: Sequence[Logged]) -> Reconstruction:
    """Work out a pool's state at the beginning of some events.

    The events are followed again with what was learnt, until nothing is: a tick learnt late in the day may explain a
    swap earlier in it. Each time over learns at least one tick more, so it ends.

    Raises:
        ConfigError: where there is no swap among them: then nobody knows the price.
    """
    first = next((i for i, logged in enumerate(events) if isinstance(logged.event, PoolSwapped)), None)
    if first is None:
        raise ConfigError("There is no swap among the events, so nobody knows the price.")
    ranges, rest = _burnt_from_before(events), events[first + 1 :]
    learnt: dict[int, int] = {}
    while True:
        opening = _opening(key, events[: first + 1], ranges, learnt)
        found, calls = _learn(opening.copy(), rest)
        if not found:
            return Reconstruction(opening, rest, tuple(calls), events[first], len(learnt))
        for tick, net in found.items():
            learnt[tick] = learnt.get(tick, 0) + net


def follow_known(opening: Pool, events: Iterable[Logged]) -> tuple[SwapCall, ...]:
    """The call behind each swap of events that begin in a known state.

    Raises:
        ConfigError: naming file and line of an event that no such pool can have emitted.
    """
    return tuple(_learn(opening.copy(), events, learning=False)[1])


def _burnt_from_before(events: Iterable[Logged]) -> dict[tuple[int, int], int]:
    """Liquidity by range that must have stood there at the beginning, since more is burnt than was minted."""
    balance: dict[tuple[int, int], int] = {}
    lowest: dict[tuple[int, int], int] = {}
    for logged in events:
        event = logged.event
        if isinstance(event, LiquidityMinted | LiquidityBurned):
            ticks = (event.tick_lower, event.tick_upper)
            change = event.liquidity if isinstance(event, LiquidityMinted) else -event.liquidity
            balance[ticks] = balance.get(ticks, 0) + change
            lowest[ticks] = min(lowest.get(ticks, 0), balance[ticks])
    return {ticks: -low for ticks, low in lowest.items() if low < 0}


def _opening(
    key: PoolKey,
    begun: Sequence[Logged],
    ranges: dict[tuple[int, int], int],
    learnt: dict[int, int],
) -> Pool:
    """The pool right after the first swap, which is the last of `begun`."""
    swap = begun[-1].event
    if not isinstance(swap, PoolSwapped):
        raise TypeError(swap)
    states: dict[int, TickState] = {}
    changes = [(tick, net, abs(net)) for tick, net in learnt.items()]
    for (lower, upper), liquidity in ranges.items():
        changes += [(lower, liquidity, liquidity), (upper, -liquidity, liquidity)]
    for tick, net, gross in changes:
        state = states.get(tick, TickState())
        states[tick] = state._replace(
            liquidity_gross=state.liquidity_gross + gross, liquidity_net=state.liquidity_net + net
        )
    pool = Pool.from_state(
        fee_pips=key.fee_pips,
        tick_spacing=key.tick_spacing,
        sqrt_price_x96=swap.sqrt_price_x96,
        tick=swap.tick,
        liquidity=swap.liquidity,
        fee_growth_global0_x128=0,
        fee_growth_global1_x128=0,
        ticks=states,
        timestamp=begun[0].timestamp,
    )
    for logged in begun[:-1]:
        _fold(pool, logged)
    pool.liquidity = swap.liquidity  # the swap's own word counts what came before it
    pool.timestamp = begun[-1].timestamp
    return pool


def _learn(
    pool: Pool, events: Iterable[Logged], *, learning: bool = True
) -> tuple[dict[int, int], list[SwapCall]]:
    """Follow the events, and find the ticks that explain the swaps which the known ones don't.

    Returns:
        By tick, the net liquidity that was missing there; and the call behind each swap.
    """
    found: dict[int, int] = {}
    calls: list[SwapCall] = []
    for logged in events:
        event = logged.event
        if not isinstance(event, PoolSwapped):
            _fold(pool, logged)
            continue
        try:
            call = call_behind(pool, event)
        except AmmRevert as refusal:
            raise _impossible(logged, refusal) from refusal
        missing = _explanation(pool, event) if learning and not call.exact else None
        if missing is not None:
            tick, net = missing
            found[tick] = found.get(tick, 0) + net
            call = call_behind(pool, event)
        commit_swap(pool, call.walk, logged.timestamp)
        calls.append(call)
    return found, calls


def _fold(pool: Pool, logged: Logged) -> None:
    try:
        apply_liquidity_event(pool, logged.event, logged.timestamp)
    except (AmmRevert, PoolStateError) as refusal:
        raise _impossible(logged, refusal) from refusal


def _impossible(logged: Logged, refusal: DefaiError) -> ConfigError:
    file, line = logged.place
    return ConfigError(
        f"{file}, line {line}: no pool in this state can have emitted this {KINDS[type(logged.event)]}: "
        f"{refusal.sentence}"
    )


def _explanation(pool: Pool, event: PoolSwapped) -> tuple[int, int] | None:
    """The tick on a swap's way, and what is missing there, with which the swap comes out exactly.

    The pool keeps what was found; where nothing is, it is as it was.
    """
    low, high = sorted((pool.tick, event.tick))
    spacing, falls = pool.tick_spacing, event.tick < pool.tick
    known = sum(state.liquidity_net for tick, state in pool.tick_states.items() if low < tick <= high)
    change = event.liquidity - pool.liquidity
    missing = (-change if falls else change) - known
    candidates = range((low // spacing + 1) * spacing, high + 1, spacing)
    if not missing or len(candidates) > _MOST_CANDIDATES:
        return None
    for tick in candidates:
        before = pool.tick_states.get(tick)
        state = before or TickState()
        _put(
            pool,
            tick,
            state._replace(
                liquidity_gross=state.liquidity_gross + abs(missing),
                liquidity_net=state.liquidity_net + missing,
            ),
        )
        if call_behind(pool, event).exact:
            return tick, missing
        _put(pool, tick, before)
    return None


def _put(pool: Pool, tick: int, state: TickState | None) -> None:
    if (tick in pool.tick_states) != (state is not None):
        pool.tick_map.flip(tick)
    if state is None:
        del pool.tick_states[tick]
    else:
        pool.tick_states[tick] = state
