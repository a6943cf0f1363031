"""A market as a whole: its opening, its blocks, and that everybody keeps his own luck."""

from collections import Counter
from decimal import Decimal
from itertools import pairwise

import pytest

from defai.amm import Pool
from defai.domain.pool import PoolKey
from defai.errors import ConfigError
from defai.marketsim.actions import MarketAction, MarketBurn, MarketInitialize, MarketMint, MarketSwap
from defai.marketsim.arbitrageur import band_x96
from defai.marketsim.attackers import PendingSwap
from defai.marketsim.execution import perform
from defai.marketsim.generated_prices import generate
from defai.marketsim.market import Market, MarketShape
from defai.marketsim.prices import RecordedPath
from tests.unit.marketsim.scenes import HIGH, LOW, USDC, WETH, carry_out, lived, market, opened


def _of(actions: list[MarketAction], actor: str) -> list[MarketAction]:
    return [action for action in actions if action.actor == actor]


def test_opening_creates_and_seeds_every_pool_at_the_reference() -> None:
    people = market()
    actions = people.opening()
    assert [type(action) for action in actions] == 2 * [MarketInitialize, *4 * [MarketMint]]
    pools = opened(people)
    reference = people.reference(0)
    worth = 0
    for key in people.keys:
        assert pools[key.address].sqrt_price_x96 == reference.sqrt_price_x96(key)
    for action in actions:
        if isinstance(action, MarketMint):
            worth += reference.value_raw(LOW, action.amount0, action.amount1)
    assert worth == pytest.approx(10_000_000 * 10**6, rel=1e-6)
    assert pools[LOW.address].liquidity > 2 * pools[HIGH.address].liquidity > 0


