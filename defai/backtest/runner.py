"""Runs agents over a history, headless: the same agents, guard and records as anywhere, and their baselines beside.

All agents of a backtest live in one market and see each other's effect. Each baseline lives in a market of its own:
what it says is what would have come of the money without the agents.
"""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from time import perf_counter
from typing import Any, Final, TypeAlias

from defai.agent.agent import Agent, AgentState
from defai.agent.ports import Feed, Opening
from defai.backtest.bar_loop import Asked, BarLoop, Engine, fits
from defai.backtest.curve import EquityCurve
from defai.backtest.ground import BacktestWorld, Ground, tokens_of
from defai.backtest.outcomes import Denials, OutcomeTape
from defai.config import AgentSettings
from defai.domain.decisions import Decision
from defai.domain.pool import PoolKey
from defai.errors import ConfigError, did_you_mean
from defai.market.state import MarketState
from defai.models.trained import TrainedModel
from defai.risk.limits import Limits
from defai.session.fleet import Member, build_agents, parameters_of, seat_requests
from defai.strategy.registry import LoadedStrategy, list_names, load, shipped_folder
from defai.worlds.bars import BarsWorld
from defai.worlds.carrying_out import TradeTape

BASELINES: Final = ("hold", "full_range", "static_band")
"""Strategies that came with defai, and that do at most one thing."""
UNLIMITED: Final = Limits(
    max_slippage_bps=5_000,
    max_trade_usd=Decimal(10**30),
    max_turnover_usd=Decimal(10**30),
    max_base_share=Decimal(1),
    max_gas_usd=Decimal(10**30),
    max_drawdown=Decimal(1),
    twap_seconds=0,
)
"""A baseline is arithmetic, not somebody's money: no guard stops it."""
Watch: TypeAlias = Callable[[float], None]
"""Told how much of its history a run has lived through, 0..1, at every step or every few thousand."""
_NEVER: Final = 1 << 62
_CLOSING_BLOCKS: Final = 8


@dataclass(slots=True)
class AgentRun:
    """What came of one agent.

    Attributes:
        steps: blocks it took part in.
        decisions: all it took, in order.
        outcomes: what became of its transactions.
        denials: why it was denied what it asked for.
        times: when each of them was taken, in seconds since 1970.
        seconds: what running its world took.
        idle: whether it has nothing left to do, as a baseline that has done its one thing.
        stopped: why it decides no more; empty where it does.
    """

    name: str
    strategy: str
    parameters: dict[str, Any]
    agent: Agent
    tape: TradeTape = field(default_factory=TradeTape)
    curve: EquityCurve = field(default_factory=EquityCurve)
    decisions: Sequence[Decision] = field(default=(), repr=False)
    outcomes: OutcomeTape = field(default_factory=OutcomeTape)
    denials: Denials = field(default_factory=Denials)
    times: "array[int]" = field(default_factory=lambda: array("q"), repr=False)
    steps: int = 0
    seconds: float = 0.0
    idle: bool = False
    stopped: str = ""

    @property
    def last_digest(self) -> str:
        """Digest of the agent's last decision: the end of the chain of all of them."""
        return self.agent.outbox.last_digest


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """What came of a backtest.

    Attributes:
        agents: in one market, in the order in which they were given.
        baselines: by name, each in a market of its own, with the first agent's money.
        other_flow: the agents again, where recorded swaps were made again by the other rule; empty if not asked for.
        seconds: what running took, reading the source not included.
        anchor_every: how many decisions that moved nothing went into an anchor.
        starts: what runs from shifted starts came to, of which this is the first; None where there was only one.
    """

    ground: Ground
    agents: tuple[AgentRun, ...]
    baselines: dict[str, AgentRun]
    seconds: float
    other_flow: tuple[AgentRun, ...] = ()
    starts: dict[str, Any] | None = None
    anchor_every: int | None = None


async def run(
    ground: Ground,
    settings: Sequence[AgentSettings],
    *,
    models: Sequence[TrainedModel | None] | None = None,
    baselines: bool = True,
    compare_flows: bool = False,
    anchor_every: int = 50,
    engine: Engine = "auto",
    say: Callable[[str], None] = lambda _: None,
    watch: Watch = lambda _: None,
) -> BacktestResult:
    """Run a backtest.

    Args:
        ground: the history.
        settings: the agents.
        models: theirs, in order; None where none needs one.
        baselines: whether the baselines run beside.
        compare_flows: whether the agents run again with the other flow, where there is one.
        anchor_every: decisions that moved nothing are anchored, and paid for, when so many wait.
        engine: "reference" takes every step of every agent by itself, "columns" wants what can be done at once on many
            bars to be done so, "auto" chooses. The results are the same.
        say: told what is going on.
        watch: told how far it is.

    Raises:
        ConfigError: where a strategy wants pools or tokens that the history does not have.
    """
    began = perf_counter()
    members = [
        _member(one, load(one.strategy, one.parameters, isolate=one.isolate or None), ground.keys)
        for one in settings
    ]
    given = list(models) if models is not None else [None] * len(members)
    agents = await _run_world(ground, members, given, anchor_every, engine, watch)
    again: list[AgentRun] = []
    if compare_flows and ground.other_flow is not None:
        say("running again with the other flow")
        contrast = replace(ground, make_world=ground.other_flow)
        again = await _run_world(contrast, members, given, anchor_every, engine, watch)
    beside: dict[str, AgentRun] = {}
    for name in _baselines_at_hand(say) if baselines else ():
        say(f"running the baseline {name}")
        member = _baseline(name, settings[0], ground.keys)
        beside[name] = (await _run_world(ground, [member], [None], _NEVER, engine, watch, baseline=True))[0]
        beside[name].curve.share(agents[0].curve)
    seconds = perf_counter() - began
    return BacktestResult(ground, tuple(agents), beside, seconds, tuple(again), anchor_every=anchor_every)


