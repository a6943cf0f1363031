"""A plausible session as a stream of events, without a chain: the same for the same seed.

For looking at the terminal, for tests of whatever consumes events, and for pictures in the documentation. Its figures
follow simple rules (a random walk, agents that act now and then); nothing about it is a backtest.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Final

from defai.domain.stream import (
    AgentCard,
    AgentStateChanged,
    BlockArrived,
    CheckView,
    DecisionView,
    ExecutionSettled,
    ForecastView,
    HoldsAnchored,
    PoolCard,
    PoolQuote,
    PortfolioView,
    PositionView,
    SessionEnded,
    SessionStarted,
    SetupProgressed,
    StepCompleted,
    StreamEvent,
)

SETUP: Final = (
    "starting the chain",
    "deploying Uniswap, the vaults and the audit contracts",
    "funding the vaults",
    "training the models from generated history",
    "waiting for the first block",
)
FIRST_BLOCK: Final = 1_065
FIRST_TIMESTAMP: Final = 1_767_225_600
KINDS: Final = ("volatility_band", "mean_reversion", "fee_tier_arb", "hold")
NAMES: Final = ("lp-wide", "reverter", "tiers", "hold")
PARAMETERS: Final = {
    "volatility_band": {"sigmas": "3.0", "floor_ticks": "120", "horizon_blocks": "12"},
    "mean_reversion": {"edge_bps": "4.0", "max_share": "0.6"},
    "fee_tier_arb": {"min_edge_bps": "1.5", "size_usd": "900"},
    "hold": {},
}
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
    pending: list[tuple[DecisionView, str]] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """Its strategy."""
        return self.card.strategy

    def begin(self, usdc_per_weth: float) -> None:
        """Note what it starts with."""
        self.start = (self.usdc, self.weth)
        self.initial = self.usdc + self.weth * usdc_per_weth

    def portfolio(self, usdc_per_weth: float) -> PortfolioView:
        """What it owns at a market price."""
        base_usd = self.weth * usdc_per_weth + self.lp_usd / 2
        equity = self.usdc + self.weth * usdc_per_weth + self.lp_usd + self.fees - self.gas
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
        )

    def decide(self, block: int, usdc_per_weth: float, tick: int) -> DecisionView:
        """Its decision upon a block."""
        forecast = self._forecast(block)
        action, text, reason, verdict, no = self._wish(usdc_per_weth, tick, forecast)
        slip = Decimal(61) if verdict == "denied" else Decimal(self.rng.randint(2, 30))
        checks = (
            CheckView("slippage", slip, Decimal(50), "bp", ok=verdict != "denied"),
            CheckView("exposure", Decimal(self.rng.randint(20, 55)), Decimal(60), "%", ok=True),
            CheckView("gas", Decimal(f"{self.rng.uniform(0.4, 2.2):.2f}"), Decimal(20), "USD", ok=True),
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
            checks if action != "hold" else (),
            forecast,
        )
        self.sequence += 1
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
            "return over the next 12 blocks",
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
        if sell:
            self.weth, self.usdc = self.weth - size, self.usdc + worth * 0.9996
            text = f"swap {size:.2f} WETH -> at least {worth * 0.9995:,.1f} USDC"
        else:
            self.weth, self.usdc = self.weth + size * 0.9996, self.usdc - worth
            text = f"swap {worth:,.1f} USDC -> at least {size * 0.9995:.4f} WETH"
        return "swap", text, reason, "approved", ""


def demo_cards(agents: int) -> tuple[AgentCard, ...]:
    """The first `agents` agents of the demo's fleet."""
    cards = []
    for index in range(agents):
        kind = KINDS[index % len(KINDS)]
        name = NAMES[index] if index < len(NAMES) else f"{kind.split('_')[0]}-{index}"
        model = None if kind in {"hold", "fee_tier_arb"} else hex_of("model", kind)
        cards.append(
            AgentCard(
                name,
                kind,
                index + 1,
                hex_of("vault", index, length=40),
                tuple(pool.address for pool in POOLS),
                dict(PARAMETERS[kind]),
                model,
            )
        )
    return tuple(cards)


def demo_setup() -> Iterator[StreamEvent]:
    """The events of a session being set up."""
    for step, text in enumerate(SETUP, start=1):
        yield SetupProgressed(step, len(SETUP), text)


