"""A run's directory: self-contained, so that a run can be read, checked and made again from it alone."""

import fcntl
import json
import os
import secrets
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from defai import whole_file
from defai.config import Settings
from defai.domain.stream import AgentStateChanged, ApprovalRequested, ApprovalResolved, StreamEvent
from defai.domain.wire import write_event
from defai.errors import ConfigError, DefaiError, NotFoundError
from defai.market.state import WINDOW_BLOCKS
from defai.redaction import redacted
from defai.session.checkpoint import Checkpoint, read_checkpoint
from defai.worlds.kept import DECISIONS, Kept
from defai.worlds.seat_ledger import LEDGER
from defai.worlds.sent_log import SENT, cut_broken_line

RUN = "run.json"
EVENTS_FILE = "events.jsonl"
PLACE = "chain.json"
LASTING = frozenset({"rpc", "live"})
"""Networks that are still there when the process has ended."""
AT_ONCE = (ApprovalRequested, ApprovalResolved, AgentStateChanged)
"""What a person was asked, or answered, is kept even where the process is killed a moment later."""
_PACKAGES = ("defai", "lightgbm", "numpy", "web3", "pydantic")


def run_directory(settings: Settings) -> Path:
    """The directory of a run: the one the settings name, else a new one under the user's data.

    Where the named one holds a run already, that run is taken up, if its chain is still there.

    Raises:
        ConfigError: where it holds a run that cannot be taken up.
        DefaiError: where it cannot be made.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    unique = f"{stamp}-{os.getpid()}-{secrets.token_hex(2)}"
    path = settings.run_dir or user_data_path("defai") / "runs" / unique
    try:
        if (path / RUN).exists() and _is_begun(path):
            _check_lasting(path, settings.network.kind)
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DefaiError(
            f"The run directory {path} cannot be made: {error.strerror}.", "Name another with run_dir."
        ) from error
    return path


def _is_begun(path: Path) -> bool:
    """Whether a run came as far as a chain; a start that failed, or was stopped, has left nothing to be kept."""
    return any((path / name).exists() for name in (PLACE, LEDGER, SENT, DECISIONS))


def _check_lasting(path: Path, kind: str) -> None:
    before = _about(path)["settings"]["network"]["kind"]
    if before not in LASTING:
        raise ConfigError(
            f"{path} holds a run already, and its chain ended with it.",
            "Name another directory, or move that run away.",
        )
    if before != kind:
        raise ConfigError(
            f"{path} holds a run on the network '{before}', not '{kind}'.",
            "Go on with it there, or name another directory.",
        )


def _about(path: Path) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads((path / RUN).read_bytes())
        about["settings"]["network"]["kind"]
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"{path / RUN} is not of a run.", "Name another directory.") from error
    return about


def newest_run() -> Path:
    """The directory of the run that began last, of those that decided something: a start that failed leaves one, too.

    Raises:
        NotFoundError: where there is none.
    """
    folder = user_data_path("defai") / "runs"
    runs = sorted(path.parent for path in folder.glob(f"*/{DECISIONS}"))
    if not runs:
        raise NotFoundError(f"There is no run in {folder}.", "Name the directory of one that is elsewhere.")
    return runs[-1]


def models_folder() -> Path:
    """Where trained models are kept."""
    return user_data_path("defai") / "models"


class Journal:
    """Writes what happens into the run's directory. One process at a time has it.

    Files: run.json (settings, seed, versions), chain.json (where the records are), events.jsonl (the stream),
    decisions.jsonl (by the audit log), summary.json (at the end); and where the chain outlives the process, seats.json,
    sent.jsonl (by the world) and checkpoint.json.

    Attributes:
        is_old: whether an earlier process began the run.
        checkpoint: how far it had come then; None where it had not begun to decide.

    Raises:
        DefaiError: where another process has it.
        ConfigError: where what an earlier one left cannot be read.
    """

    def __init__(self, path: Path, settings: Settings) -> None:
        self.path = path
        self._lock = (path / ".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise DefaiError(
                f"Another process runs in {path}.", "End it first, or name another directory."
            ) from error
        if not _is_begun(path):
            for name in (RUN, EVENTS_FILE):
                (path / name).unlink(missing_ok=True)
        self.is_old = (path / RUN).exists()
        self.checkpoint = read_checkpoint(path) if self.is_old else None
        now = datetime.now(UTC).isoformat(timespec="seconds")
        if self.is_old:
            about = _about(path)
            self._write(RUN, {**about, "taken_up": [*about.get("taken_up", []), now]})
        else:
            self._write(
                RUN,
                {
                    "settings": settings.public(),
                    "seed": settings.market.seed,
                    "started": now,
                    "python": sys.version.split()[0],
                    "versions": {package: version(package) for package in _PACKAGES},
                },
            )
        if (path / EVENTS_FILE).exists():
            cut_broken_line(path / EVENTS_FILE)
        self._events = (path / EVENTS_FILE).open("ab")
        self.failed: str = ""
        self._told = False

    def kept(self) -> Kept:
        """What a world has to know of the run."""
        point = self.checkpoint
        if point is None:
            return Kept(self.path)
        return Kept(
            self.path,
            (point.block_number, point.block_hash),
            {name: memory.heard for name, memory in point.agents.items()},
            WINDOW_BLOCKS,
        )

    def keep(self, checkpoint: Checkpoint) -> None:
        """Put down how far the run has come.

        Raises:
            DefaiError: where it cannot be written.
        """
        checkpoint.write(self.path)

    def place(self, content: dict[str, Any]) -> None:
        """Write where the records are: chain.json, without an endpoint's secret."""
        self._write(PLACE, {**content, "rpc_url": redacted(content["rpc_url"])})

    def event(self, event: StreamEvent) -> None:
        """Keep an event of the stream; the first failure is remembered and ends the writing, not the session."""
        if self.failed:
            return
        try:
            self._events.write(write_event(event) + b"\n")
            if isinstance(event, AT_ONCE):
                self._events.flush()
        except OSError as error:
            self._give_up(error)

    def flush(self) -> str:
        """Hand what was written to the operating system.

        Returns:
            Why nothing is kept any more, the first time there is a reason; else nothing.
        """
        if not self.failed:
            try:
                self._events.flush()
            except OSError as error:
                self._give_up(error)
        told, self._told = self._told, bool(self.failed)
        return "" if told else self.failed

    def close(self, summary: dict[str, Any] | None) -> None:
        """Write the summary and close the files.

        Raises:
            DefaiError: where the summary cannot be written.
        """
        try:
            self._events.close()
        except OSError as error:
            self._give_up(error)
        finally:
            self._lock.close()
        if summary is not None:
            self._write("summary.json", summary)

    def _give_up(self, error: OSError) -> None:
        self.failed = f"The journal {self.path} cannot be written any more: {error.strerror}."

    def _write(self, name: str, content: dict[str, Any]) -> None:
        try:
            whole_file.put(self.path / name, (json.dumps(content, indent=2, default=str) + "\n").encode())
        except OSError as error:
            raise DefaiError(
                f"{self.path / name} cannot be written: {error.strerror}.", "Make room."
            ) from error
