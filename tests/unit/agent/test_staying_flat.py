"""An agent whose edge may be nothing goes out, and not in; the reason names the edge."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from defai.agent.agent import AgentState
from defai.agent.intent_form import LONGEST_REASON
from defai.agent.staying_flat import UNPROVEN, goes_in, stay_flat
from defai.agent.what_if import what_if
from defai.domain.decisions import FeatureRow, Forecast
from defai.models.targets import Target
from defai.strategy.api import (
    Batch,
    ClosePosition,
    CollectFees,
    Context,
    DecreaseLiquidity,
    Edge,
    Hold,
    IncreaseLiquidity,
    Intent,
    OpenPosition,
    Rebalance,
    Swap,
)
from defai.strategy.edge import model_edge
from defai.testing.scripted import Scripted
from tests.unit.agent.ports import KEY, Stand

BUY = Swap(pool=KEY.address, zero_for_one=True, amount_in_raw=10**9, reason="buy WETH")
OPEN = OpenPosition(pool=KEY.address, tick_lower=0, tick_upper=10, amount0_raw=1, amount1_raw=1, reason="in")
CLOSE = ClosePosition(token_id=1, reason="out")


class Claims(Scripted):
    """States the edge that it is made with."""

    low: float = 0.0
    states: bool = True

    def stated_edge(self, ctx: Context) -> Edge | None:  # noqa: ARG002  whatever it sees
        """An interval of two dollars."""
        return Edge.between("the spread", self.low, self.low + 2, "USD") if self.states else None


class Confused(Scripted):
    """Has something else for an edge."""

    def stated_edge(self, ctx: Context) -> Edge | None:
        """Give nonsense."""
        return ctx.block_number  # type: ignore[return-value]  # nonsense is the point


class Forecasts(Scripted):
    """Acts on a forecast of the price's move, or of how wild it gets."""

    kind: str = "return"

    def target(self) -> Target:
        """What it is told of."""
        return Target(self.kind, 6)  # type: ignore[arg-type]  # one of the kinds


class Model:
    """Always says the same, and has beaten its baseline or not."""

    def __init__(self, *, beats: bool | None) -> None:
        self._beats = beats

    def predict(self, row: FeatureRow) -> Forecast:  # noqa: ARG002  it knows already
        return Forecast(1 << 24, "ticks", "a move", "0x" + "33" * 32, beats_baseline=self._beats)


@pytest.mark.parametrize(
    ("low", "states", "trades"), [(0.1, True, 1), (0.0, True, 0), (-1.0, True, 0), (-1.0, False, 1)]
)
async def test_where_zero_is_in_the_interval_of_an_edge_it_holds(
    low: float, states: bool, trades: int
) -> None:
    stand = Stand(BUY, strategy=Claims(low=low, states=states))
    decision = await stand.block()
    assert decision is not None
    assert (len(stand.ports.submitted), stand.agent.decisions["holds"]) == (trades, 1 - trades)
    reason = json.loads(decision.payload)["reason"]
    flat = f"stays flat: the spread may be nothing, {low:.4g} .. {low + 2:.4g} USD; it would buy WETH"
    assert reason == ("buy WETH" if trades else flat)
    assert stand.agent.state is AgentState.RUNNING


@pytest.mark.parametrize(
    ("kind", "beats", "trades"),
    [("return", True, 1), ("return", False, 0), ("return", None, 0), ("volatility", False, 1)],
)
async def test_of_a_forecast_gain_the_edge_is_that_the_model_beats_its_baseline(
    kind: str, beats: bool | None, trades: int
) -> None:
    strategy = Forecasts(kind=kind, wants_features=("return_1",))
    stand = Stand(Hold(reason="young"), BUY, strategy=strategy, model=Model(beats=beats))
    await stand.block()
    decision = await stand.block()
    assert strategy.seen[-1].forecast is not None
    assert len(stand.ports.submitted) == trades
    assert decision is not None
    said = b"stays flat: the gain of its model over its baseline may be nothing"
    assert (said in decision.payload) == (not trades)


@pytest.mark.parametrize("intent", [OPEN, BUY, Batch(intents=(BUY, OPEN), reason="in"), CLOSE])
@pytest.mark.parametrize("beats", [True, False, None])
async def test_who_goes_in_by_a_forecast_that_beats_nothing_says_so(
    intent: Intent, beats: bool | None
) -> None:
    strategy = Forecasts(kind="volatility", wants_features=("return_1",))
    stand = Stand(Hold(reason="young"), intent, strategy=strategy, model=Model(beats=beats))
    await stand.block()
    decision = await stand.block()
    assert decision is not None
    marked = beats is False and intent is not CLOSE
    assert json.loads(decision.payload)["reason"] == intent.reason + UNPROVEN * marked


def test_a_long_reason_leaves_room_for_it() -> None:
    strategy = Forecasts(kind="volatility")
    forecast = Model(beats=False).predict(FeatureRow(1, (), (), "0x" + "22" * 32))
    context = cast("Context", SimpleNamespace(forecast=forecast))
    said = stay_flat(replace(OPEN, reason="x" * 5_000), context, strategy.stated_edge).reason
    assert said.endswith(UNPROVEN)
    assert len(said) == LONGEST_REASON


async def test_what_other_parameters_would_do_is_held_to_the_same() -> None:
    stand = Stand(strategy=Claims(low=1.0))
    await stand.block()
    for low, kind in ((1.0, Swap), (-1.0, Hold)):
        assert isinstance(what_if(stand.agent, Claims(low=low).then(BUY)).verdict.intent, kind)


async def test_an_edge_that_is_none_stops_the_agent_with_the_reason() -> None:
    stand = Stand(Hold(reason="not asked"), BUY, strategy=Confused())
    states = []
    for _ in range(2):
        await stand.block()
        states.append(stand.agent.state)
    assert states == [AgentState.RUNNING, AgentState.STOPPED], "nobody asks for the edge of a hold"
    assert "it stated a int, not an Edge" in stand.agent.state_reason


@pytest.mark.parametrize(
    ("intent", "is_in"),
    [
        (BUY, True),
        (OPEN, True),
        (IncreaseLiquidity(token_id=1, amount0_raw=1, amount1_raw=1, reason="more"), True),
        (Rebalance(pool=KEY.address, tick_lower=0, tick_upper=10, reason="move"), True),
        (Hold(reason="wait"), False),
        (CLOSE, False),
        (DecreaseLiquidity(token_id=1, liquidity=1, reason="less"), False),
        (CollectFees(token_id=1, reason="take"), False),
        (Batch(intents=(CLOSE, BUY), reason="out, and into dollars"), False),
        (Batch(intents=(CLOSE, OPEN), reason="move"), True),
        (Batch(intents=(BUY, BUY), reason="twice"), True),
        (Batch(intents=(CollectFees(token_id=1, reason="take"), BUY), reason="reinvest"), True),
    ],
)
def test_what_goes_in_and_what_goes_out(intent: Intent, is_in: bool) -> None:
    assert goes_in(intent) == is_in


def test_without_a_forecast_of_a_gain_no_edge_is_stated() -> None:
    told = Model(beats=False).predict(FeatureRow(1, (), (), "0x" + "22" * 32))
    assert model_edge(None, told) is None
    assert model_edge(Target("return", 6), None) is None
    assert model_edge(Target("survival", 6, 100), told) is None
    assert model_edge(Target("fee_lvr", 6, 500), told) is not None
