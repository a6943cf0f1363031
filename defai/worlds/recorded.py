"""A world whose blocks are written down as they come, so that they can be lived through again."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from defai.agent.ports import (
    Arrival,
    AuditLog,
    Clock,
    Executor,
    ModelChange,
    Notices,
    Opening,
    PublicWorld,
    World,
)
from defai.models.trained import TrainedModel
from defai.worlds.recording import Recorder


class RecordedWorld:
    """A world, and a recorder that is told of every block before anybody else.

    Args:
        world: the world, not opened yet.
        folder: where the recording goes; one that is there is replaced.
    """

    def __init__(self, world: World, folder: Path) -> None:
        self.feed = self
        self._world = world
        self._folder = folder
        self._recorder: Recorder | None = None

    @property
    def executor(self) -> Executor:
        """The world's own."""
        return self._world.executor

    @property
    def audit_log(self) -> AuditLog:
        """The world's own."""
        return self._world.audit_log

    @property
    def clock(self) -> Clock:
        """The world's own."""
        return self._world.clock

    @property
    def network(self) -> str:
        """The world's own."""
        return self._world.network

    @property
    def chain_id(self) -> int:
        """The world's own."""
        return self._world.chain_id

    def warm_up(self, wanted: int) -> int:
        """As the world has it."""
        return self._world.warm_up(wanted)

    async def open(self) -> Opening:
        """Open the world, and begin the recording with the market as it is then."""
        opening = await self._world.open()
        self._recorder = Recorder(self._folder, self._world.chain_id, opening.market)
        return opening

    @property
    def rpc_url(self) -> str:
        """The world's own; empty where it has no chain."""
        return self._world.rpc_url if isinstance(self._world, PublicWorld) else ""

    async def announce(self, write: Notices, models: Sequence[TrainedModel]) -> None:
        """As the world does, where it has a chain."""
        if isinstance(self._world, PublicWorld):
            await self._world.announce(write, models)

    async def announce_switch(self, change: ModelChange) -> None:
        """As the world does, where it has a chain."""
        if isinstance(self._world, PublicWorld):
            await self._world.announce_switch(change)

    async def amend(self, amendments: Mapping[str, bytes]) -> None:
        """As the world does, where it has a chain."""
        if isinstance(self._world, PublicWorld):
            await self._world.amend(amendments)

    async def records(self) -> int:
        """As the world counts them."""
        return await self._world.records()

    async def close(self) -> None:
        """Close the world and the file."""
        try:
            await self._world.close()
        finally:
            if self._recorder is not None:
                self._recorder.close()

    def begin(self) -> None:
        """As the world does."""
        self._world.feed.begin()

    async def due(self) -> None:
        """As the world does."""
        await self._world.feed.due()

    async def next(self) -> Arrival | None:
        """The world's next block, written down."""
        return self._written(await self._world.feed.next())

    async def make_block(self) -> Arrival | None:
        """A block at once, written down."""
        return self._written(await self._world.feed.make_block())

    def _written(self, arrival: Arrival | None) -> Arrival | None:
        if arrival is not None and self._recorder is not None:
            self._recorder.append(arrival)
        return arrival
