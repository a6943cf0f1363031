"""The pool's edges: what it refuses, what it forces, what its oracle remembers."""

from collections.abc import Callable
from itertools import pairwise

import pytest

import defai.amm
from defai.amm import (
    MAX_SQRT_RATIO,
    MAX_TICK,
    MIN_SQRT_RATIO,
    MIN_TICK,
    AmmRevert,
    Pool,
    PoolStateError,
    TickState,
    get_sqrt_ratio_at_tick,
    max_liquidity_per_tick,
    max_usable_tick,
    min_usable_tick,
)

ONE_X96 = 1 << 96
ALL = (1 << 128) - 1


@pytest.fixture
def pool() -> Pool:
    """Price one, and alice's liquidity of 10**18 within 600 ticks."""
    pool = Pool(fee_pips=3000, tick_spacing=60)
    pool.initialize(ONE_X96, timestamp=1000)
    pool.mint("alice", -600, 600, 10**18)
    return pool


def fresh() -> Pool:
    return Pool(fee_pips=3000, tick_spacing=60)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda pool: pool.initialize(ONE_X96), "AI"),
        (lambda pool: pool.swap(zero_for_one=True, amount_specified=0), "AS"),
        (lambda pool: pool.swap(zero_for_one=True, amount_specified=1 << 255), ""),
        (lambda pool: pool.swap(zero_for_one=True, amount_specified=1, sqrt_price_limit_x96=ONE_X96), "SPL"),
        (lambda pool: pool.swap(zero_for_one=False, amount_specified=1, sqrt_price_limit_x96=ONE_X96), "SPL"),
        (
            lambda pool: pool.swap(
                zero_for_one=True, amount_specified=1, sqrt_price_limit_x96=MIN_SQRT_RATIO
            ),
            "SPL",
        ),
        (lambda pool: pool.mint("alice", 60, 60, 1), "TLU"),
        (lambda pool: pool.mint("alice", MIN_TICK - 1, 60, 1), "TLM"),
        (lambda pool: pool.mint("alice", -60, MAX_TICK + 1, 1), "TUM"),
        (lambda pool: pool.mint("alice", -60, 61, 1), ""),
        (lambda pool: pool.mint("alice", -60, 60, 0), ""),
        (lambda pool: pool.mint("alice", -60, 60, max_liquidity_per_tick(60) + 1), "LO"),
        (lambda pool: pool.burn("alice", -600, 600, 10**18 + 1), "LS"),
        (lambda pool: pool.burn("alice", -600, 600, -1), ""),
        (lambda pool: pool.burn("bob", -600, 600, 0), "NP"),
        (lambda pool: pool.collect("alice", -600, 600, -1, 0), ""),
        (lambda pool: pool.set_fee_protocol(3, 0), ""),
        (lambda pool: pool.flash(1, 0, paid0=0), "F0"),
        (lambda pool: pool.flash(0, 1, paid1=0), "F1"),
        (lambda pool: pool.flash(-1, 0), ""),
        (lambda pool: pool.mean_tick(0), "BP"),
        (lambda pool: pool.observe([1]), "OLD"),
        (lambda pool: pool.observe([-1]), ""),
        (lambda pool: pool.increase_observation_cardinality_next(1 << 16), ""),
        (lambda pool: pool.snapshot_cumulatives_inside(-60, 60), ""),
        (lambda pool: pool.update_liquidity(-660, 600, -1), "LS"),
        (lambda pool: pool.replay_liquidity(tick_lower=60, tick_upper=60, liquidity_delta=1), "TLU"),
        (
            lambda pool: pool.replay_swap(amount0=1, amount1=-1, sqrt_price_x96=1, liquidity=1, tick=0),
            "R",
        ),
    ],
)
def test_a_refusal_has_the_contracts_name_and_changes_nothing(
    pool: Pool, call: Callable[[Pool], object], reason: str
) -> None:
    before = pool.snapshot()
    with pytest.raises(AmmRevert) as revert:
        call(pool)

    assert revert.value.reason == reason
    assert str(revert.value)
    assert pool.snapshot() == before


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda pool: pool.swap(zero_for_one=True, amount_specified=1), "LOK"),
        (lambda pool: pool.quote(zero_for_one=True, amount_specified=1), "LOK"),
        (lambda pool: pool.mint("alice", -60, 60, 1), "LOK"),
        (lambda pool: pool.burn("alice", -60, 60, 1), "LOK"),
        (lambda pool: pool.collect("alice", -60, 60, 1, 1), "LOK"),
        (lambda pool: pool.flash(1, 1), "LOK"),
        (lambda pool: pool.set_fee_protocol(4, 4), "LOK"),
        (lambda pool: pool.collect_protocol(1, 1), "LOK"),
        (lambda pool: pool.increase_observation_cardinality_next(2), "LOK"),
        (lambda pool: pool.oracle.grow(2), "I"),
        (lambda pool: pool.observe([0]), "I"),
        (lambda pool: pool.initialize(MAX_SQRT_RATIO), "R"),
    ],
)
def test_before_initialize_nothing_works(call: Callable[[Pool], object], reason: str) -> None:
    with pytest.raises(AmmRevert) as revert:
        call(fresh())

    assert revert.value.reason == reason


