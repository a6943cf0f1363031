"""What a person asks of a running session: quotes, and what other parameters would change."""

import inspect
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Literal

import pytest

from defai.agent.agent import Agent, AgentState
from defai.agent.control import BareControl, Control, PlayerControl
from defai.agent.passing_on import PassingControl
from defai.audit.record import strategy_digest
from defai.chain.mainnet import USDC
from defai.domain.answers import ParameterPreview, QuoteView
from defai.errors import ConfigError, DefaiError, NotFoundError
from defai.market.state import MarketState
from defai.market.valuation import Valuation
from defai.session.fleet import canonical_parameters
from defai.session.parameters import preview, strategy_cards
from defai.session.quoting import quote_swap
from defai.strategy.api import Context, Field, Hold, Intent, PoolView, Strategy, Swap
from defai.strategy.form import form_of
from defai.testing.builders import market_of, pool_with_liquidity
from tests.unit.agent.ports import KEY, Stand

SOURCE = b"class Picky"


class Picky(Strategy):
    """Sells when told to."""

    edge_bps: Annotated[float, Field(gt=0, le=50, description="least gain")] = 5.0
    patience_blocks: Annotated[int, Field(ge=1)] = 3
    side: Literal["buy", "sell"] = "sell"
    eager: bool = False

    def decide(self, ctx: Context) -> Intent:
        """Swap a dollar where eager."""
        if self.patience_blocks == 13:
            raise ArithmeticError("thirteen")
        if not self.eager:
            return Hold(reason=f"waits for {self.edge_bps} bp")
        return Swap(pool=ctx.pool.key.address, zero_for_one=True, amount_in_raw=10**6, reason="eager")


@pytest.fixture
async def picky() -> Agent:
    stand = Stand()
    stand.agent.mandate = replace(stand.agent.mandate, strategy=Picky())
    await stand.block()
    return stand.agent


def asked(agent: Agent, **values: str) -> ParameterPreview:
    return preview(agent, SOURCE, values)


def test_a_form_says_what_each_parameter_may_be() -> None:
    edge, patience, side, eager = form_of(Picky(edge_bps=7))
    assert (edge.type, edge.value, edge.default, edge.unit) == ("number", "7.0", "5.0", "bp")
    assert (edge.minimum, edge.excludes_minimum) == (Decimal(0), True)
    assert (edge.maximum, edge.excludes_maximum) == (Decimal(50), False)
    assert (edge.description, patience.description) == ("least gain", "")
    assert (patience.type, patience.unit, patience.minimum) == ("integer", "blocks", Decimal(1))
    assert patience.maximum is None
    assert (side.type, side.choices) == ("choice", ("buy", "sell"))
    assert (eager.type, eager.value) == ("boolean", "false")


async def test_a_preview_says_what_would_be_decided_and_changes_nothing(picky: Agent) -> None:
    before = picky.desk.portfolio, picky.state, picky.outbox.next_sequence
    said = asked(picky, eager="true", edge_bps=" 6 ")
    assert said.errors == {}
    assert said.changed == (("edge_bps", "5.0", "6.0"), ("eager", "false", "true"))
    assert (said.text_before, said.reason_before) == ("hold", "waits for 5.0 bp")
    assert said.text == "swap 1.0000 USDC → WETH"
    assert (said.reason, said.verdict) == ("eager", "approved")
    other = Picky(eager=True, edge_bps=6)
    assert said.strategy_digest == strategy_digest(SOURCE, canonical_parameters(other))
    assert (picky.desk.portfolio, picky.state, picky.outbox.next_sequence) == before
    assert not said.applied


@pytest.mark.parametrize(
    ("values", "where", "words"),
    [
        ({"edge_bps": "0"}, "edge_bps", "greater than 0"),
        ({"edge_bps": "wide"}, "edge_bps", "valid number"),
        ({"patience_blocks": "1.5"}, "patience_blocks", "valid integer"),
        ({"side": "hold"}, "side", "'buy' or 'sell'"),
        ({"sigma": "1"}, "sigma", "no such parameter"),
    ],
)
async def test_what_does_not_fit_is_said_by_parameter(
    picky: Agent, values: dict[str, str], where: str, words: str
) -> None:
    said = asked(picky, **values)
    assert list(said.errors) == [where]
    assert words in said.errors[where]
    assert said.text == ""


