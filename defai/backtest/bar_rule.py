"""The minute-bar rule by itself: one position on one run of bars, in integers, without a world or an agent.

It is what `defai.worlds.bars` must agree with, and it reproduces another engine's runs (tests/realdata), so that
their figures and ours can be compared. In a bar, first we act, at the price the bar begins with; then the bar's
volume pays the liquidity in its way; the bar's own move shows in the next bar's price. Swaps cost the pool's fee and
move nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Final, TypeAlias

from defai.amm import amounts_for_liquidity, get_sqrt_ratio_at_tick, liquidity_for_amounts
from defai.domain.pool import PoolKey
from defai.market.bars import MinuteBars, fee_growth_x128, from_limbs, path_inside
from defai.units import PIPS

Amounts: TypeAlias = tuple[int, int]
_TICK_BASE: Final = Decimal("1.0001")
_DIGITS: Final = 40


@dataclass(frozen=True, slots=True)
class Minted:
    """A position that was opened: when, where, how much."""

    row: int
    tick_lower: int
    tick_upper: int
    liquidity: int


@dataclass(frozen=True, slots=True)
class RuleRun:
    """What came of a run.

    Attributes:
        worth: after each bar, in token0's smallest unit.
        holding: what the first balances would have been worth after each bar.
        idle: token0 and token1 outside the position at the end.
        fees: earned and not collected at the end.
    """

    worth: tuple[Decimal, ...]
    holding: tuple[Decimal, ...]
    minted: tuple[Minted, ...]
    idle: Amounts
    fees: Amounts


Policy: TypeAlias = Callable[["Seat"], "tuple[int, int] | None"]
"""Upon each bar: the range to move everything to, or None to leave it."""


class Seat:
    """One position, at one bar.

    Args:
        key: the pool; worth is counted in its token0.
        balances: token0 and token1 to begin with.
    """

    def __init__(self, key: PoolKey, balances: Amounts) -> None:
        self.key = key
        self.idle = balances
        self.tick = 0
        self.range: tuple[int, int] | None = None
        self.liquidity = 0
        self.minted: list[Minted] = []
        self._growth_x128 = [0, 0]

    @property
    def fees(self) -> Amounts:
        """Earned since the position was opened, not collected."""
        return self.liquidity * self._growth_x128[0] >> 128, self.liquidity * self._growth_x128[1] >> 128

    def contents(self) -> Amounts:
        """What the position's liquidity holds at the bar's price."""
        if self.range is None:
            return 0, 0
        return amounts_for_liquidity(get_sqrt_ratio_at_tick(self.tick), *_bounds(self.range), self.liquidity)

    def worth(self) -> Decimal:
        """Worth of everything, in token0's smallest unit."""
        parts = zip(self.idle, self.contents(), self.fees, strict=True)
        total0, total1 = (sum(part) for part in parts)
        return total0 + total1 / token1_per_token0(self.tick)

    def close(self) -> None:
        """Take everything out of the position, its fees too."""
        if self.range is not None:
            held, earned = self.contents(), self.fees
            self.idle = (self.idle[0] + held[0] + earned[0], self.idle[1] + held[1] + earned[1])
        self.range, self.liquidity, self._growth_x128 = None, 0, [0, 0]

    def mint(self, tick_lower: int, tick_upper: int, row: int) -> None:
        """Open a position with as much of both balances as goes in."""
        bounds = _bounds((tick_lower, tick_upper))
        sqrt_price = get_sqrt_ratio_at_tick(self.tick)
        self.liquidity = liquidity_for_amounts(sqrt_price, *bounds, *self.idle)
        used = amounts_for_liquidity(sqrt_price, *bounds, self.liquidity)
        self.idle = (self.idle[0] - used[0], self.idle[1] - used[1])
        self.range = (tick_lower, tick_upper)
        self.minted.append(Minted(row, tick_lower, tick_upper, self.liquidity))

    def swap_to_even(self) -> None:
        """Swap to the same worth of both tokens, as the reference engine splits: the fee goes off what is sold.

        With q of token0, b of token1 worth p each and the fee f, it buys (q/p - b) / (2 + f) of token1 or sells
        (b - q/p) / (2 - f) of it, which comes within a fee's fee of even.
        """
        fee = Decimal(self.key.fee_pips) / PIPS
        price = 1 / token1_per_token0(self.tick)
        surplus = self.idle[0] / price - self.idle[1]
        if surplus >= 0:
            bought = surplus / (2 + fee)
            self.idle = (self.idle[0] - int(bought * price / (1 - fee)), self.idle[1] + int(bought))
        else:
            sold = -surplus / (2 - fee)
            self.idle = (self.idle[0] + int(sold * (1 - fee) * price), self.idle[1] - int(sold))

    def accrue(self, close_tick: int, amounts_in: Amounts, liquidity: int) -> None:
        """Let a bar's volume pay the position; `liquidity` is the others'."""
        if self.range is None:
            return
        part, whole = path_inside(self.tick, close_tick, *self.range)
        if part:
            total = liquidity + self.liquidity
            for zero, amount in enumerate(amounts_in):
                self._growth_x128[zero] += fee_growth_x128(amount, self.key.fee_pips, total, part, whole)


