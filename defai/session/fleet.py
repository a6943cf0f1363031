"""From settings to agents: strategies with their parameters, models, desks and outboxes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from defai.agent.agent import Agent, Mandate
from defai.agent.desk import Desk
from defai.agent.ports import LastingWorld, Opening, PublicWorld, World
from defai.agent.returning import Returning
from defai.audit.charter import Charter
from defai.audit.outbox import Outbox
from defai.audit.record import strategy_digest
from defai.config import AgentSettings, Settings
from defai.domain.decisions import ZERO_DIGEST
from defai.domain.pool import PoolKey
from defai.domain.stream import AgentCard, PoolCard, SessionStarted, StreamEvent
from defai.domain.tokens import Address, Token
from defai.errors import ConfigError, did_you_mean
from defai.features.spec import FeatureSpec
from defai.market.valuation import Valuation
from defai.models.trained import TrainedModel
from defai.portfolio.ledger import Portfolio
from defai.session.charters import check_charters
from defai.strategy.api import Strategy
from defai.strategy.form import form_of, text_of
from defai.strategy.registry import LoadedStrategy, load
from defai.units import to_raw
from defai.worlds.seating import SeatRequest


@dataclass(frozen=True, slots=True)
class Member:
    """An agent of the fleet before it has a world."""

    settings: AgentSettings
    loaded: LoadedStrategy
    pools: tuple[PoolKey, ...]


def load_fleet(settings: Settings, pools: Sequence[PoolKey]) -> tuple[Member, ...]:
    """Load every agent's strategy and find its pools.

    Raises:
        NotFoundError: for an unknown strategy.
        ConfigError: for a parameter that does not fit, a pool that the network does not have, or features that need
            a pool more than the strategy names.
    """
    by_name = {key.name: key for key in pools}
    members = []
    for agent in settings.agents:
        loaded = load(
            agent.strategy, agent.parameters, first=settings.strategies_dir, isolate=agent.isolate or None
        )
        wanted = _wishes(agent.name, loaded)
        for name in wanted:
            if name not in by_name:
                hint = did_you_mean(name, list(by_name)) or f"There are: {', '.join(by_name)}."
                raise ConfigError(
                    f"The agent '{agent.name}' looks at a pool '{name}' that is not there.", hint
                )
        members.append(Member(agent, loaded, tuple(by_name[name] for name in wanted)))
    return tuple(members)


def _wishes(agent: str, loaded: LoadedStrategy) -> tuple[str, ...]:
    """The pools a strategy names; its author's methods may raise, and its features have to go with the pools."""
    strategy = loaded.strategy
    try:
        pools, names = strategy.pools(), strategy.features()
        strategy.target()
    except Exception as error:
        raise ConfigError(
            f"The strategy {loaded.name} of agent '{agent}' does not say what it needs: "
            f"{type(error).__name__}: {error}."
        ) from error
    if not pools:
        raise ConfigError(f"The strategy {loaded.name} of agent '{agent}' names no pool.")
    if names and FeatureSpec.of(names).pools > len(pools):
        raise ConfigError(
            f"The strategy {loaded.name} of agent '{agent}' has features of two pools and names one.",
            "Name the second in pools().",
        )
    return pools


def tell_protection(members: Sequence[Member], say: Callable[[str], None]) -> None:
    """Say what protects from the strategies that run in processes of their own."""
    for one in members:
        if one.loaded.protection:
            say(f"{one.settings.name} runs in a process of its own: {one.loaded.protection}")


def seat_requests(
    members: Sequence[Member], tokens: Mapping[str, Token], numeraire: Token
) -> list[SeatRequest]:
    """What each agent starts with.

    Raises:
        ConfigError: for a token the network does not have.
    """
    requests = []
    for member in members:
        balances: dict[Address, int] = {}
        for symbol, amount in member.settings.balances.items():
            if symbol not in tokens:
                hint = did_you_mean(symbol, list(tokens)) or f"There are: {', '.join(tokens)}."
                raise ConfigError(
                    f"The agent '{member.settings.name}' starts with an unknown token '{symbol}'.", hint
                )
            balances[tokens[symbol].address] = to_raw(amount, tokens[symbol].decimals)
        worth = to_raw(member.settings.usd or Decimal(0), numeraire.decimals)
        names = tuple(key.name for key in member.pools)
        requests.append(SeatRequest(member.settings.name, worth, balances, member.settings.limits, names))
    return requests


def build_agents(
    members: Sequence[Member],
    models: Sequence[TrainedModel | None],
    world: World,
    opening: Opening,
    valuation: Valuation,
    publish: Callable[[StreamEvent], None] | None,
    anchor_every: int,
) -> list[Agent]:
    """Put every member on its seat."""
    kind = Returning if isinstance(world, LastingWorld) else Agent
    agents: list[Agent] = []
    for member, model, seat in zip(members, models, opening.seats, strict=True):
        name = member.settings.name
        mandate = Mandate(
            name=name,
            strategy_name=member.loaded.name,
            strategy=member.loaded.strategy,
            strategy_digest=strategy_digest(member.loaded.source, parameters_of(member.loaded)),
            pools=member.pools,
            model=model,
            anchor_every=anchor_every,
            features=model.spec.names if model else None,
        )

        desk = Desk(
            opening.market,
            valuation,
            Portfolio.opening(seat.balances),
            member.settings.limits,
            encode=partial(world.executor.encode, name),
        )
        outbox = Outbox(
            seat.agent_id, world.audit_log.domain, seat.next_sequence, seat.last_digest or ZERO_DIGEST
        )
        agents.append(kind(mandate, seat, desk, outbox, world.executor, world.audit_log, publish))
    return agents


