"""Who replaced whom: the models that a key stood for, one after the other, and why. Nothing is ever overwritten."""

import json
import os
from dataclasses import asdict, dataclass
from typing import Final

from defai.errors import DefaiError, NotFoundError
from defai.models.registry import ModelRegistry

_LINES: Final = "lines"


@dataclass(frozen=True, slots=True)
class Switch:
    """A model took over from another.

    Attributes:
        digest: who serves from here on.
        parent: who served before; None at the beginning of a line.
        reason: why, in a sentence.
        block_number: upon which block, where it was in a session; None where a person did it outside of one.
        is_rollback: whether the one before was taken back.
    """

    digest: str
    parent: str | None
    reason: str
    block_number: int | None = None
    is_rollback: bool = False


@dataclass(frozen=True, slots=True)
class Lineage:
    """The lines of the models in a registry."""

    registry: ModelRegistry

    def switch(self, key: str, switch: Switch) -> None:
        """Let a key stand for another model from now on, and keep why.

        Raises:
            NotFoundError: where the model is not there.
            ModelRefusedError: where it is not what its digest says.
        """
        self.registry.load(switch.digest)
        folder = self.registry.folder / _LINES
        folder.mkdir(parents=True, exist_ok=True)
        line = json.dumps(asdict(switch), sort_keys=True) + "\n"
        self.registry.link(
            key, switch.digest
        )  # first: what refuses the key refuses it before anything is kept
        with (folder / key).open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def of(self, key: str) -> tuple[Switch, ...]:
        """All switches of a key, the oldest first.

        Raises:
            DefaiError: where the line cannot be read.
        """
        place = self.registry.folder / _LINES / key
        if key not in self.registry.keys() or not place.exists():  # noqa: SIM118  a method, not a dict's
            return ()
        try:
            return tuple(
                Switch(**json.loads(line)) for line in place.read_text(encoding="utf-8").splitlines()
            )
        except (ValueError, TypeError) as error:
            raise DefaiError(f"{place} is not as it was written.", "Remove it; the models stay.") from error

    def roll_back(self, key: str, reason: str, block_number: int | None = None) -> Switch:
        """Let the model serve again that the present one replaced.

        Raises:
            NotFoundError: where it replaced none.
        """
        serving = self.registry.keys().get(key)
        for past in reversed(self.of(key)):
            if past.digest == serving and past.parent is not None and not past.is_rollback:
                back = Switch(past.parent, serving, reason, block_number, is_rollback=True)
                self.switch(key, back)
                return back
        raise NotFoundError(f"The model of {key} replaced none that could serve again.")

    def in_use(self) -> frozenset[str]:
        """Digests that a key stands for, and those that it could be rolled back to."""
        used = set(self.registry.keys().values())
        for key in self.registry.keys():  # noqa: SIM118  a method, not a dict's
            for past in self.of(key):
                used |= {past.digest} | ({past.parent} if past.parent else set())
        return frozenset(used)