def test_a_pool_no_factory_would_deploy_is_refused() -> None:
    with pytest.raises(PoolStateError, match="fee"):
        Pool(fee_pips=1_000_000, tick_spacing=60)
    with pytest.raises(PoolStateError, match="spacing"):
        Pool(fee_pips=3000, tick_spacing=0)


def test_time_does_not_run_backwards(pool: Pool) -> None:
    with pytest.raises(PoolStateError, match="from 1000 to 999"):
        pool.swap(zero_for_one=True, amount_specified=1, timestamp=999)


def from_state(**changes: object) -> Pool:
    state: dict[str, object] = {
        "fee_pips": 500,
        "tick_spacing": 10,
        "sqrt_price_x96": ONE_X96,
        "tick": 0,
        "liquidity": 10**18,
        "fee_growth_global0_x128": 5,
        "fee_growth_global1_x128": 6,
        "ticks": {-100: TickState(10**18, 10**18), 100: TickState(10**18, -(10**18)), 200: TickState()},
    }
    return Pool.from_state(**(state | changes))  # type: ignore[arg-type]  # the changes are wrong on purpose


def test_a_pool_can_be_taken_up_where_a_chain_has_it() -> None:
    pool = from_state(fee_protocol=0x64, timestamp=77)

    assert sorted(pool.ticks) == [-100, 100]
    assert (pool.fee_growth_global0_x128, pool.fee_growth_global1_x128) == (5, 6)
    assert pool.swap(zero_for_one=True, amount_specified=10**9, timestamp=80).fee_amount == 500_000
    assert (pool.protocol_fees0, pool.protocol_fees1) == (125_000, 0)
    assert pool.oracle.observations[0].timestamp == 80


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tick": 5}, "Tick 5 is not that of"),
        ({"ticks": {5: TickState(1, 1)}}, "Tick 5 is no multiple"),
    ],
)
def test_a_state_that_contradicts_itself_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(PoolStateError, match=message):
        from_state(**changes)


def test_a_price_right_at_a_crossed_tick_belongs_to_the_tick_below() -> None:
    assert from_state(tick=-1).tick == -1


def test_fees_go_to_the_liquidity_in_range_and_are_collected(pool: Pool) -> None:
    pool.mint("bob", 1200, 1800, 10**18)
    result = pool.swap(zero_for_one=True, amount_specified=10**15)
    before = pool.fee_growth_inside(-600, 600)
    pool.burn("alice", -600, 600, 0)
    pool.burn("bob", 1200, 1800, 0)

    assert result.fee_amount == 3 * 10**12
    assert before[0] > 0
    assert pool.collect("alice", -600, 600, ALL, ALL) == (3 * 10**12 - 1, 0)
    assert pool.collect("bob", 1200, 1800, ALL, ALL) == (0, 0)
    assert pool.collect("nobody", -600, 600, ALL, ALL) == (0, 0)
    assert pool.fee_growth_inside(1200, 1800)[1] == 0


