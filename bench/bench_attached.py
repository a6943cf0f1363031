"""What an open terminal costs the agents, from a block to their decision; how soon `defai attach` paints."""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import homes
from figures import Figure
from pseudo import OnTerminal

STRETCHES: Final = 4
BLOCKS_EACH: Final = 25
PAINTED: Final = b"Fleet"
"""What the first paint brings."""


class Attached:
    """`defai attach` on a pseudo-terminal; once it has painted, what it takes of the machine is its own affair.

    Attributes:
        first_paint_s: from the start of the process; None until it has painted.
    """

    def __init__(self) -> None:
        self.first_paint_s: float | None = None
        self._began = time.monotonic()
        command = [sys.executable, "-m", "defai", "attach"]
        self._terminal = OnTerminal(command, self._take)

    def _take(self, chunk: bytes) -> None:
        if self.first_paint_s is None and PAINTED in chunk:
            self.first_paint_s = time.monotonic() - self._began
            os.setpriority(os.PRIO_PROCESS, self._terminal.process.pid, 19)

    def close(self) -> None:
        """Leave."""
        self._terminal.close()


async def latencies(paints: list[float]) -> dict[bool, list[float]]:
    """Milliseconds from block to decision, by whether the terminal was attached; the two take turns."""
    from defai.agent.bus import Bus  # noqa: PLC0415  a second to import
    from defai.cli.serving import attachable  # noqa: PLC0415  the same
    from defai.config import Settings  # noqa: PLC0415  the same
    from defai.domain.stream import BlockArrived, StepCompleted, StreamEvent  # noqa: PLC0415  the same
    from defai.session.session import Session  # noqa: PLC0415  the same

    found: dict[bool, list[float]] = {True: [], False: []}
    blocks, turning = 0, False
    reader: Attached | None = None
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
                reader = Attached()
            elif not wanted and reader is not None:
                leave(reader, paints)
                reader = None
            await asyncio.sleep(0.05)

    bus.tap(hear)
    turns = asyncio.create_task(take_turns())
    with attachable(session, 0):
        await session.run()
    turns.cancel()
    if reader is not None:
        leave(reader, paints)
    return found


def leave(reader: Attached, paints: list[float]) -> None:
    """Close a terminal, and remember when it had painted."""
    reader.close()
    if reader.first_paint_s is not None:
        paints.append(reader.first_paint_s)


def measure() -> list[Figure]:
    """The median with the terminal open, beside the one without; how soon it paints."""
    paints: list[float] = []
    with homes.second_start() as environment, tempfile.TemporaryDirectory() as folder:
        os.environ.update(environment)
        os.environ["XDG_STATE_HOME"] = str(Path(folder))
        found = asyncio.run(latencies(paints))
    return [
        Figure(
            what="block to decision, four agents, the terminal attached",
            value=statistics.median(found[True]),
            unit="ms",
            against="nobody attached, the same run",
            alternative=statistics.median(found[False]),
            note=f"{len(found[True]):,} and {len(found[False]):,} decisions, in turns; "
            "the terminal at lowest priority once it has painted.",
        ),
        Figure(
            what="`defai attach`, first paint",
            value=min(paints, default=float("nan")),
            unit="s",
            most=0.5,
            note=f"The best of {len(paints)}, from the start of the process, Python's own start and the imports in it; "
            "beside a session that works on the same machine.",
        ),
    ]