async def test_a_strategy_that_breaks_with_them_stops_nobody(picky: Agent) -> None:
    said = asked(picky, patience_blocks="13")
    assert said.verdict == "denied"
    assert "raised ArithmeticError: thirteen" in said.reason
    assert picky.state is AgentState.RUNNING


def test_strategies_are_listed_with_their_forms() -> None:
    cards = {card.name: card for card in strategy_cards()}
    band = cards["volatility_band"]
    assert [one.name for one in band.form] == ["sigmas", "floor_ticks", "patience"]
    assert (band.needs_model, cards["hold"].needs_model, band.problem) == (True, False, "")


@pytest.fixture
def market() -> MarketState:
    return market_of({KEY: pool_with_liquidity(KEY)})


def quoted(market: MarketState, sell: str, amount: str) -> QuoteView:
    return quote_swap(market, Valuation(KEY, USDC), KEY.address, sell, Decimal(amount))


def test_a_quote_is_what_the_pool_would_give(market: MarketState) -> None:
    said = quoted(market, "USDC", "1000")
    view = PoolView(KEY, market.pools[KEY.address], market.windows[KEY.address])
    own = view.quote(zero_for_one=True, amount_in_raw=1_000 * 10**6)
    assert (said.amount_in, said.amount_out) == (Decimal(1_000), Decimal(own.amount_out_raw).scaleb(-18))
    assert said.price is not None
    assert said.price_before < said.price_after, "buying the base makes it dearer"
    assert said.price_before < said.price
    assert said.cost_bps == Decimal(f"{own.cost_bps:.2f}")
    assert said.cost_bps > said.fee_bps == 5


def test_selling_the_base_makes_it_cheaper(market: MarketState) -> None:
    said = quoted(market, KEY.token1.address, "0.5")
    assert (said.sell_symbol, said.buy_symbol) == ("WETH", "USDC")
    assert said.price is not None
    assert max(said.price, said.price_after) < said.price_before


def test_more_than_the_pool_has_is_quoted_as_what_it_takes(market: MarketState) -> None:
    said = quoted(market, "WETH", "1e12")
    assert 0 < said.amount_in < Decimal("1e12")


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity", "1e-30", "1e70"])
def test_what_is_no_amount_is_refused(market: MarketState, amount: str) -> None:
    with pytest.raises(ConfigError):
        quoted(market, "USDC", amount)


def test_unknown_pools_and_tokens_are_said(market: MarketState) -> None:
    with pytest.raises(NotFoundError, match="does not trade DAI"):
        quoted(market, "DAI", "1")
    with pytest.raises(NotFoundError, match="no pool"):
        quote_swap(market, Valuation(KEY, USDC), "0x00", "USDC", Decimal(1))


def methods_of(kind: type) -> dict[str, inspect.Signature]:
    names = (name for name in dir(kind) if not name.startswith("_"))
    return {name: inspect.signature(getattr(kind, name)) for name in names}


@pytest.mark.parametrize(("kind", "whole"), [(BareControl, Control), (PassingControl, PlayerControl)])
def test_controls_offer_all_of_the_protocol(kind: type, whole: type) -> None:
    assert methods_of(whole).items() <= methods_of(kind).items()
    for name in methods_of(whole):
        assert name in vars(kind) or kind is PassingControl, f"{name} would silently do nothing"


async def test_what_is_not_offered_is_refused_in_a_sentence() -> None:
    for name, signature in methods_of(BareControl).items():
        arguments = ["0x" + "ab" * 32] * (len(signature.parameters) - 1)
        given = getattr(BareControl(), name)(*arguments)
        with pytest.raises(DefaiError, match=r"here\. It takes a running session"):
            _ = [one async for one in given] if hasattr(given, "__aiter__") else await given
