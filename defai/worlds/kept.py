"""Where a run is kept, and how far it had come when its process ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from defai.worlds.seat_ledger import LEDGER
from defai.worlds.sent_log import SENT

DECISIONS: Final = "decisions.jsonl"


@dataclass(frozen=True, slots=True)
class Kept:
    """A run's directory, as far as a world has to know it.

    Attributes:
        block: the newest block everything is known of, and its hash; None where the run begins.
        folded: by agent, of how many submissions it is known what came of them.
        history_blocks: how far back of `block` the market is looked at.
    """

    folder: Path
    block: tuple[int, str] | None = None
    folded: Mapping[str, int] = field(default_factory=dict)
    history_blocks: int = 0

    @property
    def decisions(self) -> Path:
        """The file of decisions."""
        return self.folder / DECISIONS

    @property
    def seats(self) -> Path:
        """The file that says where the fleet sits."""
        return self.folder / LEDGER

    @property
    def sent(self) -> Path:
        """The file of what was sent."""
        return self.folder / SENT
