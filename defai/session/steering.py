"""A session's `Control`: what a person may do to it and ask of it while it runs."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from defai.agent.agent import AgentState
from defai.agent.control import BareControl
from defai.domain.answers import ParameterPreview, QuoteView, Rated, StrategyCard
from defai.errors import NotFoundError
from defai.session.parameters import preview, strategy_cards
from defai.session.quoting import quote_swap

if TYPE_CHECKING:
    from defai.agent.agent import Agent
    from defai.market.state import MarketState
    from defai.session.session import Session


class Steering(BareControl):
    """Steers one session, on its loop.

    Args:
        session: whose agents, market and run these are.
    """

    def __init__(self, session: "Session") -> None:
        self._session = session

    async def pause(self, agent: str) -> None:
        """Let an agent decide nothing until it is resumed."""
        self._named(agent).change_state(AgentState.PAUSED, "paused by the operator")

    async def resume(self, agent: str) -> None:
        """Let a paused, waiting or stopped agent decide again."""
        self._named(agent).change_state(AgentState.RUNNING, "resumed by the operator")

    async def halt_all(self) -> None:
        """Pause every agent."""
        for agent in self._session.agents:
            agent.change_state(AgentState.PAUSED, "all halted by the operator")

    async def stop(self) -> None:
        """End the session after the block under way."""
        self._session.request_stop()

    async def rate(self, digest: str, verdict: Rated, why: str = "") -> None:
        """Keep what the operator thinks of a decision in the run's directory."""
        run = self._session.run_directory
        if run is None:
            raise NotFoundError("This session keeps no run, so there is nowhere to keep a rating.")
        from defai.session.ratings import rate_digest  # noqa: PLC0415  asked for now and then

        await asyncio.to_thread(rate_digest, run, digest, verdict, why)

    async def quote(self, pool: str, sell_token: str, amount: Decimal) -> QuoteView:
        """What selling an amount would give after the newest block."""
        return quote_swap(self._market, self._session.valuation, pool, sell_token, amount)

    async def preview_parameters(self, agent: str, values: Mapping[str, str]) -> ParameterPreview:
        """Whether an agent's strategy takes these parameters, and what it would decide now with them."""
        return preview(self._named(agent), self._source_of(agent), values)

    async def strategies(self) -> tuple[StrategyCard, ...]:
        """Strategies that a backtest can be asked for."""
        return await asyncio.to_thread(strategy_cards)

    @property
    def _market(self) -> "MarketState":
        market = self._session.market
        if market is None:
            raise NotFoundError("There is no market yet: the session is being set up.")
        return market

    def _named(self, name: str) -> "Agent":
        for agent in self._session.agents:
            if agent.name == name:
                return agent
        raise NotFoundError(f"There is no agent called '{name}'.")

    def _source_of(self, name: str) -> bytes:
        return next(member.loaded.source for member in self._session.members if member.settings.name == name)