def run(bars: MinuteBars, key: PoolKey, balances: Amounts, policy: Policy, *, even: bool = False) -> RuleRun:
    """Run a policy over bars.

    Args:
        bars: the bars; worth is counted after each.
        key: their pool.
        balances: token0 and token1 to begin with, in smallest units.
        policy: says where to move to.
        even: whether both balances are brought to the same worth before each mint.
    """
    seat = Seat(key, balances)
    worth, holding = [], []
    columns = zip(
        bars.close_tick.tolist(),
        from_limbs(bars.amount0_in),
        from_limbs(bars.amount1_in),
        from_limbs(bars.liquidity),
        strict=True,
    )
    with localcontext() as context:
        context.prec = _DIGITS
        for row, (close_tick, amount0_in, amount1_in, liquidity) in enumerate(columns):
            seat.tick = bars.tick_before(row)
            wanted = policy(seat)
            if wanted is not None:
                seat.close()
                if even:
                    seat.swap_to_even()
                seat.mint(*wanted, row)
            seat.accrue(close_tick, (amount0_in, amount1_in), liquidity)
            worth.append(seat.worth())
            holding.append(balances[0] + balances[1] / token1_per_token0(seat.tick))
    return RuleRun(tuple(worth), tuple(holding), tuple(seat.minted), seat.idle, seat.fees)


def hold(seat: Seat) -> None:
    """Never mint."""


def once(tick_lower: int, tick_upper: int) -> Policy:
    """Mint on the first bar, and stay."""
    return lambda seat: None if seat.range else (tick_lower, tick_upper)


def recentring(half_width: int) -> Policy:
    """Mint around the price, and again whenever the price, rounded to the tick spacing, has left the range."""

    def decide(seat: Seat) -> tuple[int, int] | None:
        center = nearest_usable(seat.tick, seat.key.tick_spacing)
        if seat.range and seat.range[0] <= center < seat.range[1]:
            return None
        return center - half_width, center + half_width

    return decide


def nearest_usable(tick: int, tick_spacing: int) -> int:
    """The nearest multiple of the tick spacing; half-way goes to the even multiple, as Python rounds."""
    return round(tick / tick_spacing) * tick_spacing


def token1_per_token0(tick: int) -> Decimal:
    """The price at a tick, in smallest units: 1.0001**tick."""
    return _TICK_BASE**tick


def _bounds(ticks: tuple[int, int]) -> tuple[int, int]:
    return get_sqrt_ratio_at_tick(ticks[0]), get_sqrt_ratio_at_tick(ticks[1])
