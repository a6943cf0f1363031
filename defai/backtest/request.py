"""What a backtest is asked for, as data: it can be written down, read again, and performed anywhere."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from defai.agent.gas import TIP_WEI
from defai.backtest.bars_ground import bars_ground
from defai.backtest.forecasters import ModelChoice, forecasters_for
from defai.backtest.ground import Ground, events_ground, valuation_of
from defai.backtest.metrics import LVR_INTERVAL_S
from defai.backtest.money import DOLLARS
from defai.backtest.prices_ground import LIQUIDITY_USD, SEED, Surroundings, prices_ground
from defai.backtest.runner import BacktestResult, Watch, run
from defai.backtest.sources.base_fees import BaseFeeSeries, read_base_fees
from defai.backtest.sources.detection import SourceKind, detect
from defai.backtest.sources.event_files import read_event_history
from defai.backtest.starts import Shifts, run_from
from defai.backtest.timeranges import parse_timerange
from defai.config import AgentSettings
from defai.errors import ConfigError, DefaiError, did_you_mean
from defai.risk.limits import Limits
from defai.strategy.registry import load, snake_case
from defai.units import GWEI
from defai.worlds.replay import Flow

_BALANCE: Final = re.compile(r"(?P<amount>\d[\d_]*(?:\.\d+)?|\.\d+)\s*(?P<symbol>[A-Za-z][\w.]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestRequest:
    """A backtest before it is run.

    Attributes:
        strategies: names or `file.py:Class`; several live in one market.
        source: the history, a file or a folder.
        parameters: of the first strategy.
        balances: what each agent starts with, by token symbol; empty for 30,000 dollars' worth, half in each token.
        timerange: `YYYYMMDD-YYYYMMDD`, both days included; either may be left out, or be a moment, `YYYYMMDDTHHMM`.
        flow: how recorded swaps are made again.
        numeraire: symbol of the token that counts as money; None leaves it to the pool.
        traded: what the pool trades, where it is not known: `USDC:6/WETH:18@500`.
        gas_gwei: what gas costs, where the history does not say, or instead of it.
        limits: that differ from the usual ones.
        baselines: whether the baselines run beside.
        compare_flows: whether the agents run again with the other flow, so that the difference shows.
        base_fees: a file of what gas cost over time, instead.
        anchor_every: decisions that moved nothing are anchored, and paid for, when so many wait;
            None for about a day's.
        seed: of what is made up around prices.
        liquidity_usd: worth of the others' liquidity around prices.
        step_s: time from block to block around prices; None for that of the file.
        starts: from how many moments the run is made, `shift_s` apart, all of them equally long.
        lvr_interval_s: how often the portfolio that LVR compares with, and the hedge, are adjusted.
        model: what the agents forecast by.
        isolate: whether strategies run in processes of their own.
    """

    strategies: tuple[str, ...]
    source: Path
    parameters: Mapping[str, Any] = field(default_factory=dict)
    balances: Mapping[str, Decimal] = field(default_factory=dict)
    timerange: str = "-"
    flow: str = Flow.AMOUNTS.value
    numeraire: str | None = None
    traded: str | None = None
    gas_gwei: Decimal | None = None
    limits: Mapping[str, str] = field(default_factory=dict)
    baselines: bool = True
    compare_flows: bool = False
    anchor_every: int | None = None
    lvr_interval_s: int = LVR_INTERVAL_S
    base_fees: Path | None = None
    seed: int = SEED
    liquidity_usd: Decimal = LIQUIDITY_USD
    step_s: int | None = None
    starts: int = 1
    shift_s: int | None = None
    model: ModelChoice = field(default_factory=ModelChoice)
    isolate: bool = False


def open_ground(request: BacktestRequest) -> Ground:
    """Read the source of a request.

    Raises:
        NotFoundError: where there is nothing at the path.
        ConfigError: naming what cannot be used.
    """
    kind = detect(request.source)
    first_time, end_time = parse_timerange(request.timerange)
    fees = None if request.base_fees is None else read_base_fees(request.base_fees)
    if fees is not None and request.gas_gwei is not None:
        raise ConfigError("Gas is priced twice: by --gas-gwei and by --base-fees.", "Give one of them.")
    if kind is SourceKind.BARS:
        ground = bars_ground(
            request.source,
            traded=request.traded,
            numeraire=request.numeraire,
            base_fee_wei=_stated_fee_wei(request) or 0,
            base_fee_at=fees.at if fees else None,
            first_time=first_time,
            end_time=end_time,
        )
    elif kind is SourceKind.PRICES:
        ground = prices_ground(
            request.source,
            surroundings=_surroundings(request, fees),
            numeraire=request.numeraire,
            priced_gas=_stated_fee_wei(request) != 0,
            first_time=first_time,
            end_time=end_time,
        )
    else:
        ground = _open_events(request, fees, first_time, end_time)
    if fees is not None and ground.first_time is not None and ground.last_time is not None:
        fees.require(ground.first_time, ground.last_time)
    paid = {"gas_price": _gas_price(request, ground), "base_fees_sha256": fees.sha256 if fees else None}
    return replace(ground, settings={**ground.settings, **paid})


def _open_events(
    request: BacktestRequest, fees: BaseFeeSeries | None, first_time: int | None, end_time: int | None
) -> Ground:
    history = read_event_history(
        request.source, traded=request.traded, first_time=first_time, end_time=end_time
    )
    if request.gas_gwei is not None:
        history = history.with_gas_at(int(request.gas_gwei * GWEI))
    elif fees is not None:
        history = history.with_base_fees(fees.at)
    return events_ground(
        history,
        numeraire=request.numeraire,
        flow=Flow(request.flow),
        first_time=first_time,
        end_time=end_time,
    )


def _stated_fee_wei(request: BacktestRequest) -> int | None:
    """The base fee behind a stated price of gas, which has the tip in it; None where none is stated."""
    if request.gas_gwei is None:
        return None
    return max(int(request.gas_gwei * GWEI) - TIP_WEI, 0)


def _surroundings(request: BacktestRequest, fees: BaseFeeSeries | None) -> Surroundings:
    stated = _stated_fee_wei(request)
    return Surroundings(
        seed=request.seed,
        liquidity_usd=request.liquidity_usd,
        step_s=request.step_s,
        base_fee_at=fees.at if fees else None if stated is None else lambda _: stated,
        pools=_pools_named(request),
    )


def _pools_named(request: BacktestRequest) -> tuple[str, ...]:
    """The pools that the strategies look at; what cannot be loaded says so when its turn comes."""
    names: list[str] = []
    for number, reference in enumerate(request.strategies):
        with suppress(DefaiError):
            wanted = None if number else request.parameters
            names += load(reference, wanted, isolate=request.isolate or None).strategy.pools()
    return tuple(names)


def _gas_price(request: BacktestRequest, ground: Ground) -> str:
    """Where the price of gas comes from, for people."""
    if request.gas_gwei is not None:
        return f"{request.gas_gwei:f} gwei, as stated" if request.gas_gwei else "free, as stated"
    if request.base_fees is not None:
        return f"base fees of {request.base_fees.name}"
    if not ground.priced_gas:
        return "not known: none is charged"
    return "made up around the prices" if ground.kind == "prices" else "recorded base fees"


async def perform(
    request: BacktestRequest, say: Callable[[str], None] = lambda _: None, watch: Watch = lambda _: None
) -> BacktestResult:
    """Read the source, train what has to be trained, and run.

    Args:
        request: what is asked for.
        say: told what is going on.
        watch: told how far each run is.

    Raises:
        DefaiError: in a sentence, where it cannot be done.
    """
    say(f"reading {request.source}")
    ground = open_ground(request)
    say(f"{ground.kind}: {ground.fidelity}")
    return await perform_on(ground, request, say, watch)


async def perform_on(
    ground: Ground,
    request: BacktestRequest,
    say: Callable[[str], None] = lambda _: None,
    watch: Watch = lambda _: None,
) -> BacktestResult:
    """As `perform`, on a source that was read before: many runs may share it.

    Args:
        ground: what `open_ground` gave for this request, or for one that differs in neither source nor time.
        request: what is asked for.
        say: told what is going on.
        watch: told how far each run is.

    Raises:
        DefaiError: in a sentence, where it cannot be done.
    """
    settings = agents_of(request, ground)
    loaded = [load(one.strategy, one.parameters, isolate=one.isolate or None) for one in settings]
    for one in loaded:
        if one.protection:
            say(f"{one.name} runs in a process of its own: {one.protection}")
    models = await forecasters_for(loaded, request.model, request.source, ground, say)
    say(f"running {', '.join(one.name for one in loaded)}")
    go = partial(
        run,
        settings=settings,
        models=models,
        baselines=request.baselines,
        compare_flows=request.compare_flows,
        anchor_every=request.anchor_every or ground.decisions_a_day,
        say=say,
        watch=watch,
    )
    if request.starts == 1:
        return await go(ground)
    shifts = Shifts.over(ground, request.starts, request.shift_s)
    return await run_from(shifts, ground, go, request.lvr_interval_s, say)


def agents_of(request: BacktestRequest, ground: Ground) -> list[AgentSettings]:
    """The agents of a request.

    Raises:
        ConfigError: where it says not what they start with and nobody can tell, or a limit is none.
    """
    money = valuation_of(ground.keys, request.numeraire).numeraire.symbol
    if not request.balances and money not in DOLLARS:
        raise ConfigError(
            f"Nobody can say how much {money} an agent should start with.", f"Say it: --balance 5{money}."
        )
    for name in request.limits:
        if name not in Limits.model_fields:
            known = list(Limits.model_fields)
            hint = did_you_mean(name, known) or f"There are: {', '.join(known)}."
            raise ConfigError(f"There is no limit '{name}'.", hint)
    try:
        limits = Limits.model_validate(dict(request.limits))
        return [
            AgentSettings(
                name=_agent_name(reference, number),
                strategy=reference,
                parameters=dict(request.parameters) if number == 0 else {},
                balances=dict(request.balances),
                isolate=request.isolate,
                limits=limits,
            )
            for number, reference in enumerate(request.strategies)
        ]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{where}: {first['msg']}, not {first['input']!r}.") from error


def _agent_name(reference: str, number: int) -> str:
    """A name for an agent: its strategy's, as far as names go, and its number where it is not the first."""
    plain = re.sub(r"[^a-z0-9_-]", "-", snake_case(reference.rpartition(":")[2] or reference))
    return f"{plain[:24].strip('-_') or 'agent'}{f'-{number + 1}' if number else ''}"


def parse_balances(texts: Sequence[str]) -> dict[str, Decimal]:
    """`10000USDC`, `5WETH`: amounts by token symbol.

    Raises:
        ConfigError: for a text that is no amount of a token, or a token that is there twice.
    """
    balances: dict[str, Decimal] = {}
    for text in texts:
        match = _BALANCE.fullmatch(text.strip())
        if match is None:
            raise ConfigError(f"'{text}' is no balance.", "Write an amount and a token: --balance 10000USDC.")
        if match["symbol"] in balances:
            raise ConfigError(f"The balance of {match['symbol']} is there twice.")
        try:
            balances[match["symbol"]] = Decimal(match["amount"].replace("_", ""))
        except InvalidOperation as error:
            raise ConfigError(f"'{text}' is no balance.") from error
    return balances