async def announce(
    world: World,
    agents: Sequence[Agent],
    members: Sequence[Member],
    models: Sequence[TrainedModel | None],
    warm_up: int,
    settings: Settings,
) -> dict[str, Any]:
    """Register the fleet's models and put the agents' charters on the chain, where the world has one.

    Returns:
        Where the records are, for those who want to verify them; nothing where there is no chain.

    Raises:
        ConfigError: where a run is taken up with another fleet than it began with.
    """
    if not isinstance(world, PublicWorld) or not world.rpc_url:
        return {}
    distinct = {model.digest: model for model in models if model is not None}
    write = partial(charters, agents, members, models, warm_up)
    if isinstance(world, LastingWorld) and world.charters:
        registry = next((charter.registry for charter in world.charters.values() if charter.registry), None)
        changing = settings.models.live_retrain_hours > 0
        check_charters(world.charters, write(registry), models_may_change=changing)
    await world.announce(write, tuple(distinct.values()))
    domain = world.audit_log.domain
    return {"rpc_url": world.rpc_url, "chain_id": domain.chain_id, "audit_contract": domain.contract}


def charters(
    agents: Sequence[Agent],
    members: Sequence[Member],
    models: Sequence[TrainedModel | None],
    warm_up: int,
    registry: Address | None,
) -> dict[str, bytes]:
    """What each agent sets out with, as it is announced on the chain; no agent has moved yet.

    Args:
        agents: on their seats.
        members: the same, before.
        models: theirs.
        warm_up: blocks to live through before the first decision.
        registry: where the models will be.
    """
    return {
        agent.name: _charter(agent, member.loaded, model, warm_up, registry).encode()
        for agent, member, model in zip(agents, members, models, strict=True)
    }


def _charter(
    agent: Agent, loaded: LoadedStrategy, model: TrainedModel | None, warm_up: int, registry: Address | None
) -> Charter:
    desk, mandate = agent.desk, agent.mandate
    opens = desk.market.head.number
    return Charter(
        agent_id=agent.seat.agent_id,
        name=agent.name,
        strategy=mandate.strategy_name,
        strategy_class=type(mandate.strategy).__name__,
        strategy_digest=mandate.strategy_digest,
        parameters=parameters_of(loaded),
        features=mandate.watched,
        pools=tuple(key.address for key in mandate.pools),
        watched=tuple(desk.market.keys),
        pricing_pool=desk.valuation.key.address,
        numeraire=desk.valuation.numeraire.address,
        limits=desk.limits.model_dump(mode="json"),
        funds=tuple(agent.seat.balances.items()),
        opens=opens,
        counts_from=opens + warm_up,
        model_digest=model.digest if model else None,
        registry=registry if model else None,
    )


def agent_card(agent: Agent, model: TrainedModel | None) -> AgentCard:
    """An agent, for the stream."""
    return AgentCard(
        name=agent.name,
        strategy=agent.mandate.strategy_name,
        agent_id=agent.seat.agent_id,
        vault=agent.seat.vault,
        pools=tuple(key.address for key in agent.mandate.pools),
        parameters=texts_of(agent.mandate.strategy),
        model_digest=model.digest if model else None,
        form=form_of(agent.mandate.strategy),
    )


def texts_of(strategy: Strategy) -> dict[str, str]:
    """A strategy's parameters as a person reads them."""
    return {name: text_of(value) for name, value in strategy.model_dump(mode="json").items()}


def parameters_of(loaded: LoadedStrategy) -> dict[str, Any]:
    """A strategy's parameters as canonical values: numbers as their shortest text, so that no float is among them."""
    return canonical_parameters(loaded.strategy)


def canonical_parameters(strategy: Strategy) -> dict[str, Any]:
    """As `parameters_of`, of a strategy by itself."""
    return {key: _without_floats(value) for key, value in strategy.model_dump(mode="json").items()}


def _without_floats(value: object) -> object:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, list):
        return [_without_floats(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_floats(item) for key, item in value.items()}
    return value


def started(
    settings: Settings,
    world: World,
    first_block: int,
    fleet: Sequence[tuple[Agent, TrainedModel | None]],
    pools: Iterable[PoolKey],
    valuation: Valuation,
    run_directory: Path | None,
) -> SessionStarted:
    """The event that opens a session's stream."""
    base, quote = valuation.base.symbol, valuation.numeraire.symbol
    return SessionStarted(
        network=world.network,
        chain_id=world.chain_id,
        seed=settings.market.seed,
        first_block=first_block,
        numeraire=quote,
        pools=tuple(
            PoolCard(key.address, key.name, key.fee_pips, base, quote, key.tick_spacing) for key in pools
        ),
        agents=tuple(agent_card(agent, model) for agent, model in fleet),
        run_directory=str(run_directory) if run_directory else None,
    )
