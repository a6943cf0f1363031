"""How long agents take from a block to their decision while somebody is attached, and while nobody is: in one run."""

import asyncio
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Final

import homes
from figures import Figure

STRETCHES: Final = 4
BLOCKS_EACH: Final = 25
READER: Final = """
import asyncio, os
from defai.server.client import RemoteSession
from defai.server.places import find

os.nice(19)  # what it takes of the machine is its own affair; what it takes of the agents' process is measured

async def read():
    async for event in RemoteSession(lambda: find(None)).events():
        pass

asyncio.run(read())
"""


async def latencies() -> dict[bool, list[float]]:
    """Milliseconds from block to decision, by whether a reader was attached; the two take turns."""
    from defai.agent.bus import Bus  # noqa: PLC0415  a second to import
    from defai.cli.serving import attachable  # noqa: PLC0415  the same
    from defai.config import Settings  # noqa: PLC0415  the same
    from defai.domain.stream import BlockArrived, StepCompleted, StreamEvent  # noqa: PLC0415  the same
    from defai.session.session import Session  # noqa: PLC0415  the same

    found: dict[bool, list[float]] = {True: [], False: []}
    blocks, reader, turning = 0, None, False
    settings = Settings.demo({"network.block_time_s": 0.25}, environment={})
    bus = Bus()
    session = Session(settings, bus, blocks=STRETCHES * BLOCKS_EACH)

    def hear(event: StreamEvent) -> None:
        nonlocal blocks, turning
        if isinstance(event, StepCompleted):
            if not turning:
                found[reader is not None].append(event.latency_ms)
        elif isinstance(event, BlockArrived) and session.is_set_up:
            blocks += 1
            turning = blocks % BLOCKS_EACH < 8  # a reader takes a moment to start, and to catch up

    async def take_turns() -> None:
        nonlocal reader
        while True:
            wanted = blocks // BLOCKS_EACH % 2 == 1
            if wanted and reader is None:
                reader = await asyncio.create_subprocess_exec(sys.executable, "-c", READER)
            elif not wanted and reader is not None:
                reader.kill()
                await reader.wait()
                reader = None
            await asyncio.sleep(0.05)

    bus.tap(hear)
    turns = asyncio.create_task(take_turns())
    with attachable(session, 0):
        await session.run()
    turns.cancel()
    if reader is not None:
        reader.kill()
        await reader.wait()
    return found


def measure() -> list[Figure]:
    """The median with a reader, beside the one without."""
    with homes.second_start() as environment, tempfile.TemporaryDirectory() as folder:
        os.environ.update(environment)
        os.environ["XDG_STATE_HOME"] = str(Path(folder))
        found = asyncio.run(latencies())
    return [
        Figure(
            what="block to decision, four agents, a reader attached",
            value=statistics.median(found[True]),
            unit="ms",
            against="nobody attached, the same run",
            alternative=statistics.median(found[False]),
            note=f"{len(found[True]):,} and {len(found[False]):,} decisions, in turns; the reader at lowest priority.",
        )
    ]
