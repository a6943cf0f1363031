"""What a person set once and finds again: colours, sorting. A JSON file; the terminal runs without it too."""

import json
from pathlib import Path
from typing import Any

from defai import whole_file


class Preferences:
    """Values by name, written whenever one changes.

    A file that cannot be read or written is no reason not to run: it is done without, and `problem` says so.

    Args:
        path: the file; None remembers nothing beyond this run.

    Attributes:
        problem: what is wrong with the file, in a sentence; empty where nothing is.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.problem = ""
        self._values: dict[str, Any] = {}
        if path is not None:
            self._read(path)

    def text(self, name: str, default: str = "") -> str:
        """A text."""
        value = self._values.get(name, default)
        return value if isinstance(value, str) else default

    def whole(self, name: str, default: int = 0) -> int:
        """A whole number."""
        value = self._values.get(name, default)
        return value if isinstance(value, int) and not isinstance(value, bool) else default

    def put(self, name: str, value: str | int) -> None:
        """Remember a value."""
        if self._values.get(name) != value:
            self._values[name] = value
            self._write()

    def _read(self, path: Path) -> None:
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        except (OSError, ValueError):
            self.problem = f"{path} cannot be read: the terminal's settings are the usual ones."
            return
        if isinstance(values, dict):
            self._values = values

    def _write(self) -> None:
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            whole_file.put(self.path, (json.dumps(self._values, indent=1, sort_keys=True) + "\n").encode())
        except OSError:
            self.problem = f"{self.path} cannot be written: settings last until the terminal is left."


def usual_path() -> Path:
    """Where the terminal's settings are kept on this system."""
    from platformdirs import user_config_path  # noqa: PLC0415  only wanted by the real terminal

    return user_config_path("defai", appauthor=False) / "terminal.json"
