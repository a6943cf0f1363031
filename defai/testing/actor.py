"""The agents of the made-up session: what they hold, and when they act."""

import hashlib
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Final

from defai.domain.stream import (
    AgentCard,
    CheckView,
    DecisionView,
    ForecastView,
    ParameterCard,
    PnlParts,
    PoolCard,
    PortfolioView,
    PositionView,
)

FIRST_BLOCK: Final = 1_065
FIRST_TIMESTAMP: Final = 1_767_225_600
KINDS: Final = ("volatility_band", "mean_reversion", "fee_tier_arb", "hold")
NAMES: Final = ("lp-wide", "reverter", "tiers", "hold")
FORMS: Final = {
    "volatility_band": (
        ParameterCard(
            "sigmas",
            "number",
            "3.0",
            "4.0",
            Decimal(0),
            Decimal(20),
            excludes_minimum=True,
            description="half-width in expected volatilities",
        ),
        ParameterCard(
            "floor_ticks",
            "integer",
            "120",
            "120",
            Decimal(10),
            Decimal(20_000),
            unit="ticks",
            description="half-width at least, in ticks",
        ),
        ParameterCard(
            "patience",
            "integer",
            "3",
            "3",
            Decimal(0),
            Decimal(10_000),
            unit="blocks",
            description="blocks out of range before re-centring",
        ),
    ),
    "mean_reversion": (
        ParameterCard(
            "edge_bps",
            "number",
            "4.0",
            "3.0",
            Decimal(0),
            Decimal(1_000),
            unit="bp",
            description="edge over cost",
        ),
        ParameterCard(
            "max_share",
            "number",
            "0.6",
            "0.5",
            Decimal(0),
            Decimal(1),
            description="share of the equity in WETH at most",
        ),
    ),
    "fee_tier_arb": (
        ParameterCard(
            "min_edge_bps", "number", "1.5", "1.0", Decimal(0), unit="bp", description="edge over cost"
        ),
        ParameterCard(
            "size_usd",
            "number",
            "900",
            "1000",
            Decimal(0),
            excludes_minimum=True,
            unit="USD",
            description="worth of a trade",
        ),
    ),
    "hold": (),
}
"""The strategies' parameters."""
POOLS: Final = (
    PoolCard("0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640", "USDC/WETH 0.05 %", 500, "WETH", "USDC", 10),
    PoolCard("0x8ad599c3A0ff1De082011EFDDc58f1908eb6e6D8", "USDC/WETH 0.3 %", 3_000, "WETH", "USDC", 60),
)


def hex_of(*words: object, length: int = 64) -> str:
    """Hex digits that depend on the words alone."""
    text = "/".join(str(word) for word in words)
    digits = hashlib.sha256(text.encode()).hexdigest() + hashlib.sha256(f"{text}+".encode()).hexdigest()
    return "0x" + digits[:length]


def cents(value: float) -> Decimal:
    """A float as an amount with two digits."""
    return Decimal(f"{value:.2f}")


