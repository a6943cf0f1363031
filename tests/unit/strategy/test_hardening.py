"""What a strategy is shown cannot be changed by it, does not change under it, and leads nowhere else."""

import copy
import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import FrozenInstanceError, replace
from decimal import Decimal
from enum import Enum
from random import Random

import pytest

from defai.agent.desk import Desk
from defai.agent.outlook import Outlook
from defai.amm import Pool
from defai.amm.frozen import FrozenPool
from defai.chain.mainnet import USDC, USDC_WETH_005, USDC_WETH_030, WETH
from defai.market.glimpse import PassedError
from defai.market.state import MarketState
from defai.market.valuation import Valuation
from defai.market.window import Window
from defai.portfolio.ledger import Portfolio
from defai.risk.limits import Limits
from defai.strategy.api import Context, PoolView
from defai.testing.builders import market_of, next_block, pool_with_liquidity, swap_block

KEYS = (USDC_WETH_005, USDC_WETH_030)
BALANCES = {USDC.address: 10**10, WETH.address: 10**18}
PLAIN = (int, float, str, bytes, bool, Decimal, Enum, type(None), Random)


class Stand:
    """A market with a past, and an agent that looks at it."""

    def __init__(self) -> None:
        self.market = market_of({key: pool_with_liquidity(key) for key in KEYS})
        self.go_on(5)
        self.desk = Desk(
            self.market, Valuation(KEYS[0], USDC), Portfolio.opening(BALANCES), Limits(), lambda _: ()
        )
        self.outlook = Outlook("a", self.desk, ())

    def go_on(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self.market.apply(swap_block(self.market, KEYS[0], zero_for_one=True, amount_in=10**10))

    def context(self) -> Context:
        return self.outlook.context(KEYS, None, self.desk.valued(), ())


def reachable(value: object, seen: set[int] | None = None) -> Iterator[object]:
    """Everything that public names lead to."""
    seen = set() if seen is None else seen
    if id(value) in seen or isinstance(value, PLAIN):
        return
    seen.add(id(value))
    yield value
    if isinstance(value, Mapping):
        inner = [*value.keys(), *value.values()]
    elif isinstance(value, Sequence):
        inner = list(value)
    else:
        inner = [getattr(value, name) for name in dir(value) if not name.startswith("_")]
    for one in inner:
        if not callable(one):
            yield from reachable(one, seen)


def test_public_names_lead_to_nothing_of_the_engine() -> None:
    found = list(reachable(Stand().context()))
    assert any(isinstance(one, FrozenPool) for one in found), "it was looked at closely"
    for one in found:
        assert not isinstance(one, MarketState | Desk | Portfolio | Window | dict | list | set), one
        assert not isinstance(one, Pool) or isinstance(one, FrozenPool)


def test_nothing_in_a_context_can_be_assigned() -> None:
    context = Stand().context()
    for place, name in (
        (context, "timestamp"), (context, "pools"), (context.pool, "state"), (context.pool, "tick"),
        (context.costs, "gas_usd"), (context.pool.history[-1], "tick"), (context.pool.key, "fee_pips"),
        (context.numeraire, "decimals"),
    ):  # fmt: skip
        with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
            setattr(place, name, 1)
    with pytest.raises(TypeError):
        context.balances[USDC.address] = 10**30  # type: ignore[index]  # that it cannot be done is the point
    with pytest.raises(TypeError):
        context.pool.state.swap(zero_for_one=True, amount_specified=10**9)


def test_what_was_looked_at_stays_as_it_was_while_the_market_goes_on() -> None:
    stand = Stand()
    context = stand.context()
    told = (context.pool.tick, context.pool.state.snapshot(), context.pool.history[-1].block_number)
    stand.go_on(3)
    assert (context.pool.tick, context.pool.state.snapshot(), context.pool.history[-1].block_number) == told
    assert stand.context().pool.tick != told[0]


def test_a_context_that_was_kept_does_not_show_what_came_later() -> None:
    stand = Stand()
    context = stand.context()
    tick = context.pool.tick
    stand.go_on()
    assert context.pool.tick == tick
    with pytest.raises(PassedError, match="keep none"):
        _ = context.pool.history
    with pytest.raises(PassedError):
        context.quote(USDC, 10**6)


def test_all_who_look_at_a_block_share_one_copy_and_the_next_block_has_another() -> None:
    stand = Stand()
    first, second = stand.context(), stand.context()
    assert first.pool.state is second.pool.state
    assert first.pool.history is second.pool.history
    stand.go_on()
    assert stand.context().pool.state is not first.pool.state
    stand.market.roll_back(stand.market.head.number - 1)
    assert stand.context().pool.state is not first.pool.state


def test_a_copy_of_a_context_is_a_plain_context() -> None:
    context = Stand().context()
    for again in (copy.copy(context), replace(context)):
        assert type(again) is Context
        assert again.pool.tick == context.pool.tick
        assert tuple(again.pool.history) == tuple(context.pool.history)
    view = pickle.loads(pickle.dumps(context.pool))  # noqa: S301  our own
    assert type(view) is PoolView
    assert type(replace(context.pool)) is PoolView


def test_the_draw_is_the_same_for_the_same_block_and_another_for_the_next() -> None:
    stand = Stand()
    drawn = [stand.context().rng.random() for _ in range(2)]
    assert drawn[0] == drawn[1]
    stand.market.apply(next_block(stand.market))
    assert stand.context().rng.random() != drawn[0]
