from dataclasses import replace
from decimal import Decimal

import pytest

from defai.domain.stream import BlockArrived, ForecastView, PoolQuote, StreamEvent
from defai.models.targets import Kind, Target
from defai.tui.fleet import FleetState
from defai.tui.widgets.fans import fan_of, fans, sign_of_ticks


def forecast(kind: Kind, low: float | None = None, high: float | None = None) -> ForecastView:
    target = Target(kind, 12, 60 if kind in {"net_return", "survival", "fees"} else 0)
    return ForecastView(target.name, target.unit, 100.0, low, high, "0xaa", beats_baseline=None)


@pytest.mark.parametrize(
    ("quote", "tick", "sign"),
    [
        (
            "2004.37",
            200_298,
            -1,
        ),  # WETH is token1 of 18 digits, USDC token0 of 6: the price falls with the tick
        ("2004.37", -200_298, 1),  # the same the other way round, as in USDC's pools elsewhere
        ("2004.37", 76_035, 1),  # both of 18 digits
        ("0.9998", -2, 1),
    ],
)
def test_whether_a_price_rises_with_the_tick_is_told_from_both(quote: str, tick: int, sign: int) -> None:
    assert sign_of_ticks(PoolQuote("0xp", Decimal(quote), tick, 1, 0)) == sign


def test_a_return_fans_out_to_its_band_and_a_volatility_to_both_sides() -> None:
    band = fan_of(forecast("return", -50.0, 200.0), 7, 2_000.0, -1, "accent")
    assert band is not None
    assert (band.first_block, band.last_block, band.start) == (7, 19, 2_000.0)
    assert (band.low, band.high) == pytest.approx((2_000 / 1.0001**200, 2_000 * 1.0001**50))
    for kind in ("volatility", "range_volatility"):
        sides = fan_of(forecast(kind, 30.0, 300.0), 7, 2_000.0, 1, "accent")
        assert sides is not None
        assert (sides.low, sides.high) == pytest.approx((2_000 / 1.0001**100, 2_000 * 1.0001**100))
    for other in ("net_return", "survival", "fees"):
        assert fan_of(forecast(other), 7, 2_000.0, 1, "accent") is None


def test_the_newest_forecasts_of_a_pools_agents_are_drawn_while_they_lie_ahead(
    session: list[StreamEvent],
) -> None:
    fleet = FleetState()
    for event in session:
        fleet.apply(event, 0.0)
    lines = list(fleet.agents.values())
    pool = fleet.pools[lines[0].main_pool or ""]
    newest = pool.prices.last_block
    assert newest is not None
    drawn = fans(lines, pool, "reverter")
    assert [fan.ink for fan in drawn] == ["accent", "faint"]
    assert {fan.first_block for fan in drawn} == {newest}
    assert all(fan.low < fan.start < fan.high for fan in drawn)
    drawn_first = fans(lines, pool, None)
    assert drawn_first[0] == next(fan for fan in drawn_first if fan.ink == "accent")
    last = next(event for event in reversed(session) if isinstance(event, BlockArrived))
    for number in range(last.number + 1, last.number + 13):
        fleet.apply(replace(last, number=number), 0.0)
    assert fans(lines, pool, "reverter") == (), "what it was about has come"
