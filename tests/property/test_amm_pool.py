"""A pool over any life: what must hold whatever is done to it."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from defai.amm import MAX_TICK, MIN_TICK, AmmRevert, Pool, SwapResult, get_sqrt_ratio_at_tick

ALL = (1 << 128) - 1
OWNERS = ("alice", "bob")


class Swap(NamedTuple):
    """A swap, to a limit some ticks away if one is given."""

    zero_for_one: bool
    amount: int
    limit_ticks: int | None


class Liquidity(NamedTuple):
    """A change of a position's liquidity; its bounds in spacings from the start."""

    owner: str
    lower: int
    width: int
    delta: int


sizes = st.integers(1, 90).flatmap(lambda bits: st.integers(1, 1 << bits))
swaps = st.builds(
    Swap,
    zero_for_one=st.booleans(),
    amount=st.one_of(sizes, sizes.map(lambda size: -size)),
    limit_ticks=st.one_of(st.none(), st.integers(1, 5000)),
)
liquidity_changes = st.builds(
    Liquidity,
    owner=st.sampled_from(OWNERS),
    lower=st.integers(-40, 40),
    width=st.integers(1, 60),
    delta=st.one_of(sizes, sizes, sizes.map(lambda size: -size), st.just(0)),
)
lives = st.lists(st.one_of(swaps, swaps, liquidity_changes), max_size=15)
kinds = st.sampled_from([(100, 1), (500, 10), (3000, 60), (10_000, 200)])
shares = st.sampled_from([(0, 0), (4, 10), (7, 0)])


def new_pool(kind: tuple[int, int], share: tuple[int, int] = (0, 0)) -> Pool:
    pool = Pool(fee_pips=kind[0], tick_spacing=kind[1])
    pool.initialize(get_sqrt_ratio_at_tick(0) + 12345, timestamp=1000)
    pool.set_fee_protocol(*share)
    pool.mint("founder", -50 * kind[1], 50 * kind[1], 10**15)
    return pool


def limit_of(pool: Pool, swap: Swap) -> int | None:
    if swap.limit_ticks is None:
        return None
    tick = pool.tick + (-swap.limit_ticks if swap.zero_for_one else swap.limit_ticks)
    return get_sqrt_ratio_at_tick(min(max(tick, MIN_TICK), MAX_TICK))


def do(pool: Pool, operation: Swap | Liquidity) -> tuple[int, int]:
    """Do it; what the pool's balances change by, nothing where it is refused. Burnt tokens are collected at once."""
    try:
        if isinstance(operation, Swap):
            result = pool.swap(
                zero_for_one=operation.zero_for_one,
                amount_specified=operation.amount,
                sqrt_price_limit_x96=limit_of(pool, operation),
                timestamp=pool.timestamp + 12,
            )
            return result.amount0, result.amount1
        lower = operation.lower * pool.tick_spacing
        upper = lower + operation.width * pool.tick_spacing
        if operation.delta > 0:
            return pool.mint(operation.owner, lower, upper, operation.delta)
        key = operation.owner, lower, upper
        held = pool.positions[key].liquidity if key in pool.positions else 0
        pool.burn(*key, min(-operation.delta, held))
        amount0, amount1 = pool.collect(*key, ALL, ALL)
    except AmmRevert:
        return 0, 0
    return -amount0, -amount1


def live(pool: Pool, operations: Sequence[Swap | Liquidity]) -> None:
    for operation in operations:
        do(pool, operation)


@given(kinds, shares, lives)
def test_the_pool_can_always_pay_everyone_out(
    kind: tuple[int, int], share: tuple[int, int], operations: list[Swap | Liquidity]
) -> None:
    pool = new_pool(kind, share)
    twin = Pool(fee_pips=kind[0], tick_spacing=kind[1])
    twin.initialize(pool.sqrt_price_x96)
    held0, held1 = twin.mint("founder", -50 * kind[1], 50 * kind[1], 10**15)
    for operation in operations:
        amount0, amount1 = do(pool, operation)
        held0, held1 = held0 + amount0, held1 + amount1
    for key, position in list(pool.positions.items()):
        if position.liquidity:
            pool.burn(*key, position.liquidity)
        amount0, amount1 = pool.collect(*key, ALL, ALL)
        held0, held1 = held0 - amount0, held1 - amount1
    held0, held1 = held0 - pool.protocol_fees0, held1 - pool.protocol_fees1

    assert held0 >= 0
    assert held1 >= 0
    assert pool.liquidity == 0
    assert pool.ticks == {}
    assert pool.tick_map.words == {}


@given(kinds, lives)
def test_the_ticks_add_up_to_the_positions(kind: tuple[int, int], operations: list[Swap | Liquidity]) -> None:
    pool = new_pool(kind)
    live(pool, operations)
    gross: Counter[int] = Counter()
    net: Counter[int] = Counter()
    for (_, lower, upper), position in pool.positions.items():
        for tick, sign in ((lower, 1), (upper, -1)):
            gross[tick] += position.liquidity
            net[tick] += sign * position.liquidity

    assert {tick: state.liquidity_gross for tick, state in pool.ticks.items()} == +gross
    assert all(state.liquidity_net == net[tick] for tick, state in pool.ticks.items())
    assert pool.liquidity == sum(
        state.liquidity_net for tick, state in pool.ticks.items() if tick <= pool.tick
    )
    assert get_sqrt_ratio_at_tick(pool.tick) <= pool.sqrt_price_x96 <= get_sqrt_ratio_at_tick(pool.tick + 1)


