"""How far a run has come, written after every block: what a process needs that takes it up again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from pydantic import TypeAdapter, ValidationError

from defai.agent.agent import Agent
from defai.agent.returning import Memory, Returning
from defai.domain.chain_events import Block
from defai.errors import ConfigError
from defai.worlds.seat_ledger import write_whole

if TYPE_CHECKING:
    from pydantic import TypeAdapter as Adapter

CHECKPOINT: Final = "checkpoint.json"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A run after a block.

    Attributes:
        block_number, block_hash: the block.
        blocks: how many were lived through since the run began.
        decision_digest: of all decisions so far, in hex; empty before the first.
        agents: what each remembers.
    """

    block_number: int
    block_hash: str
    blocks: int
    decision_digest: str
    agents: Mapping[str, Memory]

    @classmethod
    def after(cls, head: Block, blocks: int, decision_digest: bytes, agents: Sequence[Agent]) -> Self:
        """The checkpoint after a block.

        Args:
            head: the block.
            blocks: how many were lived through.
            decision_digest: of all decisions.
            agents: the fleet.
        """
        memories = {agent.name: agent.remember() for agent in agents if isinstance(agent, Returning)}
        return cls(head.number, head.hash, blocks, decision_digest.hex(), memories)

    def write(self, folder: Path) -> None:
        """Put it in the place of the one before."""
        write_whole(folder / CHECKPOINT, _adapter().dump_json(self))


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """The checkpoint of a run; None where it has none.

    Raises:
        ConfigError: where it is of another version, or was changed.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    try:
        return _adapter().validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ConfigError(
            f"{path} cannot be read: another version of defai wrote it, or somebody changed it.",
            "Take the run up with the version in its run.json, or name another --run-dir.",
        ) from error


@cache
def _adapter() -> "Adapter[Checkpoint]":
    return TypeAdapter(Checkpoint)
