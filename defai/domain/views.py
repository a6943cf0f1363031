"""What a person looks at: the flat values that events carry and that questions are answered with.

Amounts are Decimals in the unit their name says, None where something is not known or does not apply.
"""

from decimal import Decimal

from defai.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class PoolQuote:
    """A pool after a block. `price` is quote token per base token (USDC per WETH)."""

    address: str
    price: Decimal
    tick: int
    liquidity: int
    swaps: int


@dataclass(frozen=True, slots=True)
class PositionView:
    """A liquidity position, as a person looks at it. Prices are quote per base, value is in the numeraire."""

    token_id: int
    pool: str
    tick_lower: int
    tick_upper: int
    price_lower: Decimal
    price_upper: Decimal
    in_range: bool
    value_usd: Decimal
    fees_owed_usd: Decimal


@dataclass(frozen=True, slots=True)
class PnlParts:
    """Where an agent's gain came from, since it began to count, in the numeraire.

    What was held would have made `market`; the rest explains the difference, but for what liquidity made of its
    conversions beyond its losses. None: not known.

    Attributes:
        pnl_usd: equity less what it began with.
        market_usd: what holding that would have made.
        fees_usd: fees earned, collected or owed, at present prices.
        impermanent_loss_usd: what its liquidity is worth less than the tokens put in, at or above zero, over all
            positions, open and closed.
        lvr_usd: loss versus rebalancing, adjusted every `lvr_interval_s` seconds at the soonest.
        gas_usd: gas paid, each payment valued when it was made.
        swap_cost_usd: what its own swaps gave less than the price before them: pool fee and impact.
        realized_usd: gains that prices cannot take back: base tokens at average cost, a position's conversions
            counted as trades; fees, gas and swap costs are in it.
        unrealized_usd: the present worth of all base tokens less what they cost; with `realized_usd` it is `pnl_usd`.
    """

    pnl_usd: Decimal
    market_usd: Decimal
    fees_usd: Decimal
    impermanent_loss_usd: Decimal | None
    lvr_usd: Decimal | None
    lvr_interval_s: int
    gas_usd: Decimal
    swap_cost_usd: Decimal | None
    realized_usd: Decimal | None
    unrealized_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class PortfolioView:
    """What an agent owns after a block; gas paid so far is already taken off the equity."""

    equity_usd: Decimal
    hodl_usd: Decimal
    initial_usd: Decimal
    fees_earned_usd: Decimal
    gas_usd: Decimal
    balances: tuple[tuple[str, Decimal], ...]
    positions: tuple[PositionView, ...]
    base_share: Decimal
    """Share of the equity held in the base token (WETH), 0..1, positions included."""
    high_water_usd: Decimal | None = None
    """The highest equity so far, at the end of a block; drawdown is the fall from it, 0..1."""
    drawdown: Decimal | None = None
    parts: PnlParts | None = None
    """Where the gain came from; None where nobody keeps count."""


@dataclass(frozen=True, slots=True)
class CheckView:
    """One limit of the guard."""

    name: str
    value: Decimal
    limit: Decimal
    unit: str
    ok: bool


@dataclass(frozen=True, slots=True)
class ForecastView:
    """A forecast with its band where there is one."""

    name: str
    unit: str
    value: float
    low: float | None
    high: float | None
    model_digest: str
    beats_baseline: bool | None


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A decision, as it goes on the log.

    Attributes:
        action: "hold", "swap", "open", "increase", "decrease", "collect", "close", "rebalance" or "batch".
        text: the intent in a few words: "swap 0.42 WETH -> at least 884.6 USDC".
        verdict: "approved", "clipped", "denied" or "needs_approval".
    """

    digest: str
    sequence: int
    block_number: int
    action: str
    text: str
    reason: str
    verdict: str
    verdict_reason: str
    checks: tuple[CheckView, ...]
    forecast: ForecastView | None


@dataclass(frozen=True, slots=True)
class ParameterCard:
    """One parameter of a strategy, for a form.

    Attributes:
        type: "integer", "number", "boolean", "choice" or "text".
        value, default: as a person types them; `default` is None where there is none.
        minimum, maximum: bounds, themselves excluded where `excludes_minimum` or `excludes_maximum` says so.
        choices: all that a "choice" may be; empty for the other types.
        unit: what it counts: "bp", "ticks", "blocks", "USD", "s"; empty where nobody says.
    """

    name: str
    type: str
    value: str
    default: str | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    excludes_minimum: bool = False
    excludes_maximum: bool = False
    choices: tuple[str, ...] = ()
    unit: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class SwapView:
    """A swap in a pool.

    Attributes:
        side: "buy" or "sell", of the base token.
        price: what was paid, quote per base, the pool's fee in it; `price_after` is the pool's price behind it.
        agent: whose it was; None for somebody else's.
        cost_bps: fee and impact against the pool's price before it.
    """

    side: str
    base_amount: Decimal
    quote_amount: Decimal
    price: Decimal
    price_after: Decimal
    agent: str | None
    transaction_hash: str
    cost_bps: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LiquidityBar:
    """Liquidity between two ticks; the pool's own L, averaged over the bar, and the tokens that lie there.

    `price_lower` and `price_upper` are quote per base; where the base is token1, the lower tick has the upper price.
    """

    tick_lower: int
    tick_upper: int
    price_lower: Decimal
    price_upper: Decimal
    liquidity: int
    base_amount: Decimal
    quote_amount: Decimal


@dataclass(frozen=True, slots=True)
class DepthLevel:
    """What it takes to move a pool's price by so many basis points.

    Attributes:
        buy_quote: quote tokens that buy base until its price has risen so far, the pool's fee in it; None where
            the liquidity that is there cannot be told.
        sell_base: base tokens that are sold until its price has fallen so far, likewise.
    """

    move_bps: int
    buy_quote: Decimal | None
    sell_base: Decimal | None


@dataclass(frozen=True, slots=True)
class DriftView:
    """Whether a model is still asked about what it knows.

    Attributes:
        feature: the one that moved most against its limit; `stability_index` is its population stability index over
            the recent rows, None until there are enough of them.
        outcomes: forecasts held against what came; `missed` left their band, which is to miss `expected_miss_rate`.
        alarm: the test's statistic as a share of its limit, 0..; at 1 the model is stopped.
        reason: why its agents hold; empty while they may act.
    """

    feature: str
    stability_index: float | None
    limit: float | None
    outcomes: int
    missed: int
    expected_miss_rate: float | None
    alarm: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ChallengeView:
    """A challenger held against the champion on rows that neither had seen."""

    challenger: str
    champion: str
    takes_over: bool
    gain: float
    low: float
    high: float
    rows: int
    reason: str
    block_number: int


@dataclass(frozen=True, slots=True)
class SwitchView:
    """A model took over from another."""

    digest: str
    parent: str | None
    reason: str
    block_number: int | None
    is_rollback: bool
