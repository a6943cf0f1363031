"""What must hold for the market's people whatever the pools look like."""

from decimal import Decimal
from typing import Final

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from defai.amm import AmmRevert, Pool, get_sqrt_ratio_at_tick
from defai.domain.pool import PoolKey
from defai.marketsim.actions import MarketBurn, MarketMint, MarketSwap
from defai.marketsim.arbitrageur import band_x96, pull_to_band
from defai.marketsim.attackers import PendingSwap, SandwichAttacker, largest_front_run, sandwich
from defai.marketsim.execution import perform
from defai.marketsim.liquidity_providers import BANDS, amounts_of_value, band_ticks, shares_raw
from defai.marketsim.reference import Reference
from tests.unit.marketsim.scenes import HIGH, LOW, USDC, WETH, lived, market

START_TICK: Final = 200_311
"""About 2,000 USDC for one WETH."""

fees = st.sampled_from([(100, 1), (500, 10), (3_000, 60), (10_000, 200)])
ticks = st.integers(START_TICK - 3_000, START_TICK + 3_000)
liquidities = st.integers(10**12, 10**20)


def _pool(fee: tuple[int, int], tick: int, liquidity: int) -> Pool:
    pool = Pool(fee_pips=fee[0], tick_spacing=fee[1])
    pool.initialize(get_sqrt_ratio_at_tick(tick) + 12_345)
    spacing = fee[1]
    for half_width, part in ((887_200, 1), (4_000, 5), (600, 20)):
        lower = max((tick - half_width) // spacing * spacing, -887_200 // spacing * spacing + spacing)
        upper = min((tick + half_width) // spacing * spacing, 887_200 // spacing * spacing)
        pool.mint("others", lower, upper, liquidity * part)
    return pool


def _reference(quote_per_base: Decimal = Decimal(2_000)) -> Reference:
    return Reference(USDC, quote_per_base, quote_per_base)


@given(fee=fees, tick=ticks, away=st.integers(-2_500, 2_500), liquidity=liquidities)
def test_the_arbitrageur_lands_on_the_edge_it_targets(
    fee: tuple[int, int], tick: int, away: int, liquidity: int
) -> None:
    pool = _pool(fee, tick, liquidity)
    reference_x96 = get_sqrt_ratio_at_tick(tick + away)
    lower, upper = band_x96(reference_x96, fee[0])
    pull = pull_to_band(pool, reference_x96)
    if pull is None:
        assert lower <= pool.sqrt_price_x96 <= upper
        return
    assert not lower <= pool.sqrt_price_x96 <= upper
    action = MarketSwap(
        "arbitrageur", LOW.address, pull.zero_for_one, pull.amount_in, pull.sqrt_price_limit_x96
    )
    assert perform(action, pool) == (pull.amount0, pull.amount1)
    assert pool.sqrt_price_x96 == (upper if pull.zero_for_one else lower)
    assert pull_to_band(pool, reference_x96) is None


@given(fee=fees, tick=ticks, away=st.integers(-2_500, 2_500), liquidity=st.integers(10**15, 10**20))
def test_at_the_edge_nothing_more_can_be_earned(
    fee: tuple[int, int], tick: int, away: int, liquidity: int
) -> None:
    """The pull earns at the reference, and a little more of the same would lose."""
    pool = _pool(fee, tick, liquidity)
    key = PoolKey(LOW.address, USDC, WETH, *fee)
    reference_x96 = get_sqrt_ratio_at_tick(tick + away)
    pull = pull_to_band(pool, reference_x96)
    assume(pull is not None)
    assert pull is not None
    square = reference_x96 * reference_x96
    earned = (-pull.amount0 * square) - (pull.amount1 << 192)
    assume(pull.amount_in > 10**9)
    assert earned > -(square + (1 << 192))  # rounding takes one unit of each token at most
    pool.swap(
        zero_for_one=pull.zero_for_one,
        amount_specified=pull.amount_in,
        sqrt_price_limit_x96=pull.sqrt_price_limit_x96,
    )
    more = pool.quote(zero_for_one=pull.zero_for_one, amount_specified=max(pull.amount_in // 100, 10**6))
    assert (-more.amount0 * square) - (more.amount1 << 192) <= 0, key.name


@given(root=st.integers(2**70, 2**120), fee=fees)
def test_bands_hold_the_reference_and_widen_with_the_fee(root: int, fee: tuple[int, int]) -> None:
    lower, upper = band_x96(root, fee[0])
    assert lower <= root <= upper
    assert lower**2 * 1_000_000 >= root**2 * (1_000_000 - fee[0])
    assert upper**2 * (1_000_000 - fee[0]) <= root**2 * 1_000_000
    wider = band_x96(root, fee[0] * 2)
    assert wider[0] <= lower
    assert wider[1] >= upper


@settings(max_examples=60)
@given(
    fee=fees,
    tick=ticks,
    liquidity=st.integers(10**15, 10**19),
    zero_for_one=st.booleans(),
    share_pips=st.integers(100, 200_000),
    tolerance_bps=st.integers(0, 500),
)
def test_a_sandwich_leaves_the_victim_its_minimum_and_no_more(
    fee: tuple[int, int], tick: int, liquidity: int, zero_for_one: bool, share_pips: int, tolerance_bps: int
) -> None:
    pool = _pool(fee, tick, liquidity)
    depth = (
        liquidity * 26 * 2**96 // pool.sqrt_price_x96
        if zero_for_one
        else liquidity * 26 * pool.sqrt_price_x96 // 2**96
    )
    amount_in = max(depth * share_pips // 10_000_000, 1_000)
    fair = pool.quote(zero_for_one=zero_for_one, amount_specified=amount_in)
    out = -fair.amount1 if zero_for_one else -fair.amount0
    minimum = out * (10_000 - tolerance_bps) // 10_000
    victim = PendingSwap(LOW.address, zero_for_one, amount_in, minimum)
    before = pool.snapshot()
    plan = sandwich(pool, victim, depth)
    assert pool.snapshot() == before
    if plan is None:
        return
    assert plan.victim_out >= minimum
    assert 0 < plan.amount_in <= depth
    largest = largest_front_run(pool, victim, depth)
    assert plan.amount_in <= largest
    if plan.amount_in == largest < depth:
        scratch = pool.copy()
        scratch.swap(zero_for_one=zero_for_one, amount_specified=largest + largest // 20 + 10)
        worse = scratch.quote(zero_for_one=zero_for_one, amount_specified=amount_in)
        assert (-worse.amount1 if zero_for_one else -worse.amount0) <= minimum


@settings(max_examples=40)
@given(tolerance_bps=st.integers(0, 1_000), usd=st.integers(1_000, 500_000), zero_for_one=st.booleans())
def test_an_attack_pays_and_is_carried_out_as_planned(
    tolerance_bps: int, usd: int, zero_for_one: bool
) -> None:
    pool = _pool((500, 10), START_TICK, 10**17)
    reference = _reference()
    amount_in = usd * 10**6 if zero_for_one else reference.base_raw(LOW, usd * 10**6)
    fair = pool.quote(zero_for_one=zero_for_one, amount_specified=amount_in)
    minimum = -(fair.amount1 if zero_for_one else fair.amount0) * (10_000 - tolerance_bps) // 10_000
    victim = PendingSwap(LOW.address, zero_for_one, amount_in, minimum)
    attacker = SandwichAttacker(10**6 * 10**6)
    attack = attacker.attack(victim, LOW, pool, reference, 7 * 10**9)
    if attack is None:
        return
    paid = perform(attack[0], pool)
    result = pool.swap(zero_for_one=zero_for_one, amount_specified=amount_in)
    assert -(result.amount1 if zero_for_one else result.amount0) >= minimum
    got = perform(attack[1], pool)
    assert paid is not None
    assert got is not None
    assert paid[1 if zero_for_one else 0] + got[1 if zero_for_one else 0] == 0, "all that was bought is sold"
    profit = reference.value_raw(LOW, -paid[0] - got[0], -paid[1] - got[1])
    assert profit > reference.gas_value_raw(attacker.gas, 7 * 10**9)


def test_a_victim_without_slippage_is_left_alone() -> None:
    pool = _pool((500, 10), START_TICK, 10**17)
    fair = pool.quote(zero_for_one=True, amount_specified=10**11)
    strict = PendingSwap(LOW.address, zero_for_one=True, amount_in=10**11, amount_out_minimum=-fair.amount1)
    attacker = SandwichAttacker(10**12)
    assert attacker.attack(strict, LOW, pool, _reference(), 7 * 10**9) is None
    hopeless = PendingSwap(
        LOW.address, zero_for_one=True, amount_in=10**11, amount_out_minimum=-fair.amount1 + 1
    )
    assert sandwich(pool, hopeless, 10**12) is None
    generous = PendingSwap(LOW.address, zero_for_one=True, amount_in=10**11, amount_out_minimum=0)
    assert largest_front_run(pool, generous, 10**10) == 10**10


@given(
    value=st.integers(10**6, 10**14),
    tick=ticks,
    half_width=st.sampled_from([None, 240, 1_400, 4_000]),
    key=st.sampled_from([LOW, HIGH]),
)
def test_a_band_is_worth_what_it_should_be(
    value: int, tick: int, half_width: int | None, key: PoolKey
) -> None:
    root = get_sqrt_ratio_at_tick(tick)
    quote_per_base = Decimal(10**12 * 2**192) / Decimal(root**2)
    reference = _reference(quote_per_base)
    bounds = band_ticks(key, half_width, tick)
    amounts = amounts_of_value(root, bounds, key, reference, value)
    assert abs(reference.value_raw(key, *amounts) - value) <= value // 10**5 + 10_000
    assert bounds[0] % key.tick_spacing == bounds[1] % key.tick_spacing == 0
    assert bounds[0] <= tick <= bounds[1]
    if half_width:
        assert 2 * half_width <= bounds[1] - bounds[0] <= 2 * half_width + 2 * key.tick_spacing


@given(total=st.integers(0, 10**15))
def test_shares_add_up(total: int) -> None:
    shares = shares_raw((LOW, HIGH), total)
    assert total - 2 <= sum(shares.values()) <= total
    assert sum(band.share_pips for band in BANDS) == 1_000_000


@given(tick=ticks, amount0=st.integers(0, 10**14), amount1=st.integers(0, 10**22), width=st.integers(1, 300))
def test_a_mint_never_takes_more_than_offered_and_a_burn_gives_it_back(
    tick: int, amount0: int, amount1: int, width: int
) -> None:
    pool = _pool((500, 10), START_TICK, 10**16)
    lower = tick // 10 * 10
    paid = perform(MarketMint("lp", LOW.address, lower, lower + 10 * width, amount0, amount1), pool)
    back = perform(MarketBurn("lp", LOW.address, lower, lower + 10 * width), pool)
    if paid is None:
        assert back is None
        return
    assert back is not None
    assert paid[0] <= amount0
    assert paid[1] <= amount1
    assert 0 <= paid[0] + back[0] <= 1
    assert 0 <= paid[1] + back[1] <= 1


def test_a_swap_past_its_limit_does_nothing() -> None:
    pool = _pool((500, 10), START_TICK, 10**16)
    before = pool.snapshot()
    late = MarketSwap(
        "arbitrageur",
        LOW.address,
        zero_for_one=True,
        amount_in=10**9,
        sqrt_price_limit_x96=pool.sqrt_price_x96,
    )
    assert perform(late, pool) is None
    assert pool.snapshot() == before


def test_other_refusals_are_not_hidden() -> None:
    pool = _pool((500, 10), START_TICK, 10**16)
    nothing = MarketSwap("trader-0", LOW.address, zero_for_one=True, amount_in=0, sqrt_price_limit_x96=2**64)
    with pytest.raises(AmmRevert, match="'AS'"):
        perform(nothing, pool)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_pools_pay_out_no_more_than_they_were_paid(seed: int) -> None:
    """After a hundred blocks every provider can withdraw everything; dust is left in the pools, no debt."""
    people = market(seed)
    held = {key.address: [0, 0] for key in people.keys}
    pools, _ = lived(people, 0)
    replay = {key.address: Pool(fee_pips=key.fee_pips, tick_spacing=key.tick_spacing) for key in people.keys}
    batches = [people.opening()]
    for index in range(1, 101):
        actions = people.actions(index, pools)
        for action in actions:
            perform(action, pools[action.pool])
        batches.append(actions)
    for action in (action for batch in batches for action in batch):
        moved = perform(action, replay[action.pool]) or (0, 0)
        held[action.pool] = [
            balance + change for balance, change in zip(held[action.pool], moved, strict=True)
        ]
    for address, pool in replay.items():
        assert pool.snapshot() == pools[address].snapshot()
        for (owner, lower, upper), position in list(pool.positions.items()):
            if position.liquidity:
                back = perform(MarketBurn(owner, address, lower, upper), pool)
                assert back is not None
                held[address] = [
                    balance + change for balance, change in zip(held[address], back, strict=True)
                ]
        assert pool.liquidity == 0
        assert 0 <= held[address][0] < 10_000
        assert 0 <= held[address][1] < 10_000
