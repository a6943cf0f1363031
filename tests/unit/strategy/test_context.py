"""What a strategy can ask its context: quotes, bands, worths, in either order of the tokens."""

from dataclasses import replace
from decimal import Decimal

import pytest

from defai.amm import MAX_TICK, MIN_TICK
from defai.chain.mainnet import USDC, USDC_WETH_005, USDC_WETH_030, USDT, WETH
from defai.domain.decisions import Forecast
from defai.domain.pool import PoolKey
from defai.domain.position import Position
from defai.strategy.api import Context, Hold, Intent, Strategy, Swap
from defai.testing.builders import START_TICK, context_on, pool_with_liquidity

KEY, WIDE = USDC_WETH_005, USDC_WETH_030
MIRROR = PoolKey("0x1111111111111111111111111111111111111111", WETH, USDC, 500, 10)


def context(key: PoolKey = KEY, tick: int = START_TICK) -> Context:
    return context_on({key: pool_with_liquidity(key, tick=tick)})


def position(token_id: int, pool: str = KEY.address) -> Position:
    return Position(token_id, pool, -100, 100, 1, 0, 0, 0, 0, 1)


def test_a_quote_is_what_a_swap_would_do() -> None:
    view = context().pool
    for zero_for_one, amount in ((True, 10**9), (False, 10**18)):
        quote = view.quote(zero_for_one=zero_for_one, amount_in_raw=amount)
        done = view.state.copy().swap(zero_for_one=zero_for_one, amount_specified=amount)
        paid, got = (done.amount0, -done.amount1) if zero_for_one else (done.amount1, -done.amount0)
        assert (quote.amount_in_raw, quote.amount_out_raw) == (paid, got)
        assert quote.sqrt_price_after_x96 == done.sqrt_price_x96
        assert 5.0 < quote.cost_bps < 6.0, "the fee is five basis points, and a little impact"


def test_a_quote_of_nothing_is_refused_and_of_dust_costs_nothing_to_say() -> None:
    view = context().pool
    with pytest.raises(ValueError, match="positive"):
        view.quote(zero_for_one=True, amount_in_raw=0)
    assert view.quote(zero_for_one=False, amount_in_raw=1).cost_bps == 0.0


def test_a_view_knows_tick_and_fee() -> None:
    view = context().pool
    assert (view.tick, view.fee_bps) == (START_TICK, 5.0)


@pytest.mark.parametrize("half_width", [0, 1, 9.99, 10, 123.4, 4_000])
@pytest.mark.parametrize("center", [None, -7, 13, START_TICK + 5])
def test_a_band_holds_its_middle_and_stands_on_the_spacing(half_width: float, center: int | None) -> None:
    ctx = context()
    middle = ctx.pool.tick if center is None else center
    lower, upper = ctx.band(half_width, center=center)
    assert lower % 10 == upper % 10 == 0
    assert lower <= middle - half_width
    assert upper >= middle + half_width
    assert upper - lower <= 2 * half_width + 20
    assert upper > lower


@pytest.mark.parametrize(
    ("half_width", "center"),
    [(10.0**9, None), (5, MAX_TICK), (5, MIN_TICK), (0, MAX_TICK), (0, MIN_TICK), (10, 10 * MAX_TICK)],
)
def test_a_band_ends_where_the_ticks_end(half_width: float, center: int | None) -> None:
    lower, upper = context().band(half_width, center=center)
    assert MIN_TICK <= lower < upper <= MAX_TICK
    assert lower % 10 == upper % 10 == 0


def test_worth_and_amount_are_each_others_reverse_in_either_order() -> None:
    straight, mirrored = context(), context(MIRROR, -START_TICK)
    for ctx in (straight, mirrored):
        worth = ctx.base_value_raw(10**18)
        assert worth == pytest.approx(2_000 * 10**6, rel=0.001)
        assert ctx.base_amount_raw(worth) == pytest.approx(10**18, abs=10**10)
        assert ctx.base_share() == pytest.approx(0.5, abs=0.01)
    assert straight.base_move_bps(7.0) == -7.0
    assert mirrored.base_move_bps(7.0) == 7.0


def test_share_of_nothing_is_nothing() -> None:
    assert replace(context(), balances={}).base_share() == 0.0
    assert replace(context(), balances={}).balance(USDC) == 0


def test_the_newest_position_in_the_main_pool_is_the_position() -> None:
    ctx = context()
    assert ctx.position is None
    mine = (position(1), position(2), position(3, "0xelsewhere"))
    assert replace(ctx, positions=mine).position == mine[1]


def test_money_as_a_person_writes_it() -> None:
    assert context().usd(1_234_567) == Decimal("1.234567")


