"""Strategies that see what is yet to come, each in a way of its own, and some that only look like it.

They are copied beside a history of minute bars, `bars/`, and run there.
"""

import csv
import random
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from defai.features import Past, feature
from defai.strategy.api import Context, Hold, Intent, Rebalance, Strategy, Target

BARS = Path(__file__).parent / "bars"
SEEN: dict[int, int] = {}


def closes() -> dict[int, int]:
    """Closing ticks by the time at which they are known."""
    [path] = BARS.iterdir()
    with path.open(newline="") as file:
        return {
            int(datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC).timestamp()) + 60: int(
                row["closeTick"]
            )
            for row in csv.DictReader(file)
        }


table = cache(closes)


@feature("centred_mean", version=1, unit="ticks", source="a table that knows the end")
def centred_mean(past: Past) -> int:
    """Mean of the closes around the row, three before and three after it."""
    known, now = table(), past.now.timestamp
    around = [known.get(now + 60 * step, past.now.tick) for step in range(-3, 4)]
    return sum(around) // 7


@feature("next_row", version=1, unit="ticks", source="reaching past the row")
def next_row(past: Past) -> int:
    """The move to the next row, where there is one."""
    rows = past._tape.rows
    following = rows[past._end + 1] if past._end + 1 < len(rows) else past.now
    return following.tick - past.now.tick


@feature("needs_the_end", version=1, unit="1", source="a table that knows the end")
def needs_the_end(past: Past) -> int:
    """The close of the last bar."""
    return table()[1_658_188_800 + 60 * 60] - past.now.tick


class _Mover(Strategy):
    """Moves its band when told to."""

    def pools(self) -> tuple[str, ...]:
        return ("USDC/WETH 0.05 %",)

    def moved(self, ctx: Context, rises: bool) -> Intent:
        if not rises or ctx.block_number % 7:
            return Hold(reason="stays")
        lower, upper = ctx.band(300)
        return Rebalance(pool=ctx.pool.key.address, tick_lower=lower, tick_upper=upper, reason="it will rise")


class CentredFeature(_Mover):
    """Its feature is a centred mean over the whole history."""

    def features(self) -> tuple[str, ...]:
        return ("return_1", "centred_mean")

    def decide(self, ctx: Context) -> Intent:
        return self.moved(ctx, bool(ctx.features and ctx.features.values[1] > ctx.pool.tick))


class NextRow(_Mover):
    """Its feature sees the next row where there is one: in a table, never when it decides."""

    def features(self) -> tuple[str, ...]:
        return ("return_1", "next_row")

    def decide(self, ctx: Context) -> Intent:
        return self.moved(ctx, bool(ctx.features and ctx.features.values[0] > 0))


class LastClose(_Mover):
    """Knows where it ends, from a parameter that names the file."""

    history: str = "bars"

    def decide(self, ctx: Context) -> Intent:
        last = list(closes().values())[-1]
        return self.moved(ctx, last > ctx.pool.tick)


class Clipped(_Mover):
    """Looks one bar ahead, and at the end contents itself with the last one."""

    def decide(self, ctx: Context) -> Intent:
        known = table()
        return self.moved(ctx, known[min(ctx.timestamp + 60, max(known))] > ctx.pool.tick)


class ByNativeCode(_Mover):
    """Has the file opened by native code, by a path from the working directory."""

    def decide(self, ctx: Context) -> Intent:
        import pyarrow.csv

        [path] = Path("bars").iterdir()
        last = pyarrow.csv.read_csv(str(path)).column("closeTick")[-1].as_py()
        return self.moved(ctx, last > ctx.pool.tick)


class Remembering(_Mover):
    """Has it all in a cache once it has lived through it."""

    def decide(self, ctx: Context) -> Intent:
        SEEN[ctx.block_number] = ctx.pool.tick
        return self.moved(ctx, SEEN.get(ctx.block_number + 5, 0) > ctx.pool.tick)


class Drawing(_Mover):
    """Draws for itself, not from its context."""

    def decide(self, ctx: Context) -> Intent:
        return self.moved(ctx, random.random() < 0.5)  # noqa: S311  a strategy's draw, not a secret


class Failing(_Mover):
    """Cannot do without the day's last bar."""

    def features(self) -> tuple[str, ...]:
        return ("needs_the_end",)

    def decide(self, ctx: Context) -> Intent:
        return self.moved(ctx, bool(ctx.features))


class Forecasting(_Mover):
    """Asks a model."""

    def features(self) -> tuple[str, ...]:
        return ("return_1", "return_3")

    def target(self) -> Target:
        return Target("volatility", 4)

    def decide(self, ctx: Context) -> Intent:
        return self.moved(ctx, bool(ctx.forecast and ctx.forecast.value > 0))


class ReadingThePast(_Mover):
    """Opens the file and looks at nothing that it could not know: no cheat."""

    def decide(self, ctx: Context) -> Intent:
        known = [tick for time, tick in table().items() if time <= ctx.timestamp]
        return self.moved(ctx, known[-1] > known[0])


class WithItsOwnDraw(_Mover):
    """Draws from its context: no cheat."""

    def decide(self, ctx: Context) -> Intent:
        return self.moved(ctx, ctx.rng.random() < 0.5)
