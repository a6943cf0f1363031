"""What the terminal takes of a core while 200 agents report 20 times a second, and how soon it shows what it hears.

The terminal runs in a process of its own, on a real pseudo-terminal of 120 x 40 that is read as fast as it writes.
"""

import asyncio
import gc
import json
import pickle
import re
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from figures import Figure
from pseudo import COLUMNS, ROWS, OnTerminal

if TYPE_CHECKING:
    from textual.app import App

    from defai.domain.stream import StreamEvent
    from defai.tui.lines import AgentLine

AGENTS: Final = 200
PER_SECOND: Final = 20
WARM_BLOCKS: Final = 20
MEASURED_BLOCKS: Final = 100
TITLES: Final = ("agent", "strategy", "equity", "PnL", "vs hold", "fees", "state", "last decision")
NUMBER: Final = re.compile(rb"(?<![\d,.])\d,\d{3}(?![\d,.])")
"""A block's number as the status bar writes it: 1,065 onwards."""


@dataclass(slots=True)
class Seen:
    """What came out of the pseudo-terminal.

    Attributes:
        blocks: when a block's number stood on the screen for the first time, on the monotonic clock.
    """

    started: float
    written: int = 0
    blocks: dict[int, float] = field(default_factory=dict)

    def take(self, chunk: bytes) -> None:
        """Look for what has come."""
        now = time.monotonic()
        self.written += len(chunk)
        for found in NUMBER.findall(chunk):
            self.blocks.setdefault(int(found.replace(b",", b"")), now)


def watched(which: str, folder: Path) -> tuple[dict[str, Any], Seen]:
    """Run one of the two applications on a pseudo-terminal: what it says of itself, and what was seen of it."""
    told = folder / f"{which}.json"
    seen = Seen(time.monotonic())
    with OnTerminal([sys.executable, __file__, which, str(folder)], seen.take) as terminal:
        code = terminal.wait(180)
    if code or not told.exists():
        msg = f"the terminal ended with {code}"
        raise RuntimeError(msg)
    return json.loads(told.read_text()), seen


def delays_ms(sent: dict[str, float], seen: Seen) -> list[float]:
    """From each block's arrival to the moment that it, or a newer one, stood on the screen."""
    found, at = [], float("inf")
    for number in sorted(map(int, sent), reverse=True):
        at = min(at, seen.blocks.get(number, at))
        if at < float("inf"):
            found.append((at - sent[str(number)]) * 1e3)
    return found


