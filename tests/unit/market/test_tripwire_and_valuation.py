"""The tripwire names what differs; a valuation knows its two tokens."""

from dataclasses import fields, replace
from decimal import Decimal

import pytest

from defai.amm import get_sqrt_ratio_at_tick
from defai.chain.mainnet import USDC, USDC_WETH_005, USDT, WETH
from defai.domain.pool import PoolKey
from defai.errors import DivergenceError
from defai.market import tripwire
from defai.market.state import PoolReport
from defai.market.valuation import Valuation
from defai.market.window import Window
from defai.testing.builders import START_TICK, market_of, pool_with_liquidity, report_of
from defai.testing.histories import generated_history

KEY = USDC_WETH_005
MIRROR = PoolKey("0x1111111111111111111111111111111111111111", WETH, USDC, 500, 10)


def test_what_agrees_passes() -> None:
    market = market_of({KEY: pool_with_liquidity()})
    tripwire.check(market, {KEY.address: report_of(market.pools[KEY.address])})


@pytest.mark.parametrize("field", [field.name for field in fields(PoolReport)])
def test_each_field_is_compared_and_both_values_are_said(field: str) -> None:
    market = market_of({KEY: pool_with_liquidity()})
    honest = report_of(market.pools[KEY.address])
    held = getattr(honest, field)
    with pytest.raises(DivergenceError) as caught:
        tripwire.check(market, {KEY.address: replace(honest, **{field: held + 1})})
    assert caught.value.sentence == (
        f"USDC/WETH 0.05 % diverged at block 100: {field} is {held + 1} on chain, {held} in our replica."
    )
    assert "stops" in caught.value.hint


def test_money_is_worth_itself_and_the_base_token_its_price() -> None:
    valuation, pool = Valuation(KEY, USDC), pool_with_liquidity()
    assert valuation.base == WETH
    assert valuation.worth_raw(pool, USDC.address, 12_345) == 12_345
    worth = valuation.worth_raw(pool, WETH.address, 10**18)
    assert abs(worth - int(valuation.base_price(pool.sqrt_price_x96) * 10**6)) <= 1
    assert valuation.base_price(pool.sqrt_price_x96) == pytest.approx(Decimal(2_000), rel=Decimal("0.001"))
    assert valuation.worth_raw(pool, WETH.address, -1) == -1, "rounds down, also below zero"


def test_the_order_of_the_tokens_makes_no_difference() -> None:
    pool, mirror = pool_with_liquidity(), pool_with_liquidity(MIRROR)
    mirror_price = get_sqrt_ratio_at_tick(-START_TICK)
    straight, reverse = Valuation(KEY, USDC), Valuation(MIRROR, USDC)
    assert reverse.base == WETH
    there = reverse.base_price(mirror_price)
    assert there == pytest.approx(straight.base_price(pool.sqrt_price_x96), rel=Decimal("1e-9"))
    mirror.restore(mirror.snapshot()._replace(scalars=(mirror_price, *mirror.snapshot().scalars[1:])))
    assert reverse.worth_raw(mirror, WETH.address, 10**18) == pytest.approx(
        straight.worth_raw(pool, WETH.address, 10**18), abs=2
    )


def test_a_token_of_neither_side_has_no_worth() -> None:
    with pytest.raises(KeyError):
        Valuation(KEY, USDC).worth_raw(pool_with_liquidity(), USDT.address, 1)


def test_a_window_keeps_the_newest_rows() -> None:
    rows = generated_history(5)
    window = Window(3, rows[:2])
    for row in rows[2:]:
        window.append(row)
    assert len(window) == 3
    assert list(window) == rows[2:]
    assert window[-1] == rows[-1]
    assert window[0] == rows[2]
    assert window[-2:] == tuple(rows[3:])
    assert window[:10] == tuple(rows[2:])
    with pytest.raises(IndexError):
        _ = window[3]
