"""Bars as rows of a history: what a table of features is computed from where there are no blocks.

A row stands for a bar; its number counts steps, so that a missing bar is a gap, and its time is the bar's end, when the
bar is known. As in a block's row, the price before the bar counts as one of its extremes.
"""

from collections.abc import Sequence
from math import isqrt
from typing import Any, Final, TypeAlias

from defai.amm import get_sqrt_ratio_at_tick, get_tick_at_sqrt_ratio
from defai.errors import ConfigError
from defai.market.bars import MINUTE_S, MinuteBars, from_limbs
from defai.market.window import NotKnownError, Observation

VOLUME_UNIT: Final = 1_000_000
"""Into how many parts one unit of a file's volume is counted."""

BarCells: TypeAlias = tuple[int, int, int, int, int, int, int, int]
"""A bar's start, the tick before it, its close, lowest and highest, what came in of both tokens, and the liquidity."""


class PriceRow(Observation):
    """A bar of bare prices. To ask it for what it doesn't tell raises `NotKnownError`.

    It tells its number, its time, its ticks and, where its source does, its volume; the fee, the sizes of single swaps
    and the depth are None.
    """

    __slots__ = ("volume_raw",)

    def __init__(
        self,
        block_number: int,
        timestamp: int,
        tick: int,
        tick_low: int,
        tick_high: int,
        volume_raw: int | None = None,
    ) -> None:
        told = {
            "block_number": block_number,
            "timestamp": timestamp,
            "tick": tick,
            "tick_low": tick_low,
            "tick_high": tick_high,
            "fee_pips": None,
            "swap_sizes_raw": None,
            "depth_below": None,
            "depth_above": None,
        }
        if volume_raw is not None:
            told["volume_raw"] = volume_raw
        for name, value in told.items():
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> int:
        raise NotKnownError(f"a bar of prices doesn't tell {name}")

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy tells as little."""
        try:
            told: tuple[int, ...] = (self.volume_raw,)
        except NotKnownError:
            told = ()
        ticks = (self.tick, self.tick_low, self.tick_high)
        return PriceRow, (self.block_number, self.timestamp, *ticks, *told)

    def __repr__(self) -> str:
        return (
            f"PriceRow({self.block_number}, {self.timestamp}, {self.tick}, {self.tick_low}, {self.tick_high})"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PriceRow) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))


def tick_of_price(quote_per_base: float) -> int:
    """The tick of a price, rounded down: exactly that of the float's own value, the same on every machine.

    Raises:
        ConfigError: where the price is not positive and finite, or lies outside the range of ticks.
    """
    if not 2.0**-127 < quote_per_base < 2.0**127:
        raise ConfigError(f"{quote_per_base!r} is no price.", "Prices lie between 2^-127 and 2^127.")
    numerator, denominator = quote_per_base.as_integer_ratio()
    return get_tick_at_sqrt_ratio(isqrt((numerator << 192) // denominator))


def rows_of_prices(
    timestamps: Sequence[int],
    opens: Sequence[float],
    highs: Sequence[float],
    lows: Sequence[float],
    closes: Sequence[float],
    volumes: Sequence[float] | None = None,
    *,
    step_s: int,
) -> list[Observation]:
    """Open, high, low and close at a fixed step as rows; ticks are log 1.0001 of the price given.

    Args:
        timestamps: the start of each bar in seconds since 1970, a multiple of the step, rising; gaps are allowed.
        opens: where the first bar's price stood before it; of later bars it is the close before.
        highs: one a bar.
        lows: one a bar.
        closes: one a bar.
        volumes: one a bar, in any unit; features only compare them with each other.
        step_s: seconds from bar to bar.

    Raises:
        ConfigError: where columns differ in length, times don't rise by whole steps, or something is no price.
    """
    traded = [None] * len(timestamps) if volumes is None else [int(part * VOLUME_UNIT) for part in volumes]
    if len({len(timestamps), len(opens), len(highs), len(lows), len(closes), len(traded)}) != 1:
        raise ConfigError("The columns of the bars are not of one length.")
    rows: list[Observation] = []
    before, number = tick_of_price(opens[0]) if len(opens) else 0, -1
    for start, high, low, close, volume in zip(timestamps, highs, lows, closes, traded, strict=True):
        if start % step_s or start // step_s <= number:
            raise ConfigError(
                f"The bar at {start} does not follow the one before by whole steps of {step_s} s."
            )
        number, tick = start // step_s, tick_of_price(close)
        lowest, highest = min(before, tick, tick_of_price(low)), max(before, tick, tick_of_price(high))
        rows.append(PriceRow(number, start + step_s, tick, lowest, highest, volume))
        before = tick
    return rows


def rows_of_bars(
    bars: MinuteBars, *, fee_pips: int | None = None, base_fee_wei: int = 0
) -> list[Observation]:
    """Minute bars of a pool as rows, the same as a bars world shows an agent, but all of them.

    Args:
        bars: the bars.
        fee_pips: the pool's swap fee, which bars don't tell.
        base_fee_wei: what gas costs, where it doesn't change.
    """
    return [
        row_of_bar(index + 1, bar, get_sqrt_ratio_at_tick(bar[2]), base_fee_wei, fee_pips)
        for index, bar in enumerate(cells_of(bars, 0, len(bars)))
    ]


def cells_of(bars: MinuteBars, first: int, last: int) -> list[BarCells]:
    """What the rows of bars `first` up to and without `last` are made from."""
    part = bars.rows(first, last)
    if not len(part):
        return []
    close = part.close_tick.tolist()
    columns = (part.timestamps.tolist(), [bars.tick_before(first), *close[:-1]], close)
    extremes = (part.lowest_tick.tolist(), part.highest_tick.tolist())
    limbs = map(from_limbs, (part.amount0_in, part.amount1_in, part.liquidity))
    return list(zip(*columns, *extremes, *limbs, strict=True))


def row_of_bar(
    number: int, bar: BarCells, sqrt_price_x96: int, base_fee_wei: int, fee_pips: int | None
) -> Observation:
    """A bar of a pool as a row. A bar doesn't tell how many swaps it had: `swaps` is 1 where there was volume.

    Args:
        number: the row's.
        bar: what it is made from.
        sqrt_price_x96: at the bar's close: whoever makes many keeps them.
        base_fee_wei: what gas cost.
        fee_pips: the pool's swap fee, which bars don't tell.
    """
    start, before, tick, low, high, amount0_in, amount1_in, liquidity = bar
    return Observation(
        block_number=number,
        timestamp=start + MINUTE_S,
        base_fee_wei=base_fee_wei,
        sqrt_price_x96=sqrt_price_x96,
        tick=tick,
        tick_low=min(before, tick, low),
        tick_high=max(before, tick, high),
        liquidity=liquidity,
        swaps=int(amount0_in > 0 or amount1_in > 0),
        amount0_in=amount0_in,
        amount1_in=amount1_in,
        fee_pips=fee_pips,
    )
