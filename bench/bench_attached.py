"""What an open terminal costs the agents, from a block to their decision; how soon `defai attach` paints.

Beside it stands the least that Textual can do: an application of one label, started the same way, in turns.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import homes
from figures import Figure
from homes import DEFAI
from pseudo import OnTerminal

STRETCHES: Final = 6
BLOCKS_EACH: Final = 30
PATIENCE_S: Final = 30.0
FIRST_WORDS: Final = b"can prove every decision"
FIRST_SCREEN: Final = b"lp-wide"
"""What the first words bring, and what comes with the fleet's table alone: one of the agents in it."""
BARE: Final = """
from textual.app import App, ComposeResult
from textual.widgets import Label


class Bare(App[None]):
    def compose(self) -> ComposeResult:
        yield Label("lp-wide")


Bare().run()
"""


@dataclass(slots=True)
class Paints:
    """Seconds from the start of the process, of each that was started.

    Attributes:
        words: to the first words.
        screens: to the whole screen, the agents in their table.
        bare: to the label of an application that has nothing else.
    """

    words: list[float] = field(default_factory=list)
    screens: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)


class Started:
    """A program on a pseudo-terminal; once it has painted, what it takes of the machine is its own affair.

    Args:
        command: the program.
        words: where it is remembered when the first words stood there.
        screens: the same of the whole screen.
    """

    def __init__(self, command: Sequence[str], words: list[float], screens: list[float]) -> None:
        self.has_painted = threading.Event()
        self._wanted = [(FIRST_WORDS, words), (FIRST_SCREEN, screens)]
        self._began = time.monotonic()
        self._terminal = OnTerminal(command, self._take)

    def _take(self, chunk: bytes) -> None:
        for wanted in [one for one in self._wanted if one[0] in chunk]:
            wanted[1].append(time.monotonic() - self._began)
            self._wanted.remove(wanted)
            if wanted[0] == FIRST_SCREEN:
                self.has_painted.set()
                os.setpriority(os.PRIO_PROCESS, self._terminal.process.pid, 19)

    def close(self) -> None:
        """Leave."""
        self._terminal.close()


async def latencies(paints: Paints) -> dict[bool, list[float]]:
    """Milliseconds from block to decision, by whether the terminal was attached; the two take turns."""
    from defai.agent.bus import Bus  # noqa: PLC0415  a second to import
    from defai.cli.serving import attachable  # noqa: PLC0415  the same
    from defai.config import Settings  # noqa: PLC0415  the same
    from defai.domain.stream import BlockArrived, StepCompleted, StreamEvent  # noqa: PLC0415  the same
    from defai.session.session import Session  # noqa: PLC0415  the same

    found: dict[bool, list[float]] = {True: [], False: []}
    blocks, turning = 0, False
    reader: Started | None = None
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
            turning = blocks % BLOCKS_EACH < 12  # a reader takes a moment to start, and to catch up

    async def take_turns() -> None:
        nonlocal reader
        while True:
            wanted = blocks // BLOCKS_EACH % 2 == 1
            if wanted and reader is None:
                await asyncio.to_thread(start_bare, paints.bare)
                reader = Started([DEFAI, "attach"], paints.words, paints.screens)
            elif not wanted and reader is not None:
                reader.close()
                reader = None
            await asyncio.sleep(0.05)

    bus.tap(hear)
    turns = asyncio.create_task(take_turns())
    with attachable(session, 0):
        await session.run()
    turns.cancel()
    if reader is not None:
        reader.close()
    return found


def start_bare(paints: list[float]) -> None:
    """Start an application of one label, and remember when it had painted."""
    bare = Started([sys.executable, "-c", BARE], [], paints)
    bare.has_painted.wait(PATIENCE_S)
    bare.close()


def measure() -> list[Figure]:
    """The median with the terminal open, beside the one without; how soon it paints."""
    paints = Paints()
    with homes.second_start() as environment, tempfile.TemporaryDirectory() as folder:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a shell's; set-up compiles whatever it says
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
            what="`defai attach`, first words",
            value=min(paints.words, default=float("nan")),
            unit="s",
            most=0.5,
            headline=True,
            note=f"They say what it connects to; the best of {len(paints.words)}, from the start of "
            "the process, beside a session that works on the same machine.",
        ),
        Figure(
            what="`defai attach`, the whole screen",
            value=min(paints.screens, default=float("nan")),
            unit="s",
            against="an application of one label, in Textual",
            alternative=min(paints.bare, default=float("nan")),
            headline=True,
            note="The agents in their table; the same starts, and Textual's own imports are in both.",
        ),
    ]
