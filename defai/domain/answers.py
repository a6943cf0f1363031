"""What a session answers when it is asked: quotes, explanations, verifications, previews, backtests.

Flat and JSON-able, like events. None means "not known" or "does not apply".
"""

from decimal import Decimal
from typing import Literal, TypeAlias

from defai.domain.views import CheckView, ForecastView, ParameterCard
from defai.late_dataclass import dataclass

Rated: TypeAlias = Literal["good", "bad"]


@dataclass(frozen=True, slots=True)
class QuoteView:
    """What a swap would give now, by the pool's own arithmetic.

    Attributes:
        amount_in: what the pool would take: less than asked where its liquidity ends.
        price: quote per base that this comes to, fee in it; `price_before` and `price_after` are the pool's own.
        cost_bps: fee and impact against the price before; `fee_bps` is the fee's part.
    """

    pool: str
    block_number: int
    sell_symbol: str
    buy_symbol: str
    amount_in: Decimal
    amount_out: Decimal
    price: Decimal | None
    price_before: Decimal
    price_after: Decimal
    cost_bps: Decimal | None
    fee_bps: Decimal


@dataclass(frozen=True, slots=True)
class ContributionView:
    """What a feature adds to a forecast, in the forecast's unit, against its usual value."""

    feature: str
    value: int
    usually: int | None
    adds: float


@dataclass(frozen=True, slots=True)
class CallView:
    """One call of the vault, in words; `data` is what is sent."""

    to: str
    text: str
    data: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a decision was taken, whether it was allowed, and what came of it.

    Attributes:
        payload: canonical JSON, exactly what the record commits to.
        features: the row that the model was given.
        usual_forecast: what the model says to the usual features, where contributions begin; None without them.
        contributions: the largest first; empty without a model. `contributions_note` says why where they are missing.
        calls: what the vault is told to do; empty for decisions that move nothing.
        outcome: in words; empty while it is under way or where nothing was done.
        record_id: its record's number; None where it is anchored, or not on the chain yet. `anchored` says which.
    """

    agent: str
    digest: str
    sequence: int
    previous_digest: str
    block_number: int
    action: str
    text: str
    reason: str
    verdict: str
    verdict_reason: str
    checks: tuple[CheckView, ...]
    forecast: ForecastView | None
    features: tuple[tuple[str, int], ...]
    usual_forecast: float | None
    contributions: tuple[ContributionView, ...]
    contributions_note: str
    calls: tuple[CallView, ...]
    outcome: str
    status: str
    record_id: int | None
    anchored: bool
    transaction_hash: str | None
    gas_used: int | None
    gas_usd: Decimal | None
    strategy_digest: str
    model_digest: str | None
    payload: str
    previous: int | None = None
    """Sequence of the decision before, and `following` of the one after it, where there is one."""
    following: int | None = None
    rating: Rated | None = None
    rating_why: str = ""


@dataclass(frozen=True, slots=True)
class RungView:
    """One rung of the ladder.

    Attributes:
        name: "integrity", "data", "model", "decision" or "execution".
        standing: "holds", "breaks" or "open" (could not be tried).
        note: what was found, in a sentence.
        comparisons: what was compared: in words, as recorded, as found, and whether they agree.
    """

    name: str
    standing: str
    note: str
    comparisons: tuple[tuple[str, str, str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Verification:
    """What the ladder says of a decision, and how long that took."""

    digest: str
    agent: str
    sequence: int
    record_id: int | None
    rungs: tuple[RungView, ...]
    is_verified: bool
    score: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ParameterPreview:
    """What other parameters would change.

    Attributes:
        errors: by parameter, in words; "" for what concerns them together. With errors, nothing else is told.
        changed: those that would differ: name, before, after.
        text, reason: what the strategy would decide now with them; `text_before` and `reason_before` with what it has.
        verdict, verdict_reason: what the guard would say to it.
        strategy_digest: what decisions would be recorded under.
        notes: what else would follow, in sentences: a model that is not trained for them, an announcement on chain.
        applied: whether they are in force.
    """

    agent: str
    errors: dict[str, str]
    changed: tuple[tuple[str, str, str], ...] = ()
    block_number: int | None = None
    text_before: str = ""
    reason_before: str = ""
    text: str = ""
    reason: str = ""
    verdict: str = ""
    verdict_reason: str = ""
    strategy_digest: str = ""
    notes: tuple[str, ...] = ()
    applied: bool = False


@dataclass(frozen=True, slots=True)
class StrategyCard:
    """A strategy that a backtest can be asked for; `problem` says why it cannot be read, empty where it can."""

    name: str
    summary: str
    origin: str
    form: tuple[ParameterCard, ...] = ()
    needs_model: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SourceCard:
    """History that a backtest can run over.

    Attributes:
        kind: "events", "bars" or "prices"; `fidelity` says in words how exact that is.
        first_time, last_time: seconds since 1970.
    """

    path: str
    kind: str
    title: str
    fidelity: str = ""
    first_time: int | None = None
    last_time: int | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class BacktestWish:
    """A backtest that a person asks for. Everything but strategy and source has a usual value.

    Attributes:
        parameters: of the strategy, as typed.
        timerange: `YYYYMMDD-YYYYMMDD`, both days included; either may be left out.
        balances: what the agent starts with, as typed: "10000USDC", "5WETH"; empty for 30,000 dollars' worth.
    """

    strategy: str
    source: str
    parameters: dict[str, str]
    timerange: str = "-"
    balances: tuple[str, ...] = ()
    baselines: bool = True
    seed: int = 1


@dataclass(frozen=True, slots=True)
class BacktestProgressed:
    """What a backtest is doing; `share` of its blocks or bars are done, 0..1, None where that cannot be told."""

    text: str
    share: float | None
    seconds: float
    steps: int | None = None
    steps_per_s: float | None = None
    equity_usd: float | None = None
    kind: Literal["backtest_progressed"] = "backtest_progressed"


@dataclass(frozen=True, slots=True)
class BacktestRow:
    """The figures of one contender, in the numeraire, None where one cannot be measured."""

    name: str
    is_baseline: bool
    final_usd: float | None
    versus_hold_percent: float | None
    fees_usd: float | None
    impermanent_loss_usd: float | None
    lvr_usd: float | None
    gas_usd: float | None
    in_range_share: float | None
    sharpe: float | None
    max_drawdown: float | None
    trades: int | None
    curve: tuple[tuple[int, float], ...] = ()
    """Seconds since 1970 and equity, a few hundred points."""
    drawdowns: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class BacktestDone:
    """What a backtest came to.

    Attributes:
        title: strategy, history and span, in words; `fidelity` says how exact it is.
        rows: the strategy first, then its baselines.
        prices: seconds since 1970 and the base token's price; `bands` are (from, until, lower, upper) on it.
        decisions: time and text of what moved something, the last few hundred.
        report: the HTML page, a path; `command` makes the same run from a shell.
    """

    title: str
    fidelity: str
    lvr_interval_s: int
    rows: tuple[BacktestRow, ...]
    seconds: float
    prices: tuple[tuple[int, float], ...] = ()
    bands: tuple[tuple[int, int, float, float], ...] = ()
    decisions: tuple[tuple[int, str], ...] = ()
    report: str | None = None
    command: str = ""
    kind: Literal["backtest_done"] = "backtest_done"


BacktestUpdate: TypeAlias = BacktestProgressed | BacktestDone
"""Any number of the first, then one of the second."""