def _baselines_at_hand(say: Callable[[str], None]) -> list[str]:
    """The baselines; without the folder of strategies that came with defai there are none, and the rest goes on."""
    there = {entry.name for entry in list_names(shipped_folder())}
    for name in BASELINES:
        if name not in there:
            say(f"the baseline {name} is not there: {shipped_folder()} does not have it")
    return [name for name in BASELINES if name in there]


def _baseline(name: str, beside: AgentSettings, keys: Sequence[PoolKey]) -> Member:
    """A baseline with the money of the agent that it stands beside."""
    alone = AgentSettings(
        name=name.replace("_", "-"),
        strategy=name,
        usd=beside.usd,
        balances=beside.balances,
        limits=UNLIMITED,
    )
    return _member(alone, load(name, folder=shipped_folder(), isolate=False), keys)


def _member(settings: AgentSettings, loaded: LoadedStrategy, keys: Sequence[PoolKey]) -> Member:
    """Give a strategy its pools: by name, or the history's only one for a strategy that looks at one."""
    wanted = loaded.strategy.pools()
    by_name = {key.name: key for key in keys}
    if len(keys) == 1 and len(wanted) == 1:
        return Member(settings, loaded, tuple(keys))
    for name in wanted:
        if name not in by_name:
            hint = did_you_mean(name, list(by_name)) or f"It has: {', '.join(by_name)}."
            raise ConfigError(f"{loaded.name} looks at a pool '{name}' that the history does not have.", hint)
    return Member(settings, loaded, tuple(by_name[name] for name in wanted))


async def _run_world(
    ground: Ground,
    members: Sequence[Member],
    models: Sequence[TrainedModel | None],
    anchor_every: int,
    engine: Engine,
    watch: Watch,
    *,
    baseline: bool = False,
) -> list[AgentRun]:
    began = perf_counter()
    requests = seat_requests(members, tokens_of(ground.keys), ground.valuation.numeraire)
    world = ground.make_world(requests)
    try:
        opening = await world.open()
        agents = build_agents(members, models, world, opening, ground.valuation, None, anchor_every)
        runs = [
            AgentRun(member.settings.name, member.loaded.name, parameters_of(member.loaded), agent)
            for member, agent in zip(members, agents, strict=True)
        ]
        for one in runs:
            one.agent.desk.witness = one.outcomes.keep
        tell = partial(_tell, watch, ground)
        await _live(world, opening, runs, engine, tell, baseline=baseline)
    finally:
        await world.close()
    for one in runs:
        one.tape = world.till.tapes.get(one.name, one.tape)
        one.stopped = "" if one.agent.state is AgentState.RUNNING else one.agent.state_reason
        one.decisions = world.audit_log.of(one.name)
        one.seconds = perf_counter() - began
    return runs


def _tell(watch: Watch, ground: Ground, moment: int) -> None:
    watch(ground.share_at(moment))


async def _live(
    world: BacktestWorld,
    opening: Opening,
    runs: Sequence[AgentRun],
    engine: Engine,
    tell: Callable[[int], None],
    *,
    baseline: bool,
) -> None:
    market, feed = opening.market, world.feed
    for one in runs:
        one.agent.desk.start_counting()
        one.curve.sample(one.agent.desk)
        one.idle = baseline and one.strategy == "hold"
    feed.begin()
    if isinstance(world, BarsWorld) and len(runs) == 1 and fits(world, runs[0], engine):
        step = partial(_step, runs[0], baseline=baseline)
        await BarLoop(world, market, runs[0], lambda asked: step(asked=asked), tell).live()
    while (arrival := await feed.next()) is not None:
        market.apply(arrival.block)
        for one in runs:
            await _step(one, baseline=baseline)
        tell(market.head.timestamp)
    end = market.head.timestamp
    await _wind_down(feed, market, runs, anchor=not baseline)
    for one in runs:
        one.curve.sample(one.agent.desk, end)


async def _step(one: AgentRun, *, baseline: bool, asked: Asked | None = None) -> None:
    """Let an agent take part in the newest block. A baseline that has done its one thing is only watched."""
    one.steps += 1
    valued = None
    if not one.idle:
        denied = one.agent.decisions["denied"]
        decision = await one.agent.step(perf_counter(), asked)
        valued = one.agent.valued
        if decision is not None:
            one.times.append(one.agent.desk.market.head.timestamp)
            if one.agent.decisions["denied"] > denied:
                one.denials.keep(decision)
        one.idle = baseline and bool(one.agent.desk.portfolio.positions)
    if one.curve.is_due(one.agent.desk):
        one.curve.sample(one.agent.desk, valued=valued)


async def _wind_down(feed: Feed, market: MarketState, runs: Sequence[AgentRun], *, anchor: bool) -> None:
    """Settle what is under way and anchor what waits, in as few blocks as it takes."""
    for _ in range(_CLOSING_BLOCKS):
        for one in runs:
            await one.agent.settle()
            if anchor:
                await one.agent.flush()
        if all([await one.agent.settle() for one in runs]):
            return
        arrival = await feed.make_block()
        if arrival is None:
            return
        market.apply(arrival.block)