def test_opening_moves_a_pool_that_stands_elsewhere() -> None:
    people = market()
    pool = Pool(fee_pips=500, tick_spacing=10)
    target = people.reference(0).sqrt_price_x96(LOW)
    pool.initialize(target * 101 // 100)
    pool.mint("somebody", -887_220, 887_220, 10**15)
    actions = [action for action in people.opening({LOW.address: pool}) if action.pool == LOW.address]
    for action in actions:
        perform(action, pool)
    assert not any(isinstance(action, MarketInitialize) for action in actions)
    assert pool.sqrt_price_x96 == target


def test_everyone_who_acts_is_named() -> None:
    people = market()
    _, actions = lived(people, 400)
    assert {action.actor for action in (*people.opening(), *actions)} <= set(people.actors)
    assert len(set(people.actors)) == len(people.actors)


def test_the_same_seed_gives_the_same_actions_and_another_others() -> None:
    assert lived(market(3), 60)[1] == lived(market(3), 60)[1]
    assert lived(market(3), 60)[1] != lived(market(4), 60)[1]


def test_actions_depend_on_seed_block_and_states_alone() -> None:
    people = market()
    pools, _ = lived(people, 30)
    expected = people.actions(31, pools)
    assert market().actions(31, pools) == expected, "a market that has not seen the blocks before"
    people.actions(500, pools)
    assert people.actions(31, pools) == expected, "a market that was asked about something else in between"


def test_looking_changes_no_pool() -> None:
    people = market()
    pools = opened(people)
    before = {address: pool.snapshot() for address, pool in pools.items()}
    for index in range(1, 20):
        people.actions(index, pools)
    assert {address: pool.snapshot() for address, pool in pools.items()} == before


def test_one_more_agent_shifts_nobodys_dice() -> None:
    people = market()
    quiet, disturbed = opened(people), opened(people)
    sizes: list[list[int]] = [[], []]
    for index in range(1, 40):
        for pools, seen in zip((quiet, disturbed), sizes, strict=True):
            actions = people.actions(index, pools)
            seen += [action.amount_in for action in actions if action.actor.startswith("trader")]  # type: ignore[union-attr]  # traders only swap
            carry_out(actions, pools)
        disturbed[LOW.address].swap(
            zero_for_one=bool(index % 2), amount_specified=10**9 if index % 2 else 10**18
        )
    assert sizes[0] == sizes[1]
    assert quiet[LOW.address].sqrt_price_x96 != disturbed[LOW.address].sqrt_price_x96


def test_the_actions_are_consistent_in_their_order() -> None:
    """Nothing that the market wants is refused when it is carried out as it was worked out."""
    people = market()
    pools = opened(people)
    for index in range(1, 300):
        for action in people.actions(index, pools):
            assert perform(action, pools[action.pool]) is not None, action


def test_the_market_stays_near_its_reference() -> None:
    people = market()
    pools = opened(people)
    outside: Counter[str] = Counter()
    for index in range(1, 600):
        carry_out(people.actions(index, pools), pools)
        for key in people.keys:
            root = pools[key.address].sqrt_price_x96
            lower, upper = band_x96(people.reference(index).sqrt_price_x96(key), 2 * key.fee_pips)
            outside[key.address] += not lower <= root <= upper
    assert 0 < outside[LOW.address] < 180
    assert outside[HIGH.address] < 60


def test_a_days_volume_is_plausible() -> None:
    people = market()
    pools = opened(people)
    usd = 0
    for index in range(1, 1_201):
        for action in people.actions(index, pools):
            moved = perform(action, pools[action.pool])
            if isinstance(action, MarketSwap) and moved:
                usd += abs(moved[0]) // 10**6
    assert 20_000_000 < usd * 6 < 200_000_000


def test_people_with_no_luck_still_trade_in_a_single_pool() -> None:
    people = Market(1, generate(1), (HIGH,), quote=USDC)
    pools, actions = lived(people, 50)
    assert any(isinstance(action, MarketSwap) for action in actions)
    assert set(pools) == {HIGH.address}


def test_pools_that_are_missing_or_empty_are_left_out() -> None:
    people = market()
    pools = opened(people)
    only = {LOW.address: pools[LOW.address], HIGH.address: Pool(fee_pips=3000, tick_spacing=60)}
    for index in range(1, 30):
        assert {action.pool for action in people.actions(index, only)} <= {LOW.address}
        assert people.actions(index, {}) == ()


def test_a_pool_without_liquidity_does_no_harm() -> None:
    people = Market(1, generate(1), (LOW,), quote=USDC, shape=MarketShape(liquidity_usd=Decimal(0)))
    pool = Pool(fee_pips=500, tick_spacing=10)
    pool.initialize(people.reference(0).sqrt_price_x96(LOW))
    assert people.opening({LOW.address: pool}) == ()
    for index in range(1, 30):
        carry_out(people.actions(index, {LOW.address: pool}), {LOW.address: pool})


def test_either_token_may_be_the_dollar() -> None:
    flipped = PoolKey(LOW.address, WETH, USDC, 500, 10)
    people = Market(1, generate(1), (flipped,), quote=USDC)
    pools, actions = lived(people, 50)
    assert actions
    ratio = pools[LOW.address].sqrt_price_x96 ** 2 * 10**12 / 2**192
    assert ratio == pytest.approx(float(people.reference(50).quote_per_base), rel=0.02)


def test_pools_of_other_tokens_are_refused() -> None:
    other = PoolKey("0x1", WETH, LOW.token0, 500, 10)
    with pytest.raises(ConfigError, match="one pair of tokens with USDC in it"):
        Market(1, generate(1), (LOW, other), quote=USDC)


def test_block_zero_is_the_opening() -> None:
    with pytest.raises(ValueError, match="first block is 1"):
        market().actions(0, {})


def test_a_file_brings_its_own_times_and_its_end() -> None:
    path = RecordedPath("three.csv", (10, 20, 50), (Decimal(2000), Decimal(2010), Decimal(1990)))
    people = Market(1, path, (LOW,), quote=USDC)
    assert [people.timestamp(index) for index in range(3)] == [10, 20, 50]
    assert people.last_block == 2
    pools = opened(people)
    people.actions(2, pools)
    with pytest.raises(ConfigError, match=r"three\.csv has 3 prices"):
        people.actions(3, pools)
    assert market().last_block is None
    assert market().timestamp(5) - market().timestamp(0) == 60


def test_hourly_prices_leave_the_pools_near_the_reference() -> None:
    people = Market(1, generate(1, block_seconds=3_600), (LOW, HIGH), quote=USDC)
    pools = opened(people)
    near = 0
    for index in range(1, 201):
        carry_out(people.actions(index, pools), pools)
        lower, upper = band_x96(people.reference(index).sqrt_price_x96(LOW), 2 * LOW.fee_pips)
        near += lower <= pools[LOW.address].sqrt_price_x96 <= upper
    assert near > 130


def test_providers_move_after_the_reference_and_keep_one_band_each() -> None:
    people = Market(1, generate(1, block_seconds=600), (LOW,), quote=USDC)
    pools, actions = lived(people, 400)
    assert any(isinstance(action, MarketBurn) for action in actions)
    held = [place for place, position in pools[LOW.address].positions.items() if position.liquidity]
    assert sorted(place[0] for place in held) == ["lp-full", "lp-medium", "lp-narrow", "lp-wide"]
    narrow = next(place for place in held if place[0] == "lp-narrow")
    assert 480 <= narrow[2] - narrow[1] <= 500


def test_base_fees_are_calm_in_calm_and_follow_the_protocol() -> None:
    people = market()
    fees = [people.base_fee_wei(index) for index in range(4_000)]
    assert fees[0] == 7 * 10**9
    assert all(before * 7 // 8 <= after <= before * 9 // 8 for before, after in pairwise(fees))
    assert 6 * 10**9 < sorted(fees)[2_000] < 10 * 10**9
    assert max(fees) > 15 * 10**9
    assert market().base_fee_wei(2_500) == fees[2_500]


def test_nobody_attacks_unless_asked_to() -> None:
    people = market()
    pool = opened(people)[LOW.address]
    careless = PendingSwap(LOW.address, zero_for_one=True, amount_in=150_000 * 10**6, amount_out_minimum=0)
    assert people.attack(1, careless, pool) is None
    assert "sandwicher" not in people.actors
    bold = market(attackers=True)
    assert bold.attack(1, careless, pool) is not None
    assert "sandwicher" in bold.actors
    assert bold.actions(1, {LOW.address: pool}) == people.actions(1, {LOW.address: pool})


def test_prices_no_pool_can_have_are_refused() -> None:
    path = RecordedPath("odd.csv", (10, 20), (Decimal("1e-40"), Decimal("1e-40")))
    with pytest.raises(ConfigError, match="No pool can have a price of 1E-40 USDC"):
        Market(1, path, (LOW,), quote=USDC).opening()


def test_a_recorded_path_has_as_many_prices_as_times() -> None:
    with pytest.raises(ValueError, match="as many prices as timestamps"):
        RecordedPath("odd.csv", (10, 20), (Decimal(1),))
