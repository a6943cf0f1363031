"""A session: a fleet in a world, from the first step of its setting up to the last anchor."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from defai.agent import views
from defai.agent.agent import Agent
from defai.agent.bus import Bus
from defai.agent.pending import WITHDRAWN
from defai.agent.ports import Arrival, Feed, LastingWorld, World
from defai.chain.mainnet import ALL_POOLS, POOLS, USDC, USDC_WETH_005
from defai.config import Settings
from defai.domain.decisions import Decision
from defai.domain.stream import BlockArrived, Notice, PoolQuote, SessionEnded, SetupProgressed
from defai.errors import ConfigError, DefaiError, NotFoundError
from defai.market import tripwire
from defai.market.state import MarketState
from defai.market.valuation import Valuation
from defai.session.checkpoint import Checkpoint
from defai.session.choice import WorldBuilder, build_world, history_recipe
from defai.session.fleet import (
    Member,
    announce,
    build_agents,
    load_fleet,
    seat_requests,
    started,
    tell_protection,
)
from defai.session.log_stream import logged_to
from defai.session.naming_models import models_of
from defai.session.notifying import notified
from defai.session.onlooking import Onlooker, tell_models
from defai.session.run_directory import Journal
from defai.session.summing_up import Tally, settle_all, summed_up
from defai.session.taking_up import Past, join_in, past_of
from defai.session.told import Book
from defai.session.tuning import Tuning

if TYPE_CHECKING:
    from defai.session.model_keeper import ModelKeeper

_SETUP_STEPS = 5


class Session:
    """Runs a fleet. `Steering` is its `Control`.

    Args:
        settings: what to run.
        bus: where its events go.
        blocks: end after so many blocks; None goes on until stopped or until the world has no more.
        journal: the run's directory; None keeps nothing.
        build: makes the world.

    Attributes:
        afterwards: waited for with the summary, while the world still stands.
    """

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        *,
        blocks: int | None = None,
        journal: Journal | None = None,
        build: WorldBuilder = build_world,
    ) -> None:
        self.settings = settings
        self.bus = bus
        self.agents: list[Agent] = []
        self.world: World | None = None
        self.valuation = Valuation(USDC_WETH_005, USDC)
        self._build = build
        self.afterwards: Callable[[dict[str, Any]], Awaitable[None]] | None = None
        self._blocks = blocks
        self._journal = journal
        self.market: MarketState | None = None
        self.members: tuple[Member, ...] = ()
        self._keeper: ModelKeeper | None = None
        self._past: Past | None = None
        self._onlooker: Onlooker | None = None
        self.tuning = Tuning()
        self._stopping = asyncio.Event()
        self._tally = Tally()
        self._step = 0
        self.book = Book()
        bus.tap(self.book.hear)
        if journal is not None:
            bus.tap(journal.event)

    async def run(self) -> dict[str, Any]:
        """Set up, run, and close.

        Returns:
            The summary: see `summary`.

        Raises:
            DefaiError: where it cannot go on; the stream's last event says the same.
        """
        with logged_to(self.bus.publish), notified(self.bus):
            return await self._run()

    async def _run(self) -> dict[str, Any]:
        summary = None
        try:
            await self._set_up()
            await self._loop()
            await self._wind_down()
            summary = await self.summary()
            if self.afterwards is not None:
                await self.afterwards(summary)
            self.bus.publish(SessionEnded(f"The session ended after {self._tally.blocks:,} blocks.", "", 0))
        except DefaiError as error:
            self.bus.publish(SessionEnded(error.sentence, error.hint, error.exit_code))
            raise
        finally:
            if self._keeper is not None:
                self._keeper.close()
            if self.world is not None:
                await self.world.close()
            if self._journal is not None:
                self._journal.close(summary)
        return summary

    @property
    def run_directory(self) -> Path | None:
        """Where the run is kept; None where it is not."""
        return self._journal.path if self._journal else None

    @property
    def is_set_up(self) -> bool:
        """Whether agents are seated: from then on `stop` winds down; before, cancelling loses nothing."""
        return bool(self.agents)

    def request_stop(self) -> None:
        """End the session after the block under way; on the session's own loop."""
        self._stopping.set()

    async def summary(self) -> dict[str, Any]:
        """The run in numbers, as `--json` prints it."""
        return await summed_up(self._world, self.settings.market.seed, self.agents, self._tally)

    async def _set_up(self) -> None:
        self._progress("reading strategies")
        members = self.members = load_fleet(self.settings, ALL_POOLS)
        tell_protection(members, self._detail)
        tokens = {token.symbol: token for key in POOLS for token in (key.token0, key.token1)}
        requests = seat_requests(members, tokens, USDC)
        kept = self._journal.kept() if self._journal else None
        self.world = self._build(self.settings, requests, self.valuation, self._warn, kept)
        self._progress("preparing models")
        recipe = history_recipe(self.settings)
        models = await models_of(members, recipe, self._detail)
        self._progress(f"starting the {self.world.network} chain")
        opening = await self.world.open()
        self.market = opening.market
        self._progress("seating the agents")
        self.agents = build_agents(
            members,
            models,
            self.world,
            opening,
            self.valuation,
            self.bus.publish,
            self.settings.anchor_every_blocks,
        )
        history = self.world.warm_up(self.settings.market.warm_up_blocks)
        self._past = past_of(self.world, self.agents, self._journal)
        self._tally.go_on_after(self._past)
        place = await announce(self.world, self.agents, members, models, history, self.settings)
        if place and self._journal is not None:
            self._journal.place(place)
        self._progress(f"living through {history} blocks")
        used = {key.address: key for member in members for key in member.pools}
        fleet, first = list(zip(self.agents, models, strict=True)), opening.market.head.number + 1
        seen, kept_in = used.values(), self.run_directory
        self.bus.publish(started(self.settings, self.world, first, fleet, seen, self.valuation, kept_in))
        self._onlooker = Onlooker(opening.market, self.valuation, tuple(used), self.bus.publish)
        self.bus.tap(self._onlooker.hear)
        tell_models(members, models, recipe, self.bus.publish)
        if self.settings.models.is_active:
            from defai.session.kept_models import Fleet, keep_models  # noqa: PLC0415  not in every session

            kept_up = Fleet(members, models, self.agents, self.run_directory, self._past is not None)
            self._keeper = await keep_models(
                self.settings, kept_up, self.world, opening.market, self.bus.publish
            )
        await self._warm_up(history)
        await join_in(self.world, self.agents, self._past, self._live_on, self._warn)

    async def _warm_up(self, blocks: int) -> None:
        for _ in range(blocks):
            if self._stopping.is_set():
                return
            if not await self._live_on() and not self._stopping.is_set():
                raise ConfigError(
                    f"The prices end within the {blocks} blocks of warm-up.",
                    "Give a longer file, or warm up less: market.warm_up_blocks.",
                )

    async def _live_on(self) -> bool:
        """Live through a block that nobody decides upon now; False where there is none, or the session is to stop."""
        arrival = await self._next_block()
        if arrival is not None:
            self._publish_block(arrival)
            if self._past is not None:
                self._tally.take(await self._past.relive(arrival.block.number))
        return arrival is not None

    async def _loop(self) -> None:
        self._world.feed.begin()
        if self._past is not None:
            self.tuning.recall(self.run_directory, self.agents, self.members)
        while not self._stopping.is_set() and (self._blocks is None or self._tally.blocks < self._blocks):
            arrival = await self._next_block()
            if arrival is None:
                break
            arrived = perf_counter()
            self._publish_block(arrival)
            asked = await self._keeper.on_block() if self._keeper else {}
            for changed in await self.tuning.grant(self._world, self.run_directory):
                self.bus.publish(changed)
            self._tally.take(
                await decided(agent.step(arrived, asked.get(agent.name)) for agent in self.agents)
            )
            self._tally.blocks += 1
            self._keep()
            if self._onlooker is not None:
                self._onlooker.after_block()
            lost = self._journal.flush() if self._journal is not None else ""
            if lost:
                self.bus.publish(Notice("error", lost, "Decisions are kept all the same; make room."))

    def _keep(self) -> None:
        """Put down how far the run has come, where it can be taken up again."""
        world: object = self.world
        if self._journal is not None and self.market is not None and isinstance(world, LastingWorld):
            tally = self._tally
            lived = tally.before + tally.blocks
            self._journal.keep(Checkpoint.after(self.market.head, lived, tally.digest, self.agents))

    async def _wind_down(self) -> None:
        """Settle what is under way and anchor what waits, in as few blocks as it takes."""
        if self._past is not None and not self._past.has_arrived:
            return  # it was stopped among blocks that were lived through before: the journal has it all
        self.bus.publish(Notice("info", "Settling what is under way."))
        for agent in self.agents:
            if agent.pending:
                await agent.dismiss(WITHDRAWN, "the session", "it ends")
        if not await settle_all(self._world, self.agents, self._fold, self._keep):
            self._warn(
                "Some decisions could not be anchored before the end; the run's directory has them all."
            )

    async def _next_block(self) -> Arrival | None:
        """The next block, folded; None where there is no more or the session is to stop.

        A stop ends the waiting for a block, never the making of one: what was sent in it has to be settled.
        """
        if not await _block_is_due(self._world.feed, self._stopping):
            return None
        arrival = await self._world.feed.next()
        if arrival is not None:
            self._fold(arrival)
        return arrival

    def _fold(self, arrival: Arrival) -> None:
        if self.market is None:
            raise NotFoundError("There is no market to fold a block into.")
        self.market.apply(arrival.block)
        tripwire.check(self.market, arrival.reports)

    @property
    def _world(self) -> World:
        if self.world is None:
            raise NotFoundError("There is no world yet.")
        return self.world

    def _progress(self, text: str) -> None:
        self._step += 1
        self.bus.publish(SetupProgressed(self._step, _SETUP_STEPS, text))

    def _detail(self, text: str) -> None:
        self.bus.publish(SetupProgressed(self._step, _SETUP_STEPS, text))

    def _warn(self, sentence: str) -> None:
        self.bus.publish(Notice("warning", sentence))

    def _publish_block(self, arrival: Arrival) -> None:
        if self.market is not None:
            self.bus.publish(_arrived(arrival, views.pool_quotes(self.market, self.valuation)))


async def decided(steps: Iterable[Awaitable[Decision | None]]) -> list[Decision]:
    """What agents decide in their steps, in their order; each comes to its end, even where another's fails.

    Left to itself, a step would send something while the world is being closed.
    """
    ended = await asyncio.gather(*steps, return_exceptions=True)
    for one in ended:
        if isinstance(one, BaseException):
            raise one
    return [one for one in ended if one is not None and not isinstance(one, BaseException)]


async def _block_is_due(feed: Feed, stop: asyncio.Event) -> bool:
    due = asyncio.ensure_future(feed.due())
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({due, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        due.cancel()
    if due.done():
        due.result()  # where waiting failed, this raises
    return not stop.is_set()


def _arrived(arrival: Arrival, quotes: tuple[PoolQuote, ...]) -> BlockArrived:
    block = arrival.block
    return BlockArrived(
        block.number, block.hash, block.timestamp, block.base_fee_wei, quotes, arrival.read_ms
    )
