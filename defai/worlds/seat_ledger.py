"""What stands already of a fleet's place on a chain that outlives the process: written down step by step.

Starting and starting again are one way: each step looks here, and at the chain, whether it was taken, and takes it if
not. What is about to be sent is written first, so that a process that ends half-way leaves nothing unknown behind.
"""

import json
import os
from pathlib import Path
from typing import Any, Final

from defai import whole_file
from defai.errors import ConfigError, DefaiError

LEDGER: Final = "seats.json"


class SeatLedger:
    """The place of a fleet, as far as it has come.

    Args:
        path: the file; None keeps it in memory, where a chain ends with the process anyway.

    Attributes:
        is_old: whether an earlier process began it.

    Raises:
        ConfigError: where the file is none of ours.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._content: dict[str, Any] = {}
        self.is_old = path is not None and path.exists()
        if path is not None and self.is_old:
            try:
                self._content = json.loads(path.read_bytes())
                self._content["agents"].items()
            except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
                raise ConfigError(
                    f"{path} does not say where a fleet sits.", "Name another directory."
                ) from error

    def get(self, name: str) -> Any:  # noqa: ANN401  what it is depends on the name
        """Something that was noted of the fleet; None where nothing was."""
        return self._content.get(name)

    def note(self, **facts: object) -> None:
        """Note something of the fleet; it is on the disk when this returns."""
        self._content.update(facts)
        self._write()

    def of(self, agent: str, name: str) -> Any:  # noqa: ANN401  as above
        """Something that was noted of an agent; None where nothing was."""
        return self._agents.get(agent, {}).get(name)

    def note_agents(self, name: str, facts: dict[str, Any]) -> None:
        """Note something of several agents at once, by agent."""
        for agent, fact in facts.items():
            self._agents.setdefault(agent, {})[name] = fact
        self._write()

    @property
    def agents(self) -> tuple[str, ...]:
        """The agents of whom something was noted."""
        return tuple(self._agents)

    @property
    def _agents(self) -> dict[str, dict[str, Any]]:
        agents: dict[str, dict[str, Any]] = self._content.setdefault("agents", {})
        return agents

    def _write(self) -> None:
        if self._path is None:
            return
        self._content.setdefault("agents", {})
        write_whole(self._path, json.dumps(self._content, indent=1).encode())


def write_whole(path: Path, content: bytes) -> None:
    """As `whole_file.put`, in words.

    Raises:
        DefaiError: where it cannot be written.
    """
    try:
        whole_file.put(path, content)
    except OSError as error:
        raise DefaiError(
            f"{path} cannot be written: {os.strerror(error.errno or 0)}.",
            "Nothing is sent that cannot be kept: make room and start again.",
        ) from error
