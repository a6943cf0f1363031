"""A reference price that is made up, with the habits of a real one.

Three regimes follow one another at random: calm, trend and turbulent. Within a regime, volatility clusters as in
GARCH(1,1) (Bollerslev 1986): the variance of a step is the regime's times a heat h that follows

    h' = (1 - arch - persistence) + arch * min(z^2, 25) + persistence * h,    z = move / (sigma * sqrt(h)),

and now and then the price jumps (which heats it, too).
With the default shape and blocks of 12 s, over 400,000 blocks of each of three seeds:

| what | measured |
|---|---|
| volatility a year: calm, trend, turbulent, altogether | 0.49, 0.64, 1.48, 0.72 |
| share of time: calm, trend, turbulent | 0.65, 0.23, 0.12 |
| kurtosis of a block's return, of 25 blocks' (3 is the normal's) | 15, 8 |
| autocorrelation of squared returns at 1, 10, 50 blocks | 0.15, 0.11, 0.06 |
| autocorrelation of returns at 1 block, of 25 blocks' returns | 0.00, 0.02 |

Returns are martingale differences except for the trend's drift, a twentieth of a step's deviation: a forecaster can
earn a little on it, and no more.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from decimal import Context, Decimal
from enum import Enum
from math import sqrt
from typing import Final

from defai.marketsim.draws import Draws
from defai.marketsim.prices import PricePath, PricePoint
from defai.units import PIPS

SECONDS_A_YEAR: Final = 365 * 86_400
_CONTEXT: Final = Context(prec=40)
_Q40: Final = 1 << 40
_CHUNK: Final = 1_024
_CHUNKS_KEPT: Final = 8
_HOTTEST: Final = 9.0
_LARGEST_STEP: Final = 0.2


class Regime(Enum):
    """The market's mood."""

    CALM = "calm"
    TREND = "trend"
    TURBULENT = "turbulent"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeShape:
    """How prices behave in a regime.

    Attributes:
        annual_volatility: standard deviation of a year's return from small moves alone; 0.5 is 50 %.
        mean_seconds: how long the regime lasts on average.
        drift_ratio: mean of a step's return over its standard deviation; its sign is drawn when the regime begins.
        jump_seconds: how long it is from jump to jump on average.
        leaves_for: what comes after it, and how likely.
    """

    annual_volatility: float
    mean_seconds: float
    drift_ratio: float
    jump_seconds: float
    leaves_for: tuple[tuple[Regime, float], tuple[Regime, float]]


