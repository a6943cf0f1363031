"""Why a file is no history: the kind that it comes closest to, and what it lacks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from defai.backtest.sources.bars import COLUMNS
from defai.backtest.sources.logged import RAW_COLUMNS, TICK_COLUMNS
from defai.backtest.sources.tables import head_of
from defai.errors import ConfigError, did_you_mean
from defai.marketsim.price_files import CLOSE_NAMES, TIMESTAMP_NAMES

_TABLES: Final = (".csv", ".csv.gz", ".parquet")
_MOST_SHOWN: Final = 8


class _Kind(NamedTuple):
    """A kind of table: the columns it must have, each by any of its names."""

    words: str
    columns: Sequence[Sequence[str]]

    def missing(self, there: frozenset[str]) -> list[str]:
        """What it lacks, by the first of each one's names."""
        return [names[0] for names in self.columns if not there.intersection(names)]


_KINDS: Final = (
    _Kind("decoded events", [(name,) for name in TICK_COLUMNS]),
    _Kind("raw logs", [(name,) for name in RAW_COLUMNS]),
    _Kind("minute bars", [(name,) for name in COLUMNS]),
    _Kind("prices", [TIMESTAMP_NAMES, *[(name,) for name in ("open", "high", "low", "volume")], CLOSE_NAMES]),
)
_NEEDED: Final = {"prices": ("timestamp", "close")}
_HINT: Final = (
    "There are: events (.tick.csv, .raw.csv, parquet, recordings), minute bars (.minute.csv), prices (OHLCV)."
)


def no_history(source: Path) -> ConfigError:
    """What to tell a person whose source is none.

    Args:
        source: a file or a folder that is there.
    """
    if source.is_dir():
        tables = [path for path in source.iterdir() if path.is_file() and path.name.lower().endswith(_TABLES)]
        if len(tables) == 1:
            return no_history(tables[0])
        return ConfigError(f"{source} holds no history that can be read.", _HINT)
    if not source.name.lower().endswith(_TABLES):
        return ConfigError(f"{source} is no history that can be read.", _HINT)
    try:
        columns = head_of(source)
    except ConfigError as error:
        return error
    if not columns:
        return ConfigError(f"{source} is empty.", "Fetch it again.")
    there = frozenset({*columns, *("".join(filter(str.isalnum, name.lower())) for name in columns)})
    lacks = {kind.words: kind.missing(there) for kind in _KINDS}
    nearest = min(_KINDS, key=lambda kind: len(lacks[kind.words]) / len(kind.columns))
    if len(lacks[nearest.words]) * 2 > len(nearest.columns):
        shown = ", ".join(columns[:_MOST_SHOWN]) + (", …" if len(columns) > _MOST_SHOWN else "")
        return ConfigError(f"{source} is no history that can be read: its columns are {shown}.", _HINT)
    needed = _NEEDED.get(nearest.words)
    missing = [name for name in lacks[nearest.words] if needed is None or name in needed]
    word = "column" if len(missing) == 1 else "columns"
    strange = [name for name in columns if not any(name in names for names in nearest.columns)]
    return ConfigError(
        f"{source.name} looks like {nearest.words}, but has no {word} {', '.join(missing)}.",
        did_you_mean(missing[0], strange) or _HINT,
    )