@given(kinds, shares, lives, lives)
def test_restoring_a_snapshot_is_identity(
    kind: tuple[int, int],
    share: tuple[int, int],
    before: list[Swap | Liquidity],
    after: list[Swap | Liquidity],
) -> None:
    pool = new_pool(kind, share)
    live(pool, before)
    snapshot, twin = pool.snapshot(), pool.copy()
    live(pool, after)
    end = pool.snapshot()
    pool.restore(snapshot)

    assert pool.snapshot() == snapshot == twin.snapshot()
    live(twin, after)
    assert twin.snapshot() == end
    assert pool.snapshot() == snapshot
    live(pool, after)
    assert pool.snapshot() == end


@given(kinds, shares, lives, swaps)
def test_a_quote_is_the_swap_and_changes_nothing(
    kind: tuple[int, int], share: tuple[int, int], operations: list[Swap | Liquidity], swap: Swap
) -> None:
    pool = new_pool(kind, share)
    live(pool, operations)
    before, limit = pool.snapshot(), limit_of(pool, swap)
    quoted: SwapResult | str
    try:
        quoted = pool.quote(
            zero_for_one=swap.zero_for_one, amount_specified=swap.amount, sqrt_price_limit_x96=limit
        )
    except AmmRevert as revert:
        quoted = revert.reason
    assert pool.snapshot() == before
    swapped: SwapResult | str
    try:
        swapped = pool.swap(
            zero_for_one=swap.zero_for_one, amount_specified=swap.amount, sqrt_price_limit_x96=limit
        )
    except AmmRevert as revert:
        swapped = revert.reason
        assert pool.snapshot() == before
    assert quoted == swapped


@given(kinds, shares, lives, swaps)
def test_what_happened_can_be_told_from_the_event(
    kind: tuple[int, int], share: tuple[int, int], operations: list[Swap | Liquidity], swap: Swap
) -> None:
    pool = new_pool(kind, share)
    live(pool, operations)
    follower = pool.copy()
    try:
        result = pool.swap(
            zero_for_one=swap.zero_for_one,
            amount_specified=swap.amount,
            sqrt_price_limit_x96=limit_of(pool, swap),
        )
    except AmmRevert:
        return
    assert follower.replay_swap(
        amount0=result.amount0,
        amount1=result.amount1,
        sqrt_price_x96=result.sqrt_price_x96,
        liquidity=result.liquidity,
        tick=result.tick,
    )
    if result.amount0 or result.amount1:
        assert follower.snapshot() == pool.snapshot()


@given(kinds, lives, st.booleans(), sizes)
def test_there_and_back_never_pays(
    kind: tuple[int, int], operations: list[Swap | Liquidity], zero_for_one: bool, amount: int
) -> None:
    pool = new_pool(kind)
    live(pool, operations)
    try:
        there = pool.swap(zero_for_one=zero_for_one, amount_specified=amount)
    except AmmRevert:
        return  # the price stands at its very end already
    got = -(there.amount1 if zero_for_one else there.amount0)
    if not got:
        return
    back = pool.swap(zero_for_one=not zero_for_one, amount_specified=got)
    paid, returned = (there.amount0, -back.amount0) if zero_for_one else (there.amount1, -back.amount1)

    assert returned <= paid


@given(kinds, lives, liquidity_changes.filter(lambda change: change.delta > 0))
def test_minting_and_burning_at_once_loses_at_most_a_unit_of_each(
    kind: tuple[int, int], operations: list[Swap | Liquidity], change: Liquidity
) -> None:
    pool = new_pool(kind)
    live(pool, operations)
    lower = change.lower * pool.tick_spacing
    key = "carol", lower, lower + change.width * pool.tick_spacing
    paid = pool.mint(*key, change.delta)
    owed = pool.burn(*key, change.delta)

    assert pool.collect(*key, ALL, ALL) == owed
    assert all(0 <= cost - gain <= 1 for cost, gain in zip(paid, owed, strict=True))


@settings(max_examples=50)
@given(kinds, lives, liquidity_changes.filter(lambda change: change.delta > 0))
def test_folding_an_event_equals_doing_it(
    kind: tuple[int, int], operations: list[Swap | Liquidity], change: Liquidity
) -> None:
    pool = new_pool(kind)
    live(pool, operations)
    follower = pool.copy()
    lower = change.lower * pool.tick_spacing
    upper = lower + change.width * pool.tick_spacing
    paid = pool.mint("carol", lower, upper, change.delta)

    assert follower.update_liquidity(lower, upper, change.delta) == paid
    assert follower.ticks == pool.ticks
    assert follower.liquidity == pool.liquidity
    pool.burn("carol", lower, upper, change.delta)
    assert follower.replay_liquidity(tick_lower=lower, tick_upper=upper, liquidity_delta=-change.delta)
    assert follower.ticks == pool.ticks
    assert follower.tick_map.words == pool.tick_map.words