def test_a_strategy_needs_nothing_but_a_decision() -> None:
    class Least(Strategy):
        """The least there can be."""

        def decide(self, ctx: Context) -> Intent:
            return Hold(reason=f"{ctx.block_number}")

    least = Least()
    assert least.decide(context()) == Hold(reason="108")
    assert (least.pools(), least.features(), least.target()) == (("USDC/WETH 0.05 %",), (), None)


def test_fee_and_impact_of_a_quote_are_what_it_costs() -> None:
    ctx = context()
    quote = ctx.quote(USDC, 10**12)
    assert quote == ctx.pool.quote(zero_for_one=True, amount_in_raw=10**12)
    assert quote.fee_raw == ctx.pool.state.quote(zero_for_one=True, amount_specified=10**12).fee_amount
    square = ctx.pool.sqrt_price_x96**2
    without_either = (10**12 * square) >> 192
    fee_out = (quote.fee_raw * square) >> 192
    assert abs(without_either - fee_out - quote.impact_raw - quote.amount_out_raw) <= 1
    assert quote.impact_raw > 0


@pytest.mark.parametrize("key", [KEY, MIRROR])
def test_selling_a_token_names_the_side_by_the_token(key: PoolKey) -> None:
    ctx = context(key, tick=START_TICK if key == KEY else -START_TICK)
    swap = ctx.swap(WETH, 10**18, reason="sell")
    assert swap == Swap(pool=key.address, zero_for_one=key == MIRROR, amount_in_raw=10**18, reason="sell")
    with pytest.raises(ValueError, match="has no USDT"):
        ctx.quote(USDT, 1)


def test_another_pool_is_quoted_swapped_in_and_spanned_where_it_is_named() -> None:
    ctx = context_on({KEY: pool_with_liquidity(KEY), WIDE: pool_with_liquidity(WIDE, tick=START_TICK + 77)})
    other = ctx.pools[1]
    assert ctx.quote(USDC, 10**9, pool=other) == other.quote(zero_for_one=True, amount_in_raw=10**9)
    assert ctx.swap(USDC, 1, reason="", pool=other).pool == WIDE.address
    lower, upper = ctx.band(100, pool=other)
    assert lower % 60 == upper % 60 == 0
    assert lower < START_TICK + 77 < upper


def test_gas_of_several_intents_is_that_of_one_transaction() -> None:
    costs = context().costs
    assert costs.gas_of(Swap) == pytest.approx(costs.gas_usd)
    assert costs.gas_of(Swap) < costs.gas_of(Swap, Swap) < 2 * costs.gas_of(Swap)
    assert costs.gas_of() == costs.gas_of(Hold) == 0
    with pytest.raises(KeyError):
        costs.gas_of(int)


def test_a_size_loses_what_may_be_lost() -> None:
    ctx = context()
    assert ctx.size_for_risk(0.01, move_bps=500) == ctx.equity_raw // 5
    assert ctx.size_for_risk(0.5, move_bps=100) == ctx.equity_raw, "never more than there is"
    assert ctx.size_for_risk(0.01) == 0, "no forecast, so nothing is known of a move"
    banded = Forecast(0, "ticks", "return", "0x", low_x24=-(200 << 24), high_x24=50 << 24)
    assert replace(ctx, forecast=banded).size_for_risk(0.01) == ctx.equity_raw // 2
    for unknown in (replace(banded, low_x24=None), replace(banded, unit="probability")):
        assert replace(ctx, forecast=unknown).size_for_risk(0.01) == 0
    assert ctx.size_for_risk(0, move_bps=1) == ctx.size_for_risk(0.1, move_bps=-1) == 0


@pytest.mark.parametrize("key", [KEY, MIRROR])
def test_all_of_the_base_token_is_counted_wherever_it_is(key: PoolKey) -> None:
    tick = START_TICK if key == KEY else -START_TICK
    pool = pool_with_liquidity(key, tick=tick)
    spacing = key.tick_spacing
    lower, upper = (tick // spacing - 10) * spacing, (tick // spacing + 11) * spacing
    paid = pool.mint("us", lower, upper, 10**15)
    held = Position(1, key.address, lower, upper, 10**15, *pool.fee_growth_inside(lower, upper), 0, 0, 1)
    ctx = replace(context_on({key: pool}), positions=(held,))
    in_position = paid[1 if key == KEY else 0]
    assert ctx.base_held_raw() == pytest.approx(ctx.balance(WETH) + in_position, abs=1)
    assert ctx.pool.contents(held) == pytest.approx(paid, abs=1)
    assert ctx.pool.owed(held) == (0, 0)
