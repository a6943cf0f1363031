"""What an agent sees upon a block: the context that its strategy is asked with."""

from collections.abc import Mapping, Sequence
from functools import partial
from random import Random
from typing import Final, Protocol

from defai.agent import gas
from defai.agent.desk import Desk
from defai.agent.glimpsed_context import GlimpsedContext
from defai.agent.intent_form import shortened
from defai.domain.decisions import FeatureRow, Forecast
from defai.domain.pool import PoolKey
from defai.features.spec import Definition
from defai.features.stream import watch
from defai.market.window import Observation
from defai.portfolio.pnl import Valued
from defai.strategy.api import Context, Outcome
from defai.strategy.isolation.faults import fault_of
from defai.strategy.pool_view import GlimpsedPoolView
from defai.time_limit import OverrunError, TimeLimit

OWN_FEATURE: Final = "a feature of its author's"
"""What `Outlook.fault` begins with."""


class ForecastModel(Protocol):
    """A trained model, as far as an agent needs it."""

    def predict(self, row: FeatureRow) -> Forecast:
        """The forecast on a feature row."""


class Outlook:
    """Makes an agent's contexts.

    Args:
        agent: its name, which its randomness is made of.
        desk: its money, and the market it stands in.
        features: names of the features it is shown.
        own: the definitions of its author's, where his code runs apart.

    Attributes:
        fault: what was wrong with its author's own features upon the newest block, in words for people; then there is
            no row. Empty where nothing was.
    """

    def __init__(
        self, agent: str, desk: Desk, features: Sequence[str], own: Mapping[str, Definition] | None = None
    ) -> None:
        self._agent = agent
        self._desk = desk
        self._market = desk.market
        self._names = tuple(features)
        self._definitions = own or {}
        self._features = watch(self._names, desk.market, self._definitions)
        authors = [one for one in self._features.spec.features if one.code_digest] if self._features else []
        self._own = ", ".join(one.name for one in authors)
        self._limit = TimeLimit()
        self.fault = ""

    def context(
        self,
        keys: Sequence[PoolKey],
        model: ForecastModel | None,
        valued: Valued,
        outcomes: tuple[Outcome, ...],
    ) -> Context:
        """What there is to see after the newest block.

        Args:
            keys: the pools, the main one first.
            model: asked for the forecast where there is a feature row.
            valued: the agent's portfolio at present prices.
            outcomes: what came of its latest decisions.
        """
        market, desk = self._market, self._desk
        pools = tuple([GlimpsedPoolView(key, market.glimpse(key.address)) for key in keys])
        row = self._row([market.windows[key.address] for key in keys])
        head, valuation = market.head, desk.valuation
        pricing = market.pools[valuation.key.address]
        return GlimpsedContext(
            partial(gas.costs, valuation, pricing.sqrt_price_x96, head.base_fee_wei),
            partial(dice, self._agent, head.number, head.hash),
            head.number,
            head.timestamp,
            head.base_fee_wei,
            pools,
            row,
            model.predict(row) if model and row else None,
            desk.portfolio.positions,
            desk.portfolio.balances,
            valuation.numeraire,
            valuation.base,
            valued.equity_raw,
            outcomes,
        )

    def _row(self, windows: Sequence[Sequence[Observation]]) -> FeatureRow | None:
        """The features; an author's own are computed within his time, and stop his agent alone."""
        self.fault = ""
        if self._features is None or not self._own:
            return self._features.row(windows) if self._features else None
        try:
            return self._limit.ask(self._features.row, windows)
        except OverrunError as overrun:
            wrong = str(overrun)
        except (Exception, SystemExit) as error:  # noqa: BLE001  an author's code may raise anything
            wrong = fault_of(error)
        self.fault = shortened(f"{OWN_FEATURE} ({self._own}) {wrong}")
        self._features = watch(
            self._names, self._market, self._definitions
        )  # what was summed up is half done
        return None


def dice(agent: str, block_number: int, block_hash: str) -> Random:
    """The randomness of a decision."""
    return Random(f"{agent}:{block_number}:{block_hash}")  # noqa: S311  a strategy's draw, not a secret
