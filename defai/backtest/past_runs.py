"""Which backtests a user has run, so that the latest of each strategy is found again: one line each in a file of his.

`defai backtest` adds to `backtests.jsonl` of the user's data directory. A run that was written to a directory is in
there with its place; the directory itself stays the whole record, and may be moved or deleted at will.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from platformdirs import user_data_path

from defai.strategy.registry import LoadedStrategy

_FIGURES: Final = ("first_time", "last_time", "initial_usd", "final_usd", "hodl_usd")


@dataclass(frozen=True, slots=True)
class PastRun:
    """One agent of a backtest that was run.

    Attributes:
        time: when it ended, ISO 8601 in UTC.
        origin: the strategy's file, or its entry point.
        source_sha256: of the strategy's source then.
        history: what it was run over.
        out: the directory it was written to; None where it was not.
        first_time, last_time: of the history, in seconds since 1970.
    """

    time: str
    strategy: str
    origin: str
    source_sha256: str
    params: Mapping[str, Any]
    history: str
    out: str | None
    first_time: int
    last_time: int
    initial_usd: float
    final_usd: float
    hodl_usd: float

    def to_json(self) -> dict[str, Any]:
        """As JSON-able values."""
        return asdict(self)


def past_runs_file() -> Path:
    """Where they are kept."""
    return user_data_path("defai") / "backtests.jsonl"


def note_runs(loaded: Sequence[LoadedStrategy], figures: Mapping[str, Any], out: Path | None) -> str:
    """Add a backtest to the user's file.

    Args:
        loaded: the strategies of its agents, in order.
        figures: what `--json` prints of it.
        out: the directory it was written to.

    Returns:
        Why that was not possible; empty where it was. A backtest is as good without it.
    """
    each = figures.get("agents", [figures])
    now = datetime.now(UTC).isoformat(timespec="seconds")
    lines = [
        json.dumps(_past_run(now, one, of, figures, out).to_json(), default=str) + "\n"
        for one, of in zip(loaded, each, strict=True)
    ]
    path = past_runs_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(lines))
    except OSError as error:
        return f"{path} cannot be written: {(error.strerror or str(error)).lower()}"
    return ""


def last_runs() -> dict[str, PastRun]:
    """The latest backtest of each strategy, by its origin. Lines that cannot be read are passed over."""
    try:
        lines = past_runs_file().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    found: dict[str, PastRun] = {}
    for line in lines:
        try:
            run = PastRun(**json.loads(line))
        except (ValueError, TypeError):
            continue  # half a line of a process that was killed, or another version's
        found[run.origin] = run
    return found


def digest_of(source: bytes) -> str:
    """What tells one version of a strategy's source from another."""
    return hashlib.sha256(source).hexdigest()


def origin_of(reference: str, *, installed: bool = False) -> str:
    """An origin as it is kept: a file by its whole path."""
    return reference if installed or not reference.endswith(".py") else str(Path(reference).resolve())


def _past_run(
    now: str, loaded: LoadedStrategy, of: Mapping[str, Any], figures: Mapping[str, Any], out: Path | None
) -> PastRun:
    return PastRun(
        time=now,
        strategy=loaded.name,
        origin=origin_of(loaded.origin),
        source_sha256=digest_of(loaded.source),
        params=of["params"],
        history=str(figures["source"]),
        out=None if out is None else str(out.absolute()),
        **{name: of[name] for name in _FIGURES},
    )
