"""What goes on around the made-up agents: swaps of others, liquidity by tick, models, limits, a log."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import Final

from defai.domain.stream import (
    ApprovalRequested,
    ChallengeView,
    DepthLevel,
    DriftView,
    LiquidityBar,
    LiquiditySeen,
    LogRecorded,
    ModelSeen,
    RiskMeasured,
    StreamEvent,
    SwapsSeen,
    SwapView,
    SwitchView,
)
from defai.testing.actor import FIRST_TIMESTAMP, POOLS, Actor, cents, hex_of

LIQUIDITY_EVERY: Final = 6
"""Blocks between two tellings of liquidity, of limits and of a log line."""
BARS: Final = 48
IMPORTANCE: Final = (
    ("volatility_60", 0.41),
    ("volatility_24", 0.22),
    ("parkinson_24", 0.17),
    ("swaps_12", 0.12),
    ("base_fee", 0.08),
)


@dataclass
class Surroundings:
    """Everything a session tells beside blocks and steps.

    Args:
        rng: of its own, so that the agents' figures do not depend on it.
    """

    rng: Random

    def begin(self, actors: Sequence[Actor]) -> Iterator[StreamEvent]:
        """What is told at the start: the models that agents ask."""
        for kind in ("volatility_band", "mean_reversion"):
            asking = [actor for actor in actors if actor.kind == kind]
            if asking:
                yield self.model(kind, asking, 0, None)

    def after(
        self, number: int, timestamp: int, usdc_per_weth: float, tick: int, actors: Sequence[Actor]
    ) -> Iterator[StreamEvent]:
        """What is told after a block's steps."""
        for pool in POOLS:
            swaps = tuple(self._swaps(number, usdc_per_weth, pool.fee_pips))
            if swaps:
                yield SwapsSeen(pool.address, number, timestamp, swaps)
        if number % LIQUIDITY_EVERY:
            return
        for index, pool in enumerate(POOLS):
            yield self.liquidity(pool.address, number, usdc_per_weth, tick, 1.0 if index == 0 else 0.35)
        for actor in actors:
            yield RiskMeasured(actor.card.name, number, actor.gauges())
        if number % (LIQUIDITY_EVERY * 10) == 0:
            yield self.model(
                "volatility_band", [a for a in actors if a.kind == "volatility_band"], number, number
            )
            text = f"retrained on {number:,} blocks of history in {self.rng.uniform(1, 3):.1f} s"
            yield LogRecorded("info", "defai.session.retraining", text, float(timestamp))
        if self.rng.random() < 0.12:
            waits = "a block took 1.4 s to read, four times the usual"
            yield LogRecorded("warning", "defai.worlds.fork", waits, float(timestamp))

    def _swaps(self, number: int, usdc_per_weth: float, fee_pips: int) -> Iterator[SwapView]:
        for index in range(self.rng.choice((0, 0, 1, 1, 2, 3))):
            amount = round(self.rng.lognormvariate(-0.4, 1.1), 4)
            buys = self.rng.random() < 0.5
            paid = usdc_per_weth * (1 + (fee_pips / 1e6 + amount * 1e-5) * (1 if buys else -1))
            yield SwapView(
                "buy" if buys else "sell",
                Decimal(f"{amount:.4f}"),
                cents(amount * paid),
                cents(paid),
                cents(usdc_per_weth * (1 + amount * (1e-5 if buys else -1e-5))),
                None,
                hex_of("swap", number, index, fee_pips),
                Decimal(f"{fee_pips / 100 + amount * 0.1:.1f}"),
            )

    def liquidity(
        self, pool: str, number: int, usdc_per_weth: float, tick: int, share: float
    ) -> LiquiditySeen:
        """A hill of liquidity around the price with the agents' bands on it."""
        width = 20
        first = (tick // width - BARS // 2) * width
        bars = []
        for index in range(BARS):
            lower = first + index * width
            away = (lower + width / 2 - tick) / 180
            amount = 4e18 * share * (0.25 + math.exp(-away * away)) * (1 + 0.15 * math.sin(lower / 70))
            upper_price = usdc_per_weth * 1.0001 ** (tick - lower)
            lower_price = usdc_per_weth * 1.0001 ** (tick - lower - width)
            depth = amount / 4e18
            bars.append(
                LiquidityBar(
                    lower,
                    lower + width,
                    cents(lower_price),
                    cents(upper_price),
                    int(amount),
                    Decimal(f"{12 * depth if lower < tick else 0:.4f}"),
                    cents(25_000 * depth if lower >= tick else 0),
                )
            )
        levels = tuple(
            DepthLevel(bps, cents(bps * 3_900 * share), Decimal(f"{bps * 1.84 * share:.2f}"))
            for bps in (10, 50, 100, 200)
        )
        return LiquiditySeen(pool, number, tick, tuple(bars), levels)

    def model(self, kind: str, actors: Sequence[Actor], number: int, block: int | None) -> ModelSeen:
        """A model's card with what became of it since."""
        card = MODELS[kind]
        alarm = 0.18 + number % 5 / 20
        drift = DriftView("volatility_60", 0.06 + number % 7 / 50, 0.25, 40 + number % 200, 4, 0.1, alarm)
        challenge = ChallengeView(
            hex_of("challenger", kind, number),
            card.digest,
            takes_over=False,
            gain=0.004,
            low=-0.006,
            high=0.014,
            rows=512,
            reason="retrained on blocks 180 to 1052, it does not beat its predecessor: +0.004 in qlike"
            " (95 %: -0.006 .. +0.014; above 0 is better) on 512 rows that neither had seen",
            block_number=number,
        )
        return replace(
            card,
            agents=tuple(actor.card.name for actor in actors),
            drift=drift,
            retraining=bool(number) and not number % 120,
            challenges=(challenge,) if number else (),
            block_number=block,
        )


def _card(kind: str, target: str, loss: str, baseline: str, **gain: float) -> ModelSeen:
    swings = loss == "qlike"
    size = 1.0 if swings else 0.6
    metrics: dict[str, dict[str, float | None]] = {
        name: {"rmse": rmse * size, "mae": rmse * size * 0.74, "qlike": qlike if swings else None}
        for name, rmse, qlike in (
            ("model", 11.2, 0.231),
            (baseline, 12.4, 0.247),
            ("persistence", 15.9, 0.391),
        )
    }
    digest = hex_of("model", kind)
    return ModelSeen(
        key=kind,
        agents=(),
        name=f"{kind}-12",
        digest=digest,
        target=target,
        unit="ticks",
        trained_on="3,000 generated blocks, seed 7",
        trained_until=1_064,
        trained_until_timestamp=FIRST_TIMESTAMP - 1,
        samples=2_640,
        trees=60,
        metrics=metrics,
        loss=loss,
        baseline=baseline,
        gain=gain["gain"],
        gain_low=gain["low"],
        gain_high=gain["high"],
        gain_share=gain["share"],
        beats_baseline=gain["low"] > 0,
        band_level=0.9,
        band_coverage=0.887 if swings else 0.912,
        importance=IMPORTANCE,
        limits=("was trained on generated prices", "says nothing of jumps larger than any it saw"),
        switches=(SwitchView(digest, None, "the first one", 1_064, is_rollback=False),),
    )


MODELS: Final = {
    "volatility_band": _card(
        "volatility_band",
        "volatility of the next 12 blocks",
        "qlike",
        "HAR-RV",
        gain=0.016,
        low=0.009,
        high=0.023,
        share=0.065,
    ),
    "mean_reversion": _card(
        "mean_reversion",
        "return of the next 12 blocks",
        "rmse",
        "zero",
        gain=0.02,
        low=-0.011,
        high=0.051,
        share=0.003,
    ),
}
"""The models' cards, before anybody watches them."""


def demo_request(
    actor_name: str, digest: str, block: int, timestamp: int, *, expires_in_s: int = 252
) -> ApprovalRequested:
    """A decision that waits for its owner: a band to be re-centred, beyond what the agent may do alone."""
    return ApprovalRequested(
        agent=actor_name,
        digest=digest,
        sequence=219,
        block_number=block,
        timestamp=timestamp,
        action="rebalance",
        text="rebalance to 198,400…200,900",
        reason="out of range for 4 m, the move has settled: 55 ticks expected",
        rule="moves 12,400 USD, and from 5,000 USD on the owner is asked",
        checks=(),
        forecast=None,
        moved_usd=Decimal("12400.00"),
        swap_usd=Decimal("3180.00"),
        swap_cost_usd=Decimal("1.59"),
        gas_usd=Decimal("2.10"),
        foregone_usd_per_minute=Decimal("0.40"),
        expires_at=timestamp + expires_in_s,
        before="197,000…199,500, out of range for 4 m",
    )
