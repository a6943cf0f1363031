"""A small fleet for chains that somebody else mines, in this process: left at any moment, as a crash leaves it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from defai.agent.bus import Bus
from defai.config import Settings
from defai.domain.stream import ExecutionSettled, StreamEvent
from defai.session.choice import WorldBuilder, build_live, build_world
from defai.session.run_directory import Journal, run_directory
from defai.session.session import Session
from defai.worlds.permits import LivePermit

FLEET: Final = """
anchor_every_blocks = 5

[market]
warm_up_blocks = 4

[[agents]]
name = "holder"
strategy = "hold"

[[agents]]
name = "buyer"
strategy = "buyer.py:Buyer"
parameters = {{ share = {share} }}
"""
BUYER: Final = '''
from defai.strategy.api import Context, Hold, Intent, Strategy, Swap


class Buyer(Strategy):
    """Buy a little ether in every other block."""

    share: int = 100

    def decide(self, ctx: Context) -> Intent:
        """Sell a hundredth of the dollars."""
        if ctx.block_number % 2:
            return Hold(reason="not yet")
        zero = ctx.pool.key.token0 == ctx.numeraire
        amount = ctx.balance(ctx.numeraire) // self.share
        return Swap(pool=ctx.pool.key.address, zero_for_one=zero, amount_in_raw=amount, reason="a little")
'''
DEADLINE_S: Final = 300.0


class Run:
    """A session under way.

    Attributes:
        heard: everything it has said.
        task: gives the summary, or raises.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.heard: list[StreamEvent] = []
        self._news = asyncio.Event()
        session.bus.tap(self._hear)
        self.task = asyncio.create_task(session.run())
        self.task.add_done_callback(lambda _: self._news.set())

    async def until(self, wanted: Callable[[StreamEvent], bool]) -> StreamEvent:
        """Wait for it to say something."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                self._news.clear()
                for event in self.heard:
                    if wanted(event):
                        return event
                if self.task.done():
                    self.task.result()
                    raise AssertionError("it ended without having said it")
                await self._news.wait()

    async def until_record(self, number: int) -> None:
        """Wait for a record to be on the chain."""
        await self.until(lambda event: isinstance(event, ExecutionSettled) and event.record_id == number)

    async def end(self) -> dict[str, Any]:
        """Wait for its orderly end."""
        async with asyncio.timeout(DEADLINE_S):
            return await self.task

    def _hear(self, event: StreamEvent) -> None:
        self.heard.append(event)
        self._news.set()


def write_fleet(folder: Path, *, share: int = 100) -> Path:
    """A fleet of one that holds and one that buys."""
    (folder / "buyer.py").write_text(BUYER, encoding="utf-8")
    path = folder / "fleet.toml"
    path.write_text(FLEET.format(share=share), encoding="utf-8")
    return path


@asynccontextmanager
async def running(
    url: str, folder: Path, *, blocks: int | None = None, seed: int = 1, permit: LivePermit | None = None
) -> AsyncIterator[Run]:
    """The fleet on a chain; it is left as a crash leaves it: nothing settled, nothing written that was not before."""
    overrides: dict[str, object] = {
        "network.kind": "live" if permit else "rpc",
        "network.rpc_url": url,
        "network.chain_id": permit.chain_id if permit else None,
        "market.seed": seed,
        "run_dir": folder / "run",
    }
    settings = Settings.load(folder / "fleet.toml", overrides, environment={})
    journal = Journal(run_directory(settings), settings)
    build: WorldBuilder = partial(build_live, permit) if permit else build_world
    run = Run(Session(settings, Bus(), blocks=blocks, journal=journal, build=build))
    try:
        yield run
    finally:
        run.task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await run.task


async def go_on(
    url: str, folder: Path, blocks: int = 4, *, permit: LivePermit | None = None
) -> dict[str, Any]:
    """Start, or start again, to an orderly end."""
    async with running(url, folder, blocks=blocks, permit=permit) as run:
        summary = await run.end()
    check_journal(folder / "run", summary)
    return summary


def check_journal(folder: Path, summary: dict[str, Any]) -> None:
    """Hold a run's directory to its summary: every decision once, in order, and every trade with its record."""
    lines = [json.loads(line) for line in (folder / "decisions.jsonl").read_text().splitlines()]
    for agent in summary["agents"]:
        mine = [line for line in lines if line["agent"] == agent["name"]]
        assert [line["sequence"] for line in mine] == list(range(agent["decisions"]))
        assert len({line["block_number"] for line in mine}) == len(mine)
        assert agent["trades"] == agent["records"]
    assert summary["records_on_chain"] == sum(agent["records"] for agent in summary["agents"])