@dataclass
class Actor:
    """One agent's simple life: what it holds, and when it acts."""

    card: AgentCard
    rng: Random
    usdc: float = 15_000.0
    weth: float = 7.1
    sequence: int = 0
    token_id: int = 0
    band: tuple[float, float] | None = None
    ticks: tuple[int, int] = (0, 0)
    lp_usd: float = 0.0
    fees: float = 0.0
    gas: float = 0.0
    initial: float = 0.0
    start: tuple[float, float] = (0.0, 0.0)
    state: str = "running"
    unanchored: int = 0
    highest: float = 0.0
    turnover: float = 0.0
    equity: float = 0.0
    measured: tuple[CheckView, ...] = ()
    pending: list[tuple[DecisionView, str]] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """Its strategy."""
        return self.card.strategy

    def begin(self, usdc_per_weth: float) -> None:
        """Note what it starts with."""
        self.start = (self.usdc, self.weth)
        self.initial = self.highest = self.usdc + self.weth * usdc_per_weth

    def portfolio(self, usdc_per_weth: float) -> PortfolioView:
        """What it owns at a market price."""
        base_usd = self.weth * usdc_per_weth + self.lp_usd / 2
        equity = self.usdc + self.weth * usdc_per_weth + self.lp_usd + self.fees - self.gas
        self.equity, self.highest = equity, max(self.highest, equity)
        positions: tuple[PositionView, ...] = ()
        if self.band:
            low, high = self.band
            inside = low <= usdc_per_weth < high
            positions = (
                PositionView(
                    self.token_id,
                    POOLS[0].address,
                    *self.ticks,
                    cents(low),
                    cents(high),
                    inside,
                    cents(self.lp_usd),
                    cents(self.fees * 0.2),
                ),
            )
        return PortfolioView(
            cents(equity),
            cents(self.start[0] + self.start[1] * usdc_per_weth),
            cents(self.initial),
            cents(self.fees),
            cents(self.gas),
            (("USDC", Decimal(f"{self.usdc:.6f}")), ("WETH", Decimal(f"{self.weth:.6f}"))),
            positions,
            Decimal(f"{base_usd / equity:.4f}"),
            cents(self.highest),
            Decimal(f"{1 - equity / self.highest:.4f}"),
            self._parts(usdc_per_weth, equity),
        )

    def _parts(self, usdc_per_weth: float, equity: float) -> PnlParts:
        """Where the gain came from: what the market and the fees do not explain is shared among the losses."""
        market = self.start[0] + self.start[1] * usdc_per_weth - self.initial
        provides = self.token_id > 0
        rest = max(0.0, market + self.fees - self.gas - (equity - self.initial))
        lost = cents(rest * 0.8) if provides else None
        return PnlParts(
            cents(equity - self.initial),
            cents(market),
            cents(self.fees),
            lost,
            cents(rest * 0.62) if provides else None,
            60,
            cents(self.gas),
            cents(self.turnover * 0.0005),
            cents((equity - self.initial) * 0.4),
            cents(equity - self.initial) - cents((equity - self.initial) * 0.4),
        )

    def gauges(self) -> tuple[CheckView, ...]:
        """How close it is to its limits."""
        gone = 1 - self.equity / self.highest if self.highest else 0.0
        return (
            CheckView("drawdown", cents(gone * 100), Decimal(10), "%", ok=True),
            CheckView("exposure", Decimal(f"{min(59.0, 20 + self.weth * 4):.0f}"), Decimal(60), "%", ok=True),
            CheckView("turnover", cents(self.turnover), Decimal(100_000), "USD", ok=True),
            CheckView("failures", Decimal(0), Decimal(5), "in a row", ok=True),
            *self.measured,
        )

    def decide(self, block: int, usdc_per_weth: float, tick: int) -> DecisionView:
        """Its decision upon a block."""
        forecast = self._forecast(block)
        action, text, reason, verdict, no = self._wish(usdc_per_weth, tick, forecast)
        slip = Decimal(61) if verdict == "denied" else Decimal(self.rng.randint(2, 30))
        checks = (
            ()
            if action == "hold"
            else (
                CheckView("slippage", slip, Decimal(50), "bp", ok=verdict != "denied"),
                CheckView("trade", Decimal(self.rng.randint(400, 2_400)), Decimal(5_000), "USD", ok=True),
                CheckView("gas", Decimal(f"{self.rng.uniform(0.4, 2.2):.2f}"), Decimal(20), "USD", ok=True),
            )
        )
        decision = DecisionView(
            hex_of("decision", self.card.name, self.sequence),
            self.sequence,
            block,
            action,
            text,
            reason,
            verdict,
            no,
            checks,
            forecast,
        )
        self.sequence += 1
        self.measured = checks or self.measured
        return decision

    def _forecast(self, block: int) -> ForecastView | None:
        digest = self.card.model_digest
        if digest is None:
            return None
        if self.kind == "volatility_band":
            value = 38.0 + 14 * self.rng.random() + 6 * ((block // 20) % 3)
            return ForecastView(
                "volatility of the next 12 blocks",
                "ticks",
                value,
                value * 0.7,
                value * 1.45,
                digest,
                beats_baseline=True,
            )
        value = self.rng.gauss(0, 2.2)
        return ForecastView(
            "return of the next 12 blocks",
            "ticks",
            value,
            value - 3.1,
            value + 3.1,
            digest,
            beats_baseline=None,
        )

    def _wish(
        self, usdc_per_weth: float, tick: int, forecast: ForecastView | None
    ) -> tuple[str, str, str, str, str]:
        if self.kind == "volatility_band":
            return self._provide(usdc_per_weth, tick, forecast)
        if self.kind == "mean_reversion" and forecast is not None and abs(forecast.value) > 4.4:
            return self._revert(usdc_per_weth, forecast)
        if self.kind == "fee_tier_arb" and self.rng.random() < 0.07:
            edge = self.rng.uniform(5.4, 7.2)
            return self._swap(
                usdc_per_weth,
                sell=self.rng.random() < 0.5,
                size=0.42,
                reason=f"spread {edge:.1f} bp over cost 5.3 bp",
            )
        reasons = {
            "mean_reversion": "the edge is below its cost of 5.8 bp",
            "fee_tier_arb": "no spread between the tiers after costs",
            "hold": "the baseline does nothing",
        }
        return "hold", "hold", reasons[self.kind], "approved", ""

    def _provide(
        self, usdc_per_weth: float, tick: int, forecast: ForecastView | None
    ) -> tuple[str, str, str, str, str]:
        if self.band and self.band[0] <= usdc_per_weth < self.band[1]:
            return "hold", "hold", "the tick is inside the band", "approved", ""
        if self.band and self.rng.random() < 0.7:
            return "hold", "hold", "out of range, the move has not settled", "approved", ""
        half = 0.9 * (forecast.value if forecast else 60.0) / 10_000
        first = self.band is None
        self.band = (usdc_per_weth * (1 - half), usdc_per_weth * (1 + half))
        self.ticks = (tick - 90, tick + 90)
        self.token_id += 1
        if first:
            self.lp_usd, self.usdc, self.weth = (
                24_000.0,
                self.usdc - 12_000.0,
                self.weth - 12_000.0 / usdc_per_weth,
            )
        text = f"{'open' if first else 'rebalance'} {tick - 90:,}...{tick + 90:,}"
        return (
            ("open" if first else "rebalance"),
            text,
            f"re-centre, half-width {half * 10_000:.0f} ticks",
            "approved",
            "",
        )

    def _revert(self, usdc_per_weth: float, forecast: ForecastView) -> tuple[str, str, str, str, str]:
        if self.rng.random() < 0.25:
            text = f"swap 2.10 WETH -> at least {2.1 * usdc_per_weth * 0.994:,.1f} USDC"
            return "swap", text, "the edge is 9.3 bp", "denied", "slippage 61 bp over the limit of 50"
        reason = f"forecast {forecast.value:+.1f} ticks, cost 5.8 bp"
        return self._swap(
            usdc_per_weth, sell=forecast.value < 0, size=round(self.rng.uniform(0.2, 1.1), 2), reason=reason
        )

    def _swap(
        self, usdc_per_weth: float, *, sell: bool, size: float, reason: str
    ) -> tuple[str, str, str, str, str]:
        worth = size * usdc_per_weth
        self.turnover += worth
        if sell:
            self.weth, self.usdc = self.weth - size, self.usdc + worth * 0.9996
            text = f"swap {size:.2f} WETH -> at least {worth * 0.9995:,.1f} USDC"
        else:
            self.weth, self.usdc = self.weth + size * 0.9996, self.usdc - worth
            text = f"swap {worth:,.1f} USDC -> at least {size * 0.9995:.4f} WETH"
        return "swap", text, reason, "approved", ""