def measure() -> list[Figure]:
    """The share of a core, beside a DataTable's; the delay."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_session(folder)
        ours, seen = watched("ours", folder)
        table, _ = watched("table", folder)
    delays = sorted(delays_ms(ours["sent"], seen))
    load = f"{AGENTS} agents x {PER_SECOND} a second, {COLUMNS} x {ROWS}"
    return [
        Figure(
            what=f"terminal, share of a core, {load}",
            value=ours["share"] * 100,
            unit="%",
            against="the same agents in Textual's DataTable, eight cells each, nothing else on the screen",
            alternative=table["share"] * 100,
            most=10,
            headline=True,
            note=f"CPU time of the whole process; to take the events in alone is {ours['fold_share']:.1%} of a core. "
            "Ours draws the newest block as it comes, the agents in sight and their sums once a second, the list of "
            "decisions every two; the DataTable is told of every block.",
        ),
        Figure(
            what="terminal, event to screen under that load, median",
            value=statistics.median(delays),
            unit="ms",
            most=100,
            note="From a block's being due to its number on the pseudo-terminal; 95 % within "
            f"{delays[len(delays) * 95 // 100]:.0f} ms, the longest {delays[-1]:.0f} ms.",
        ),
    ]


# -- the process that is watched -----------------------------------------------------------------------------------


async def paced(
    folder: Path, told: dict[str, Any], ends: Callable[[], None] = lambda: None
) -> AsyncIterator["StreamEvent"]:
    """A session, block by block at the pace wanted; tells the CPU time once the terminal has warmed up.

    Args:
        folder: where the session is.
        told: where it is told.
        ends: called before the last event.
    """
    from defai.domain.stream import BlockArrived, SessionEnded  # noqa: PLC0415  after the first paint

    started, loop = 0.0, asyncio.get_running_loop()
    await asyncio.sleep(0.8)  # the first paint is not held up by making events
    head, blocks = session(folder)
    for event in head:
        yield event
    due = loop.time()
    for pace, batch in enumerate(blocks):
        if pace == WARM_BLOCKS:
            started, told["cpu"] = time.monotonic(), time.process_time()
        await asyncio.sleep(max(0.0, due + pace / PER_SECOND - loop.time()))
        for event in batch:
            if isinstance(event, BlockArrived) and started:
                told["sent"][str(event.number)] = due + pace / PER_SECOND  # by then, whenever it is taken
            yield event
    await asyncio.sleep(0.2)
    told["share"] = (time.process_time() - told.pop("cpu")) / (time.monotonic() - started)
    ends()
    yield SessionEnded("Measured.", "", 0)


def write_session(folder: Path) -> None:
    """Make up what is told before the first block, and then block by block; the watched processes only read it."""
    from defai.domain.stream import BlockArrived  # noqa: PLC0415  not in the watched processes before the first paint
    from defai.testing.stream import demo_stream  # noqa: PLC0415  the same

    parts: list[list[StreamEvent]] = [[]]
    for event in demo_stream(3, WARM_BLOCKS + MEASURED_BLOCKS, AGENTS, end=False):
        if isinstance(event, BlockArrived):
            parts.append([])
        parts[-1].append(event)
    (folder / "session.pickle").write_bytes(pickle.dumps((parts[0], parts[1:])))


@cache
def session(folder: Path) -> "tuple[list[StreamEvent], list[list[StreamEvent]]]":
    """What `write_session` made up."""
    parts: tuple[list[StreamEvent], list[list[StreamEvent]]]
    parts = pickle.loads((folder / "session.pickle").read_bytes())  # noqa: S301  written by this very program
    gc.collect()
    gc.freeze()  # what is kept ready for the measurement is no load of the terminal's
    return parts


def fold_share(folder: Path) -> float:
    """What taking the events in costs by itself, as a share of a core at that pace."""
    from defai.tui.fleet import FleetState  # noqa: PLC0415  in the watched process alone

    head, parts = session(folder)
    fleet = FleetState()
    for event in head:
        fleet.apply(event, 0.0)
    started = time.process_time()
    for event in (event for part in parts for event in part):
        fleet.apply(event, 0.0)
    return (time.process_time() - started) / len(parts) * PER_SECOND


def cells(line: "AgentLine") -> tuple[str, ...]:
    """What stands in the row of an agent, in the order of `TITLES`."""
    from defai.tui.format import number  # noqa: PLC0415  in the watched process alone

    held = line.portfolio
    return (
        line.key,
        line.card.strategy,
        number(held.equity_usd if held else None),
        number(line.pnl_percent),
        number(line.versus_hold_percent),
        number(held.fees_earned_usd if held else None),
        line.state,
        line.last.decision.text if line.last else "",
    )


def table_app(folder: Path, told: dict[str, Any]) -> "App[None]":
    """The alternative: a DataTable with a row an agent, changed once a block."""
    from textual.app import App  # noqa: PLC0415  in the watched process alone
    from textual.widgets import DataTable  # noqa: PLC0415  the same

    from defai.tui.fleet import FleetState  # noqa: PLC0415  the same

    fleet = FleetState()

    def show(table: DataTable[str]) -> None:
        for name, line in fleet.agents.items():
            for title, word in zip(TITLES, cells(line), strict=True):
                table.update_cell(name, title, word)

    class TableApp(App[None]):
        async def on_mount(self) -> None:
            self.run_worker(self.read())

        async def read(self) -> None:
            table = DataTable[str]()
            await self.mount(table)
            table.add_columns(*((title, title) for title in TITLES))
            async for event in paced(folder, told):
                fleet.apply(event, 0.0)
                if event.kind == "session_started":
                    for name in fleet.agents:
                        table.add_row(*([""] * len(TITLES)), key=name)
                elif event.kind == "block_arrived":
                    show(table)
            self.exit()

    return TableApp()


async def watch(which: str, folder: Path, told: dict[str, Any]) -> None:
    """Run an application until everything was measured."""
    if which == "ours":
        from defai.agent.control import BareControl  # noqa: PLC0415  in the watched process alone
        from defai.tui.app import DefaiApp  # noqa: PLC0415  the same

        def leave() -> None:
            ours.leaving = True  # then the end of the stream ends it

        ours = DefaiApp(lambda: paced(folder, told, leave), BareControl())
        app: App[Any] = ours
    else:
        app = table_app(folder, told)
    await app.run_async()


def main(which: str, folder: Path) -> None:
    """What the watched process does."""
    told: dict[str, Any] = {"sent": {}}
    asyncio.run(watch(which, folder, told))
    if which == "ours":
        told["fold_share"] = fold_share(folder)
    (folder / f"{which}.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
