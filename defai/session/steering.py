"""A session's `Control`: what a person may do to it and ask of it while it runs."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field, TypeAdapter

from defai.agent.agent import AgentState
from defai.agent.control import BareControl
from defai.agent.pending import REJECTED, WITHDRAWN
from defai.agent.ports import OwnedExecutor, PublicWorld
from defai.domain.answers import (
    BacktestUpdate,
    BacktestWish,
    Explanation,
    ParameterPreview,
    QuoteView,
    Rated,
    SourceCard,
    StrategyCard,
    Verification,
)
from defai.domain.decisions import Approval
from defai.domain.stream import Notice
from defai.errors import ConfigError, DefaiError, NotFoundError
from defai.session.apart import lines_of
from defai.session.asked_apart import source_cards, verified
from defai.session.parameters import judged, preview, strategy_cards
from defai.session.quoting import quote_swap

if TYPE_CHECKING:
    from defai.agent.agent import Agent
    from defai.agent.pending import Pending
    from defai.market.state import MarketState
    from defai.session.session import Session

_UPDATES: Final[TypeAdapter[BacktestUpdate]] = TypeAdapter(
    Annotated[BacktestUpdate, Field(discriminator="kind")]
)


OPERATOR = "the operator"
OWNER = "the owner"


class Steering(BareControl):
    """Steers one session, on its loop.

    Args:
        session: whose agents, market and run these are.
    """

    def __init__(self, session: "Session") -> None:
        self._session = session

    async def pause(self, agent: str) -> None:
        """Let an agent decide nothing until it is resumed; what waits for the owner is withdrawn."""
        await self._pause([self._named(agent)], "paused by the operator")

    async def resume(self, agent: str) -> None:
        """Let a paused, waiting or stopped agent decide again; what it decided before is anchored first.

        So a batch has decisions from one side of the pause only, and whoever decides again finds it.
        """
        resumed = self._named(agent)
        if resumed.pending:
            await resumed.dismiss(WITHDRAWN, OPERATOR, "resumed by the operator")
        await resumed.flush()
        resumed.change_state(AgentState.RUNNING, "resumed by the operator")

    async def halt_all(self) -> None:
        """Pause every agent."""
        await self._pause(self._session.agents, "all halted by the operator")

    async def approve(self, digest: str, signature: str = "") -> None:
        """Carry out a decision that waits, with the owner's signature."""
        agent, pending = self._waiting(digest)
        executor: object = self._session.world.executor if self._session.world else None
        approval = Approval(pending.expires_at)
        if isinstance(executor, OwnedExecutor):
            given = _signature(signature)
            approval = await executor.approve(agent.name, pending.decision, pending.expires_at, given)
        if agent.pending is not pending:
            raise NotFoundError(f"Decision {digest[:10]}… waits no more.")
        await agent.approve(approval, OWNER)

    async def reject(self, digest: str, reason: str) -> None:
        """Drop a decision that waits."""
        agent, _ = self._waiting(digest)
        await agent.dismiss(REJECTED, OWNER, reason)

    async def stop(self) -> None:
        """End the session after the block under way."""
        self._session.request_stop()

    async def rate(self, digest: str, verdict: Rated, why: str = "") -> None:
        """Keep what the operator thinks of a decision in the run's directory."""
        from defai.session.ratings import rate_digest  # noqa: PLC0415  asked for now and then

        await asyncio.to_thread(rate_digest, self._run(), digest, verdict, why)

    async def quote(self, pool: str, sell_token: str, amount: Decimal) -> QuoteView:
        """What selling an amount would give after the newest block."""
        return quote_swap(self._market, self._session.valuation, pool, sell_token, amount)

    async def explain(self, digest: str) -> Explanation:
        """Everything there is to know of a decision; its calls from the chain, once they are there."""
        from defai.session.why import calls_of, explain, find_decision  # noqa: PLC0415  asked for now and then

        run = self._run()
        kept = await asyncio.to_thread(find_decision, run, digest)
        agent = self._named(kept["agent"])
        told = await asyncio.to_thread(explain, agent, kept, self._session.book, run)
        rpc_url = self._rpc_url()
        if told.transaction_hash is None or not rpc_url:
            return told
        return replace(told, calls=await calls_of(rpc_url, told.transaction_hash))

    async def verify(self, digest: str) -> Verification:
        """Climb the ladder in a process of its own, from the session's chain alone."""
        from defai.session.whereabouts import off_chain  # noqa: PLC0415  asked for now and then
        from defai.session.why import find_decision  # noqa: PLC0415  the same

        world, rpc_url = self._session.world, self._rpc_url()
        if world is None or not rpc_url:
            raise NotFoundError("This session has no chain to verify on.")
        kept = await asyncio.to_thread(find_decision, self._run(), digest)
        why = off_chain(self._named(kept["agent"]), kept["sequence"], digest, self._session.book)
        if why:
            raise NotFoundError(why)
        return await verified(
            kept["agent"],
            kept["sequence"],
            rpc_url=rpc_url,
            contract=world.audit_log.domain.contract,
            folders=self._folders(),
        )

    async def preview_parameters(self, agent: str, values: Mapping[str, str]) -> ParameterPreview:
        """Whether an agent's strategy takes these parameters, and what it would decide now with them."""
        return preview(self._named(agent), self._source_of(agent), values)

    async def set_parameters(self, agent: str, values: Mapping[str, str]) -> ParameterPreview:
        """As `preview_parameters`; where they fit they are announced, and in force from the next block on."""
        named, source = self._named(agent), self._source_of(agent)
        shown, strategy = judged(named, source, values)
        if strategy is None or shown.errors:
            return shown
        if shown.notes:
            raise ConfigError(f"{agent} goes on as it was: {shown.notes[0]}.")
        self._session.tuning.want(named, source, strategy)
        changes = ", ".join(f"{name} {before} → {after}" for name, before, after in shown.changed)
        self._session.bus.publish(Notice("info", f"{agent} decides by {changes or 'the same'} from now on."))
        return shown

    async def strategies(self) -> tuple[StrategyCard, ...]:
        """Strategies that a backtest can be asked for."""
        return await asyncio.to_thread(strategy_cards)

    async def sources(self) -> tuple[SourceCard, ...]:
        """History that a backtest can run over: data sets and recordings of this user."""
        found = [line async for line in lines_of("defai", ["list-data", "--json"])]
        return source_cards(json.loads(b"".join(found)))

    async def backtest(self, wish: BacktestWish) -> AsyncIterator[BacktestUpdate]:
        """Run a backtest in a process of its own."""
        words = TypeAdapter(BacktestWish).dump_json(wish)
        async with aclosing(lines_of("defai.backtest.answering", [], words=words)) as lines:
            async for line in lines:
                yield _UPDATES.validate_json(line)

    def _folders(self) -> list[str]:
        """Where the sources of the fleet's strategies are."""
        origins = {Path(member.loaded.origin) for member in self._session.members}
        return sorted({str(origin.parent) for origin in origins if origin.is_file()})

    def _rpc_url(self) -> str:
        """Where the session's chain answers; empty where it has none."""
        world: object = self._session.world
        return world.rpc_url if isinstance(world, PublicWorld) else ""

    def _run(self) -> Path:
        run = self._session.run_directory
        if run is None:
            raise NotFoundError("This session keeps no run, so nothing of a decision is at hand.")
        return run

    @property
    def _market(self) -> "MarketState":
        market = self._session.market
        if market is None:
            raise NotFoundError("There is no market yet: the session is being set up.")
        return market

    @staticmethod
    async def _pause(agents: "Sequence[Agent]", reason: str) -> None:
        """First nobody decides any more: to withdraw what waits may take a node's answer, and may fail."""
        failure = None
        for agent in agents:
            agent.change_state(AgentState.PAUSED, reason)
        for agent in agents:
            try:
                if agent.pending:
                    await agent.dismiss(WITHDRAWN, OPERATOR, reason)
            except DefaiError as error:
                failure = failure or error
        if failure is not None:
            raise failure

    def _waiting(self, digest: str) -> "tuple[Agent, Pending]":
        for agent in self._session.agents:
            if agent.pending and agent.pending.decision.digest == digest:
                return agent, agent.pending
        raise NotFoundError(
            f"No decision {digest[:10]}… waits for the owner.",
            "It was answered, withdrawn, or its time is over.",
        )

    def _named(self, name: str) -> "Agent":
        for agent in self._session.agents:
            if agent.name == name:
                return agent
        names = ", ".join(agent.name for agent in self._session.agents)
        raise NotFoundError(f"There is no agent called '{name}'.", f"There are: {names}.")

    def _source_of(self, name: str) -> bytes:
        return next(member.loaded.source for member in self._session.members if member.settings.name == name)


def _signature(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise ConfigError("The signature is no hex.", "It has 0x and 130 hex digits.") from None