_SHAPES: Final = {
    Regime.CALM: RegimeShape(
        annual_volatility=0.45,
        mean_seconds=3_600,
        drift_ratio=0.0,
        jump_seconds=7_200,
        leaves_for=((Regime.TREND, 0.65), (Regime.TURBULENT, 0.35)),
    ),
    Regime.TREND: RegimeShape(
        annual_volatility=0.60,
        mean_seconds=1_800,
        drift_ratio=0.05,
        jump_seconds=5_400,
        leaves_for=((Regime.CALM, 0.7), (Regime.TURBULENT, 0.3)),
    ),
    Regime.TURBULENT: RegimeShape(
        annual_volatility=1.40,
        mean_seconds=1_200,
        drift_ratio=0.0,
        jump_seconds=1_500,
        leaves_for=((Regime.CALM, 0.8), (Regime.TREND, 0.2)),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PathShape:
    """The parameters of a generated path.

    Attributes:
        regimes: one shape for each regime.
        arch: how much of the last squared move goes into the heat.
        persistence: how much of the heat stays; with `arch` it must be below one.
        jump_median: a jump's median size, as a share of the price; both signs are as likely.
        jump_sigma_pips: standard deviation of the logarithm of a jump's size, in millionths.
    """

    regimes: dict[Regime, RegimeShape] = field(default_factory=lambda: dict(_SHAPES))
    arch: float = 0.08
    persistence: float = 0.90
    jump_median: float = 0.002
    jump_sigma_pips: int = 500_000

    def __post_init__(self) -> None:
        if not 0 <= self.arch + self.persistence < 1:
            raise ValueError("arch and persistence together must stay below one, or volatility explodes")


@dataclass(frozen=True, slots=True)
class _State:
    """Where the path stands between two chunks; `price_scaled` is in units of the path's own decimal place."""

    price_scaled: int
    regime: Regime
    heat: float
    trend: int


class GeneratedPath(PricePath):
    """A path made up as it is read: any point at any time, at the memory of a few thousand points.

    Points are made in chunks, each from its own stream of random numbers and from the state the chunk before it
    ended in; those states are kept, so that going back costs one chunk.
    """

    def __init__(
        self,
        seed: int,
        start: PricePoint,
        block_seconds: int,
        *,
        length: int | None,
        shape: PathShape,
    ) -> None:
        self.source = f"generated prices (seed {seed})"
        self.length = length
        self.gaps = 0
        self.warning = ""
        self.step_seconds = block_seconds
        self._seed = seed
        self._start = start.timestamp
        self._shape = shape
        self._exponent = start.quote_per_base.adjusted() - 12
        self._step = sqrt(block_seconds / SECONDS_A_YEAR)
        calm = shape.regimes[Regime.CALM].annual_volatility * self._step
        self.typical_move_pips = max(
            1, round(calm * 0.6745 * PIPS)
        )  # the median of a normal's absolute value
        first = int(start.quote_per_base.scaleb(-self._exponent, _CONTEXT))
        self._states = [_State(first, Regime.CALM, 1.0, 1)]
        self._chunks: OrderedDict[int, tuple[list[int], list[Regime]]] = OrderedDict()

    def _point(self, index: int) -> PricePoint:
        price_scaled = self._chunk(index // _CHUNK)[0][index % _CHUNK]
        quote_per_base = Decimal(price_scaled).scaleb(self._exponent, _CONTEXT)
        return PricePoint(self._start + index * self.step_seconds, quote_per_base)

    def regime(self, index: int) -> Regime:
        """The regime in which the step to this point was taken."""
        return self._chunk(index // _CHUNK)[1][index % _CHUNK]

    def _chunk(self, number: int) -> tuple[list[int], list[Regime]]:
        while number >= len(self._states):
            self._make(len(self._states) - 1)
        return self._chunks.get(number) or self._make(number)

    def _make(self, number: int) -> tuple[list[int], list[Regime]]:
        draws = Draws(self._seed, "prices", number)
        state, prices, regimes = self._states[number], [], []
        for _ in range(_CHUNK):
            prices.append(state.price_scaled)
            regimes.append(state.regime)
            state = self._next(state, draws)
        if number + 1 == len(self._states):
            self._states.append(state)
        self._chunks[number] = prices, regimes
        if len(self._chunks) > _CHUNKS_KEPT:
            self._chunks.popitem(last=False)
        return prices, regimes

    def _next(self, state: _State, draws: Draws) -> _State:
        shape = self._shape.regimes[state.regime]
        regime, trend = state.regime, state.trend
        if draws.happens(self.step_seconds / shape.mean_seconds):
            (first, share), (second, _) = shape.leaves_for
            regime = first if draws.happens(share) else second
            trend, shape = draws.sign(), self._shape.regimes[regime]
        sigma = shape.annual_volatility * self._step * sqrt(state.heat)
        move = sigma * (draws.normal() + trend * shape.drift_ratio)
        if draws.happens(self.step_seconds / shape.jump_seconds):
            size = self._shape.jump_median * draws.lognormal_pips(self._shape.jump_sigma_pips) / PIPS
            move += draws.sign() * size
        move = max(-_LARGEST_STEP, min(_LARGEST_STEP, move))
        surprise = move / sigma
        rest = 1 - self._shape.arch - self._shape.persistence
        heat = rest + self._shape.arch * min(surprise * surprise, 25.0) + self._shape.persistence * state.heat
        # From here on integers: the float is cut to 40 bits below one before it touches the price.
        price_scaled = state.price_scaled + ((state.price_scaled * round(move * _Q40)) >> 40)
        return _State(max(price_scaled, 1), regime, min(heat, _HOTTEST), trend)


def generate(
    seed: int,
    start_quote_per_base: Decimal = Decimal(2_000),
    block_seconds: int = 12,
    *,
    length: int | None = None,
    start_timestamp: int = 1_735_689_600,
    shape: PathShape | None = None,
) -> GeneratedPath:
    """Make up a reference price.

    Args:
        seed: the same seed gives the same path, on any machine.
        start_quote_per_base: the first point, in quote tokens for one base token.
        block_seconds: time from point to point; volatility, regimes and jumps are scaled by it.
        length: number of points; None for a path without end.
        start_timestamp: of the first point, in seconds since 1970 (default 2025-01-01 UTC).
        shape: volatilities, durations, jumps.

    Raises:
        ValueError: where the start or the time between blocks is not positive.
    """
    if start_quote_per_base <= 0 or block_seconds <= 0:
        raise ValueError("a path needs a positive first price and a positive time between blocks")
    start = PricePoint(start_timestamp, start_quote_per_base)
    return GeneratedPath(seed, start, block_seconds, length=length, shape=shape or PathShape())
