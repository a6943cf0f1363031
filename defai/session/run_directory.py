"""A run's directory: self-contained, so that a run can be read, checked and made again from it alone."""

import json
import os
import secrets
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from defai.config import Settings
from defai.domain.stream import StreamEvent
from defai.domain.wire import EVENTS
from defai.errors import ConfigError, DefaiError, NotFoundError
from defai.redaction import redacted

_PACKAGES = ("defai", "lightgbm", "numpy", "web3", "pydantic")


def new_run_directory(settings: Settings) -> Path:
    """Make the directory of a run: the one the settings name, else a new one under the user's data.

    Raises:
        ConfigError: where the named one holds a run already.
        DefaiError: where it cannot be made.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    unique = f"{stamp}-{os.getpid()}-{secrets.token_hex(2)}"
    path = settings.run_dir or user_data_path("defai") / "runs" / unique
    try:
        if (path / "run.json").exists():
            raise ConfigError(
                f"{path} holds a run already.", "Name another directory, or move that run away."
            )
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DefaiError(
            f"The run directory {path} cannot be made: {error.strerror}.", "Name another with run_dir."
        ) from error
    return path


def newest_run() -> Path:
    """The directory of the run that began last.

    Raises:
        NotFoundError: where there is none.
    """
    folder = user_data_path("defai") / "runs"
    runs = sorted(folder.iterdir()) if folder.is_dir() else []
    if not runs:
        raise NotFoundError(f"There is no run in {folder}.", "Name its directory with --run.")
    return runs[-1]


def models_folder() -> Path:
    """Where trained models are kept."""
    return user_data_path("defai") / "models"


class Journal:
    """Writes what happens into the run's directory.

    Files: run.json (settings, seed, versions), chain.json (where the records are), events.jsonl (the stream),
    decisions.jsonl (by the audit log), summary.json (at the end).
    """

    def __init__(self, path: Path, settings: Settings) -> None:
        self.path = path
        self._write(
            "run.json",
            {
                "settings": settings.public(),
                "seed": settings.market.seed,
                "started": datetime.now(UTC).isoformat(timespec="seconds"),
                "python": sys.version.split()[0],
                "versions": {package: version(package) for package in _PACKAGES},
            },
        )
        self._events = (path / "events.jsonl").open("ab")
        self.failed: str = ""
        self._told = False

    def place(self, content: dict[str, Any]) -> None:
        """Write where the records are: chain.json. An endpoint's secret is left out."""
        self._write("chain.json", {**content, "rpc_url": redacted(content["rpc_url"])})

    def event(self, event: StreamEvent) -> None:
        """Keep an event of the stream; the first failure is remembered and ends the writing, not the session."""
        if self.failed:
            return
        try:
            self._events.write(EVENTS.dump_json(event) + b"\n")
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
        if summary is not None:
            self._write("summary.json", summary)

    def _give_up(self, error: OSError) -> None:
        self.failed = f"The journal {self.path} cannot be written any more: {error.strerror}."

    def _write(self, name: str, content: dict[str, Any]) -> None:
        draft = self.path / f".{name}.part"
        try:
            draft.write_text(json.dumps(content, indent=2, default=str) + "\n", encoding="utf-8")
            draft.replace(self.path / name)
        except OSError as error:
            raise DefaiError(
                f"{self.path / name} cannot be written: {error.strerror}.", "Make room."
            ) from error
