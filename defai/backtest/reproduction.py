"""Runs a backtest again from its directory, and says what differs."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from defai.backtest.figures import figures
from defai.backtest.record import request_of
from defai.backtest.request import perform
from defai.backtest.run_files import differences, read_run, versions_at_work
from defai.backtest.runner import Watch


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of running a backtest again.

    Attributes:
        digest: of the decisions now.
        differences: figures that differ, the source's hash and the decisions' digest among them; a line each.
        versions: packages that are not what they were; they need not make a difference.
    """

    digest: str
    decisions: int
    differences: tuple[str, ...]
    versions: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


async def reproduce(
    directory: Path, say: Callable[[str], None] = lambda _: None, watch: Watch = lambda _: None
) -> Reproduction:
    """Run the backtest of a directory again.

    Args:
        directory: what `defai backtest --out` wrote.
        say: told what is going on.
        watch: told how far each run is.

    Raises:
        DefaiError: where it can't be read, or can't be run again, in a sentence.
    """
    record = read_run(directory)
    request = request_of(record.configuration)
    now = figures(await perform(request, say, watch), request.lvr_interval_s, hourly=True)
    # What was read from a file has been through JSON; what is compared with it goes the same way.
    again: Mapping[str, Any] = json.loads(json.dumps(now, default=str))
    before = {name: value for name, value in record.figures.items() if name != "source"}
    after = {name: value for name, value in again.items() if name != "source"}
    return Reproduction(
        digest=str(again["decision_digest"]),
        decisions=int(again["decisions"]),
        differences=tuple(differences(before, after)),
        versions=tuple(differences(record.versions or {}, versions_at_work())),
    )
