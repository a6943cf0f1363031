"""What kind of history a path holds, told by what is in it, never by a flag."""

from enum import Enum
from pathlib import Path

from defai.backtest.sources.bars import minute_files
from defai.backtest.sources.event_files import event_files
from defai.backtest.sources.nearest import no_history
from defai.errors import ConfigError, NotFoundError
from defai.marketsim.price_files import has_prices
from defai.worlds.dataset import MANIFEST
from defai.worlds.journal import JOURNAL
from defai.worlds.recording import OPENING


class SourceKind(Enum):
    """What history is made of."""

    EVENTS = "events"
    BARS = "bars"
    PRICES = "prices"


def detect(source: Path) -> SourceKind:
    """The kind of a source; where a folder has events and bars, the events.

    Raises:
        NotFoundError: where there is nothing at the path.
        ConfigError: where what is there is no history.
    """
    if not source.exists():
        raise NotFoundError(f"There is no file or folder {source}.")
    if (source / JOURNAL).is_file() and not (source / MANIFEST).is_file():
        raise ConfigError(
            f"{source} is a download that is not finished.", "Run its command again: it goes on where it was."
        )
    if (source / OPENING).is_file() or event_files(source):
        return SourceKind.EVENTS
    if minute_files(source):
        return SourceKind.BARS
    if source.is_file() and has_prices(source):
        return SourceKind.PRICES
    raise no_history(source)