def test_the_protocol_is_paid_all_but_one_unit(pool: Pool) -> None:
    pool.set_fee_protocol(4, 5)
    pool.swap(zero_for_one=True, amount_specified=10**15)
    assert pool.flash(0, 10**6) == (0, 3000)

    assert (pool.protocol_fees0, pool.protocol_fees1) == (3 * 10**12 // 4, 600)
    assert pool.collect_protocol(ALL, 100) == (3 * 10**12 // 4 - 1, 100)
    assert pool.collect_protocol(ALL, ALL) == (0, 499)


def test_a_flash_loan_needs_liquidity(pool: Pool) -> None:
    pool.burn("alice", -600, 600, 10**18)

    with pytest.raises(AmmRevert) as revert:
        pool.flash(1, 1)
    assert revert.value.reason == "L"


def test_a_gift_goes_to_the_liquidity(pool: Pool) -> None:
    assert pool.flash(0, 0, paid0=10**18) == (10**18, 0)
    assert pool.fee_growth_global0_x128 == 1 << 128


def test_a_swap_through_emptiness_ends_where_the_contract_ends(pool: Pool) -> None:
    result = pool.swap(zero_for_one=True, amount_specified=10**30)
    assert (result.sqrt_price_x96, result.tick, result.liquidity) == (MIN_SQRT_RATIO + 1, MIN_TICK, 0)
    assert result.ticks_crossed == 1
    result = pool.swap(zero_for_one=False, amount_specified=10**30)
    assert (result.sqrt_price_x96, result.tick) == (MAX_SQRT_RATIO - 1, MAX_TICK - 1)
    assert result.ticks_crossed == 2


def test_a_limit_right_at_a_words_end_leaves_the_tick_below_it() -> None:
    pool = fresh()
    pool.initialize(ONE_X96 + 1)
    end_of_word = -256 * 60
    result = pool.swap(
        zero_for_one=True, amount_specified=1, sqrt_price_limit_x96=get_sqrt_ratio_at_tick(end_of_word)
    )

    assert result.tick == end_of_word - 1


def test_the_oracle_averages_over_time(pool: Pool) -> None:
    pool.increase_observation_cardinality_next(3)
    for timestamp, amount in ((1010, 10**16), (1030, 10**16), (1060, 10**16), (1100, 10**16)):
        pool.swap(zero_for_one=True, amount_specified=amount, timestamp=timestamp)
    ticks = [-199, -394, -589, -783]
    then, middle, now = (cumulative for cumulative, _ in pool.observe([90, 45, 0], timestamp=1120))

    assert pool.oracle.cardinality == 3
    assert pool.tick <= ticks[-1] + 1
    assert now - then == sum(
        tick * seconds for tick, seconds in zip(_ticks_of(pool), (30, 40, 20), strict=True)
    )
    assert then > middle > now
    assert pool.mean_tick(20, timestamp=1120) == pool.tick
    assert pool.observe([1120 - 1060], timestamp=1120) == [pool.oracle.observations[0][1:3]]
    with pytest.raises(AmmRevert) as revert:
        pool.observe([91], timestamp=1120)
    assert revert.value.reason == "OLD"


def _ticks_of(pool: Pool) -> list[int]:
    """The ticks in force between the observations in the ring, and now."""
    ring = sorted(pool.oracle.observations)
    steps = [
        (later.tick_cumulative - earlier.tick_cumulative) // (later.timestamp - earlier.timestamp)
        for earlier, later in pairwise(ring)
    ]
    return [*steps, pool.tick]


def test_time_inside_a_range_is_counted_while_the_price_is_inside(pool: Pool) -> None:
    pool.mint("bob", 600, 1200, 10**18)
    start = pool.snapshot_cumulatives_inside(-600, 600)
    inside = pool.snapshot_cumulatives_inside(-600, 600, timestamp=1050)
    above = pool.snapshot_cumulatives_inside(600, 1200, timestamp=1050)
    pool.swap(
        zero_for_one=False,
        amount_specified=10**18,
        sqrt_price_limit_x96=get_sqrt_ratio_at_tick(700),
        timestamp=1060,
    )
    left = pool.snapshot_cumulatives_inside(-600, 600, timestamp=1100)
    entered = pool.snapshot_cumulatives_inside(600, 1200, timestamp=1100)

    assert inside[2] - start[2] == 50
    assert left[2] - start[2] == 60
    assert (entered[2] - above[2]) % (1 << 32) == 40
    assert (entered[0] - above[0]) == 40 * pool.tick


def test_an_event_that_cannot_be_reproduced_is_forced_with_the_fee_estimated(pool: Pool) -> None:
    pool.set_fee_protocol(4, 4)
    before = pool.fee_growth_inside(-600, 600)
    target = get_sqrt_ratio_at_tick(-700)

    assert not pool.replay_swap(
        amount0=10**16, amount1=-(10**15), sqrt_price_x96=target, liquidity=5 * 10**17, tick=-700
    )
    assert (pool.sqrt_price_x96, pool.tick, pool.liquidity) == (target, -700, 5 * 10**17)
    assert pool.protocol_fees0 == 3 * 10**13 // 4
    inside = pool.fee_growth_inside(-600, 600)
    assert inside[0] - before[0] == (3 * 10**13 - 3 * 10**13 // 4 << 128) // (5 * 10**17)


def test_an_event_without_amounts_is_read_from_the_price(pool: Pool) -> None:
    empty = fresh()
    empty.initialize(ONE_X96)
    up, down = get_sqrt_ratio_at_tick(500), get_sqrt_ratio_at_tick(-500)

    assert empty.replay_swap(amount0=0, amount1=0, sqrt_price_x96=up, liquidity=0, tick=500)
    assert empty.replay_swap(amount0=0, amount1=0, sqrt_price_x96=down, liquidity=0, tick=-500)
    assert not pool.replay_swap(amount0=-1, amount1=5, sqrt_price_x96=up, liquidity=0, tick=500)
    assert pool.fee_growth_global1_x128 == 0


def test_a_wrong_guess_at_an_event_does_not_stop_the_replay() -> None:
    """Ticks known in part can make a walk end in negative liquidity; the event still counts."""
    pool = from_state(liquidity=1, ticks={-10: TickState(10**18, 10**18)})

    assert not pool.replay_swap(
        amount0=10**18, amount1=-1, sqrt_price_x96=get_sqrt_ratio_at_tick(-50), liquidity=7, tick=-50
    )
    assert pool.liquidity == 7


def test_burns_of_unknown_liquidity_take_what_is_known() -> None:
    pool = from_state(
        liquidity=100,
        ticks={
            -100: TickState(10**18, 10**18),
            -50: TickState(30, 30),
            50: TickState(300, -300),
        },
    )

    assert not pool.replay_liquidity(tick_lower=-50, tick_upper=50, liquidity_delta=-60, timestamp=9)
    assert pool.liquidity == 40
    assert sorted(pool.ticks) == [-100, 50]
    assert pool.ticks[50] == TickState(240, -240)
    assert pool.tick_map.next_initialized_tick_within_one_word(-10, lte=True) == (-100, True)
    assert not pool.replay_liquidity(tick_lower=500, tick_upper=600, liquidity_delta=-1)
    assert pool.liquidity == 40
    assert pool.timestamp == 9


def test_the_usable_ticks_are_the_outermost_multiples() -> None:
    assert (min_usable_tick(60), max_usable_tick(60)) == (-887220, 887220)
    assert max_liquidity_per_tick(60) == 11505743598341114571880798222544994
    assert max_liquidity_per_tick(10) == 1917569901783203986719870431555990
    assert max_liquidity_per_tick(200) == 38350317471085141830651933667504588


def test_the_ends_of_the_ticks_are_the_ends_of_the_prices() -> None:
    assert get_sqrt_ratio_at_tick(MIN_TICK) == MIN_SQRT_RATIO
    assert get_sqrt_ratio_at_tick(MAX_TICK) == MAX_SQRT_RATIO
    with pytest.raises(AmmRevert) as revert:
        get_sqrt_ratio_at_tick(MAX_TICK + 1)
    assert revert.value.reason == "T"


def test_the_example_in_the_packages_docstring_runs() -> None:
    lines = (defai.amm.__doc__ or "").splitlines()
    example = "\n".join(line[4:] for line in lines if line.startswith("    "))
    names: dict[str, object] = {}
    exec(example, names)  # noqa: S102  our own docstring

    assert names["fees0"] == 3 * 10**12 - 1
