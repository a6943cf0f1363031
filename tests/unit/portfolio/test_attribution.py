"""Where a gain came from, counted block by block: held against the backtest's own figures over the same prices."""

from collections.abc import Callable
from random import Random

import numpy as np
import pytest

from defai.amm import Pool, get_sqrt_ratio_at_tick
from defai.backtest.metrics import HeldBand, impermanent_loss, loss_versus_rebalancing
from defai.chain.mainnet import USDC, USDC_WETH_005, WETH
from defai.domain.position import Position
from defai.market.valuation import Valuation
from defai.portfolio.attribution import Attribution, Moment, Parts
from defai.portfolio.ledger import Portfolio
from defai.portfolio.pnl import value
from defai.testing.builders import FIRST_TIMESTAMP, START_TICK, pool_with_liquidity

KEY = USDC_WETH_005
VALUATION = Valuation(KEY, USDC)
LIQUIDITY = 10**17
BAND = (START_TICK // 10 * 10 - 600, START_TICK // 10 * 10 + 600)


def worth_at(pool: Pool) -> Callable[[str, int], int]:
    return lambda token, amount: VALUATION.worth_raw(pool, token, amount)


def moment(pool: Pool, portfolio: Portfolio, second: int) -> Moment:
    keys, pools = {KEY.address: KEY}, {KEY.address: pool}
    valued = value(portfolio, pools, keys, worth_at(pool), USDC.address)
    balance = portfolio.balances.get(WETH.address, 0)
    return Moment(FIRST_TIMESTAMP + second, valued, balance, WETH.address, False, pools, keys, worth_at(pool))


def at_tick(tick: int) -> Pool:
    pool = Pool(fee_pips=500, tick_spacing=10)
    pool.initialize(get_sqrt_ratio_at_tick(tick), FIRST_TIMESTAMP)
    return pool


def in_band(liquidity: int = LIQUIDITY, token_id: int = 1) -> Portfolio:
    position = Position(token_id, KEY.address, *BAND, liquidity, 0, 0, 0, 0, 1)
    return Portfolio({}, {}, (position,) if liquidity else ())


def walked(seed: int, steps: int = 200) -> list[int]:
    draw, tick, path = Random(seed), START_TICK, []  # noqa: S311  a path, no secret
    for _ in range(steps):
        path.append(tick)
        tick += draw.randrange(-60, 61)
    return path


@pytest.mark.parametrize("seed", range(4))
def test_losses_are_those_of_the_backtest(seed: int) -> None:
    path, step = walked(seed), 60
    count = Attribution(0, interval_s=900)
    for row, tick in enumerate(path):
        parts = count.look(moment(at_tick(tick), in_band(), row * step))
    prices = np.array([float(VALUATION.base_price(get_sqrt_ratio_at_tick(tick))) for tick in path])
    times = np.arange(len(path), dtype=np.int64) * step
    ends = sorted(float(VALUATION.base_price(get_sqrt_ratio_at_tick(tick))) for tick in BAND)
    held = HeldBand(0, len(path) - 1, LIQUIDITY / 10**12, ends[0], ends[1])
    assert parts.impermanent_loss_raw / 10**6 == pytest.approx(impermanent_loss(prices, [held]), abs=0.01)
    expected = loss_versus_rebalancing(times, prices, [held], 900)
    assert parts.lvr_raw / 10**6 == pytest.approx(expected, abs=0.01)
    assert parts.lvr_raw > 0


def test_a_loss_stays_when_the_band_is_closed() -> None:
    count = Attribution(0)
    count.look(moment(at_tick(START_TICK), in_band(), 0))
    moved = count.look(moment(at_tick(START_TICK + 400), in_band(), 60))
    closed = count.look(moment(at_tick(START_TICK + 400), in_band(0), 120))
    later = count.look(moment(at_tick(START_TICK), in_band(0), 180))
    assert moved.impermanent_loss_raw == closed.impermanent_loss_raw == later.impermanent_loss_raw > 0
    assert closed.lvr_raw == later.lvr_raw == moved.lvr_raw


def test_more_liquidity_begins_a_band_anew() -> None:
    count = Attribution(0)
    count.look(moment(at_tick(START_TICK), in_band(), 0))
    before = count.look(moment(at_tick(START_TICK + 300), in_band(), 60))
    after = count.look(moment(at_tick(START_TICK + 300), in_band(3 * LIQUIDITY), 120))
    assert after.impermanent_loss_raw == before.impermanent_loss_raw, (
        "what was put in now has lost nothing yet"
    )


def holding(usdc: int, weth: int) -> Portfolio:
    return Portfolio({}, {USDC.address: usdc * 10**6, WETH.address: weth * 10**18})


def looked(count: Attribution, tick: int, portfolio: Portfolio) -> Parts:
    return count.look(moment(at_tick(tick), portfolio, 0))


def test_gains_are_realized_by_selling_at_average_cost() -> None:
    cheap, dear = START_TICK, START_TICK - 1_000
    low, high = (VALUATION.worth_raw(at_tick(tick), WETH.address, 10**18) for tick in (cheap, dear))
    count = Attribution(4 * low + 10_000 * 10**6)
    assert looked(count, cheap, holding(10_000, 4)).realized_raw == pytest.approx(0, abs=8)
    held = looked(count, dear, holding(10_000, 4))
    assert held.realized_raw == pytest.approx(0, abs=8)
    assert held.unrealized_raw == pytest.approx(4 * (high - low), abs=8)
    sold = Portfolio({}, {USDC.address: 10_000 * 10**6 + 3 * high, WETH.address: 10**18})
    parts = looked(count, dear, sold)
    assert parts.realized_raw == pytest.approx(3 * (high - low), abs=8)
    assert parts.unrealized_raw == pytest.approx(high - low, abs=8)


def test_all_of_the_gain_is_realized_or_not() -> None:
    count, draw = Attribution(0), Random(3)  # noqa: S311  amounts, no secret
    for tick in walked(5, 50):
        now = moment(at_tick(tick), holding(draw.randrange(9), draw.randrange(9)), 0)
        parts = count.look(now)
        assert parts.realized_raw + parts.unrealized_raw == now.valued.equity_raw


def test_one_unknown_cost_makes_the_sum_unknown() -> None:
    count, pool = Attribution(0), pool_with_liquidity()
    count.swapped(5)
    count.swapped(7)
    assert count.look(moment(pool, in_band(), 0)).swap_cost_raw == 12
    count.swapped(None)
    count.swapped(1)
    assert count.look(moment(pool, in_band(), 0)).swap_cost_raw is None