def demo_stream(
    seed: int = 7, blocks: int = 220, agents: int = 4, *, end: bool = True
) -> Iterator[StreamEvent]:
    """A whole session: set-up, start, blocks with their decisions and executions, and the end.

    Args:
        seed: the same seed gives the same events.
        blocks: how many blocks.
        agents: how many agents; beyond four the four strategies repeat.
        end: whether the session ends after the last block.
    """
    yield from demo_setup()
    cards = demo_cards(agents)
    yield SessionStarted("standin", 1, seed, FIRST_BLOCK, "USDC", POOLS, cards, None)
    rng = Random(seed)  # noqa: S311  a demonstration, not a secret
    actors = [Actor(card, Random(f"{seed}/{card.name}")) for card in cards]  # noqa: S311  likewise
    usdc_per_weth, drift, records = 2_104.37, 0.0, 1_100
    for actor in actors:
        actor.begin(usdc_per_weth)
    for number in range(FIRST_BLOCK, FIRST_BLOCK + blocks):
        drift = 0.97 * drift + rng.gauss(0, 0.00012)
        usdc_per_weth *= 1 + drift * 0.35 + rng.gauss(0, 0.0006)
        tick = 200_000 - int((usdc_per_weth / 2_104.37 - 1) * 10_000)
        timestamp = FIRST_TIMESTAMP + number - FIRST_BLOCK
        yield block_event(number, timestamp, usdc_per_weth, tick, rng)
        for actor in actors:
            for event in settle(actor, number, records, rng):
                records += isinstance(event, ExecutionSettled)
                yield event
        for actor in actors:
            yield from act(actor, number, timestamp, usdc_per_weth, tick)
    if end:
        yield SessionEnded(f"All {blocks} blocks are done.", "", 0)


def block_event(number: int, timestamp: int, usdc_per_weth: float, tick: int, rng: Random) -> BlockArrived:
    """A block with both pools' quotes."""
    quotes = tuple(
        PoolQuote(
            pool.address, Decimal(f"{usdc_per_weth * (1 + offset):.6f}"), tick, 10**19, rng.randint(0, 6)
        )
        for pool, offset in zip(POOLS, (0.0, rng.gauss(0, 0.0004)), strict=True)
    )
    fee = 7_000_000_000 + rng.randint(-400, 400) * 1_000_000
    return BlockArrived(number, hex_of("block", number), timestamp, fee, quotes, rng.uniform(0.8, 1.4))


def act(actor: Actor, number: int, timestamp: int, usdc_per_weth: float, tick: int) -> Iterator[StreamEvent]:
    """An agent's step upon a block."""
    if actor.band and actor.band[0] <= usdc_per_weth < actor.band[1]:
        actor.fees += actor.rng.uniform(0.01, 0.35)
    decision = actor.decide(number, usdc_per_weth, tick)
    if decision.action != "hold" and decision.verdict == "approved":
        actor.pending.append((decision, f"{decision.text.removeprefix('swap ').replace('at least ', '')}"))
        actor.gas += 0.88
    if decision.action == "hold":
        actor.unanchored += 1
    latency = actor.rng.uniform(2.0, 9.0)
    yield StepCompleted(
        actor.card.name,
        number,
        timestamp,
        actor.state,
        decision,
        actor.portfolio(usdc_per_weth),
        latency,
    )
    if actor.unanchored == 50:
        actor.unanchored = 0
        first = actor.sequence - 50
        root = hex_of("root", actor.card.name, first)
        yield HoldsAnchored(
            actor.card.name, first, 50, root, number, hex_of("anchor", actor.card.name, first)
        )


def settle(actor: Actor, number: int, records: int, rng: Random) -> Iterator[StreamEvent]:
    """What came of the agent's decisions of the block before."""
    for decision, outcome in actor.pending:
        records += 1
        yield ExecutionSettled(
            actor.card.name,
            decision.digest,
            decision.sequence,
            decision.block_number,
            number,
            "filled",
            hex_of("transaction", decision.digest),
            records,
            rng.randint(190_000, 420_000),
            Decimal("0.88"),
            outcome if decision.action == "swap" else f"position #{actor.token_id} stands",
            "",
        )
    actor.pending.clear()


def demo_waiting(agent: str, reason: str) -> AgentStateChanged:
    """An agent that waits for its owner."""
    return AgentStateChanged(agent, "waiting", reason)
