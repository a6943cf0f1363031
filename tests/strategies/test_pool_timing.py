"""Pool timing: in the pool while fees are forecast to pay, out of it otherwise, flat without an edge."""

from dataclasses import replace

import pytest

from defai.domain.decisions import FeatureRow
from defai.domain.intents import ClosePosition, OpenPosition
from defai.strategy.api import Context
from defai.testing.builders import START_TICK
from tests.strategies.scenes import band, both, dear, decide, expected, held

INSIDE = band(START_TICK - 400, START_TICK + 400)


def facing(ratio: float, *, beats: bool = True, positioned: bool = False, log_variance: int = 5) -> Context:
    """A forecast of the ratio, a variance of two to this power in squared ticks a block, and gas for nothing."""
    row = FeatureRow(1, ("log_volatility_480",), (log_variance << 16,), "0x" + "22" * 32)
    ctx = replace(dear(both(forecast=expected(ratio, beats=beats)), 0.01), features=row)
    return replace(ctx, positions=(INSIDE,)) if positioned else ctx


def test_it_goes_in_where_fees_are_expected_to_pay() -> None:
    intent = decide("pool_timing", facing(1.5), half_width=400)
    assert isinstance(intent, OpenPosition)
    assert intent.tick_lower < START_TICK < intent.tick_upper
    assert "fees of 1.50 times LVR expected" in intent.reason
    assert "waits for history" in held("pool_timing", both())
    assert "out of the pool: fees of 1.20" in held("pool_timing", facing(1.2), enter=1.3)


def test_it_stays_out_where_going_in_costs_more_than_it_brings() -> None:
    assert "going in and out costs 8000.00" in held("pool_timing", dear(facing(1.5), 1_000.0))
    assert "going in and out costs 0.08" in held("pool_timing", facing(1.5, log_variance=-20))


def test_it_leaves_when_fees_no_longer_pay_or_the_price_has_left() -> None:
    assert "stays in the pool" in held("pool_timing", facing(1.1, positioned=True), leave=1.0)
    assert isinstance(decide("pool_timing", facing(0.9, positioned=True), leave=1.0), ClosePosition)
    gone = replace(facing(2.0), positions=(band(START_TICK + 400, START_TICK + 800),))
    assert isinstance(decide("pool_timing", gone), ClosePosition)


@pytest.mark.parametrize("positioned", [False, True])
def test_without_an_edge_it_is_flat(positioned: bool) -> None:
    intent = decide("pool_timing", facing(3.0, beats=False, positioned=positioned))
    assert isinstance(intent, ClosePosition) == positioned
    assert not isinstance(intent, OpenPosition)
    assert "stays flat: its model does not beat its baseline" in intent.reason
