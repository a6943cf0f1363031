"""A source as rows to train on: minute bars of a pool, or open, high, low and close at a fixed step."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from defai.backtest.sources.bars import minute_files, read_bars
from defai.backtest.sources.detection import SourceKind, detect
from defai.backtest.sources.known_pools import find_pool, place_of
from defai.errors import ConfigError
from defai.market.bar_rows import rows_of_bars, rows_of_prices
from defai.market.window import Observation
from defai.marketsim.price_files import timestamps_of
from defai.marketsim.price_tables import Table, read_table

_PRICES: Final = ("open", "high", "low", "close")
_FOREVER: Final = 1 << 62


class TrainingSource(NamedTuple):
    """Rows by pool, and what they are in words.

    Attributes:
        pool: whether they tell volumes and liquidity.
        step_s: seconds from row to row.
    """

    histories: dict[str, list[Observation]]
    label: str
    pool: bool
    step_s: int


def read_training_source(
    source: Path, first_time: int | None = None, end_time: int | None = None
) -> TrainingSource:
    """Read a file or a folder.

    Args:
        source: where.
        first_time: bars that begin before this moment (seconds since 1970) are left out.
        end_time: as are those that begin at it or later.

    Raises:
        NotFoundError: where there is nothing at the path, or nothing within the time.
        ConfigError: where it is no history that can be trained on.
    """
    kind = detect(source)
    if kind is SourceKind.BARS:
        rows = rows_of_bars(read_bars(source, first_time, end_time), fee_pips=_fee_pips(source))
        return TrainingSource({source.name: rows}, f"minute bars of {source.name}", pool=True, step_s=60)
    if kind is SourceKind.PRICES:
        table = read_table(source)
        opens, highs, lows, closes = (_prices(table, name) for name in _PRICES)
        times = timestamps_of(table)
        first, end = bisect_left(times, first_time or 0), bisect_left(times, end_time or _FOREVER)
        if end - first < 2:
            raise ConfigError(f"{source.name} has too few rows to train on.")
        step_s = min(after - before for before, after in pairwise(times))
        prices = (column[first:end] for column in (opens, highs, lows, closes))
        bars = rows_of_prices(times[first:end], *prices, step_s=step_s)
        return TrainingSource({source.stem: bars}, f"prices of {source.name}", pool=False, step_s=step_s)
    raise ConfigError(
        f"{source} holds events, which can't be trained on as they are.",
        "There are: minute bars, prices with open, high, low and close, and `generated`.",
    )


def _fee_pips(source: Path) -> int | None:
    """The fee of the pool that the files' names give; None where they give none that is known."""
    try:
        return find_pool(place_of(minute_files(source)[0]), None).fee_pips
    except ConfigError:
        return None


def _prices(table: Table, name: str) -> Sequence[float]:
    by_plain = {column.strip().lower(): column for column in table.names}
    if name not in by_plain:
        raise ConfigError(
            f"{table.path.name} has no column {name}.",
            "To train takes open, high, low and close of each bar.",
        )
    try:
        return [float(cell) for cell in table.column(by_plain[name])]  # type: ignore[arg-type]  # dates are refused below
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{table.path.name} has a cell in {name} that is no price.") from error
