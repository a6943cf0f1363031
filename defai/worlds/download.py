"""Downloads: a stretch of some pools' history, fetched span by span, checked, and written as a data set.

What was fetched stands in a journal in the data set's own folder, so that a download that was killed goes on where it
was; how it was cut into pieces shows nowhere in the result. At the end the logs are replayed from the state at the
beginning, and what comes out is held to what the chain says of the last block.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from time import monotonic
from typing import Any, Final

from defai import __version__
from defai.amm import Pool
from defai.chain.download.logs import LogReader
from defai.chain.download.moments import LATEST, parse_moment
from defai.chain.download.patience import PatientRpc
from defai.chain.download.spans import Header, ReorganisedError, SpanReader, read_header
from defai.chain.pools import check_chain
from defai.domain.chain_events import Block
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.errors import ConfigError, DivergenceError, NotFoundError
from defai.worlds.dataset import FORMAT, Tables, blocks_of, read_manifest, write_manifest
from defai.worlds.download_plan import PLAN, Wanted, make_plan
from defai.worlds.journal import Journal
from defai.worlds.recording import read_key, written_key
from defai.worlds.starting_state import States, read_states, roll_back_all
from defai.worlds.verification import Replay, first_difference

OPENING_NOTE: Final = "opening"
CLOSING_NOTE: Final = "closing"
DEEPEST_REORGANISATION: Final = 64
"""Spans that are fetched again at most, where the chain was reorganised meanwhile."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is."""

    first: int
    last: int
    reached: int
    logs: int
    seconds: float
    blocks_at_start: int

    @property
    def seconds_left(self) -> float | None:
        """Time left at the pace so far; None before there is a pace."""
        done = self.reached - self.first + 1 - self.blocks_at_start
        return self.seconds * (self.last - self.reached) / done if done > 0 else None


class Download:
    """A download into a folder.

    Args:
        rpc: the node.
        journal: of the folder, open.
        wanted: what is asked for; of a download that was begun before, the same as then.
        say: told what a person should know.
        report: told how far it is.
    """

    def __init__(
        self,
        rpc: PatientRpc,
        journal: Journal,
        wanted: Wanted,
        *,
        say: Callable[[str], None] = lambda _: None,
        report: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self._rpc = rpc
        self._journal = journal
        self._folder = journal.path.parent
        self._wanted = wanted
        self._say = say
        self._report = report

    chain_id: int
    keys: tuple[PoolKey, ...]
    first: int
    _last: int | None
    _reader: SpanReader

    async def run(self, *, chain_id: int | None = None) -> dict[str, Any]:
        """Fetch, verify and write.

        Args:
            chain_id: the chain that the node must be on; None takes its word.

        Returns:
            The data set's manifest.

        Raises:
            DefaiError: in a sentence, where it cannot be done; what was fetched is kept.
        """
        await self.begin(chain_id=chain_id)
        if self._last is None:
            raise ConfigError(f"{self._folder} is a recording that was begun.", "Go on with `defai record`.")
        if CLOSING_NOTE not in self._journal.notes:
            # Read first: a node without an archive forgets this state while the rest is fetched.
            await self._note_states(CLOSING_NOTE, self._last)
        for _ in range(DEEPEST_REORGANISATION):
            await self.fetch(self._last)
            try:
                return await self.finish()
            except ReorganisedError as error:
                self._say(error.sentence)
        raise DivergenceError(
            f"The chain goes on being reorganised at block {self._last:,}.",
            "End behind the head: latest:-64.",
        )

    async def begin(self, *, chain_id: int | None = None) -> None:
        """Plan it, or take up the plan, and learn the state at the beginning.

        Raises:
            ConfigError: where the folder holds the beginning of another download, or the chain is another.
        """
        if chain_id is not None:
            await check_chain(self._rpc, chain_id)
        plan = self._journal.notes.get(PLAN)
        if plan is None:
            plan = await make_plan(self._rpc, self._wanted)
            self._journal.note(PLAN, plan)
        elif plan["wanted"] != self._wanted.written():
            asked = plan["wanted"]
            raise ConfigError(
                f"{self._folder} holds the beginning of another download: {', '.join(asked['pools'])}, "
                f"{asked['first']} to {asked['last'] or 'the end of a recording'}.",
                "Finish it with the same options, or use another folder.",
            )
        else:
            await check_chain(self._rpc, plan["chain_id"])
        self.chain_id, self.first, self._last = plan["chain_id"], plan["first"], plan["last"]
        self.keys = tuple(read_key(key) for key in plan["pools"])
        self._reader = SpanReader(
            self._rpc,
            LogReader(self._rpc, [key.address for key in self.keys]),
            sparse=self._wanted.sparse,
        )
        if OPENING_NOTE not in self._journal.notes:
            await self._note_opening()

    async def fetch(self, last: int, *, stopping: Callable[[], bool] = lambda: False) -> None:
        """Fetch up to a block, from where the journal ends.

        Args:
            last: the block.
            stopping: asked between spans; the fetching ends early where it says so.

        Raises:
            DefaiError: where a node fails for good, or the chain was reorganised deeper than the download reaches.
        """
        started, reached = monotonic(), self.reached.number
        at_start, dropped = reached - self.first + 1, 0
        while (parent := self.reached).number < last and not stopping():
            try:
                span = await self._reader.read(parent.number + 1, last, parent)
            except ReorganisedError:
                dropped += 1
                if self._journal.last is None or dropped > DEEPEST_REORGANISATION:
                    raise
                self._journal.drop_last()
                self._say(
                    f"The chain was reorganised at block {parent.number:,} or before: its last span is fetched again."
                )
                continue
            self._journal.append(span)
            now = monotonic() - started
            self._report(Progress(self.first, last, span.last, self._journal.logs, now, at_start))

    @property
    def reached(self) -> Header:
        """Header of the last block that was fetched; of the one before the first where none was."""
        return self._journal.last or self._opening().header

    async def finish(self) -> dict[str, Any]:
        """Replay what was fetched, hold it to the chain, and write the data set; the journal is deleted then.

        Returns:
            The manifest.

        Raises:
            NotFoundError: where there is no block.
            ReorganisedError: where the last block is another by now; what is no longer true is forgotten.
        """
        if self._journal.last is None:
            raise NotFoundError("There is no block to write.", "Has the chain stood still?")
        closing = await self._closing()
        opened, head, how = await self._opened(closing)
        replay = Replay(opened)
        first = last = head
        with Tables(self._folder) as tables:
            for span in self._journal.spans():
                first, last = (span.headers[0] if first is head else first), span.headers[-1]
                tables.add(span)
                for block in blocks_of(span):
                    replay.fold(block)
            verification = self._verify(replay, closing)
            files = tables.finish(self.chain_id, self.keys, opened, head)
        manifest = {
            "format": FORMAT,
            "tool": f"defai {__version__}",
            "wanted": self._wanted.written(),
            "chain_id": self.chain_id,
            "pools": [{"name": key.name, **written_key(key)} for key in self.keys],
            "blocks": {
                "first": _place(first),
                "last": _place(last),
                "headers": tables.headers,
                "sparse": self._wanted.sparse,
            },
            "logs": {"total": sum(tables.counts.values()), **dict(sorted(tables.counts.items()))},
            "opening": {"block": _place(head), "how": how},
            "verification": verification,
            "files": files,
        }
        write_manifest(self._folder, manifest)
        self._journal.remove()
        return manifest

    async def _note_opening(self) -> None:
        """Keep the state at the beginning; of a pool's creation it is known without asking."""
        header = await read_header(self._rpc, self.first - 1)
        if parse_moment(self._wanted.first).creation:
            unborn = {
                key.address: Pool(fee_pips=key.fee_pips, tick_spacing=key.tick_spacing) for key in self.keys
            }
            self._journal.note(OPENING_NOTE, States(header, unborn, "").written())
            return
        states = await read_states(self._rpc, self.keys, header)
        if states.refusal:
            self._say(
                f"The node keeps no state of block {header.number:,} ({states.refusal.strip().rstrip('.')}): the state "
                "at the end is rolled back by the logs instead."
            )
        self._journal.note(OPENING_NOTE, states.written())

    async def _note_states(self, kind: str, number: int) -> States:
        header = await read_header(self._rpc, number)
        states = await read_states(self._rpc, self.keys, header)
        self._journal.note(kind, states.written())
        return states

    def _opening(self) -> States:
        return States.read(self._journal.notes[OPENING_NOTE], self.keys)

    async def _closing(self) -> States:
        """What the chain says of the last block; asked again where that block is another by now."""
        raw, last = self._journal.notes.get(CLOSING_NOTE), self.reached
        if raw is not None and Header(*raw["header"]).hash == last.hash:
            return States.read(raw, self.keys)
        states = await self._note_states(CLOSING_NOTE, last.number)
        if states.header.hash != last.hash:
            self._journal.drop_last()
            raise ReorganisedError(
                f"The chain was reorganised at block {last.number:,}: what is no longer true is fetched again."
            )
        return states

    async def _opened(self, closing: States) -> tuple[dict[Address, Pool], Header, str]:
        """The pools before the first block, and how that is known."""
        opening = self._opening()
        pools, head = dict(opening.pools), opening.header
        missing = [key for key in self.keys if key.address not in pools]
        if not missing:
            unborn = all(not pool.sqrt_price_x96 for pool in pools.values())
            how = (
                "the pool was not initialised yet"
                if unborn
                else f"read from the chain at block {head.number}"
            )
            return pools, head, how

        def blocks() -> Iterator[Block]:
            return chain.from_iterable(blocks_of(span) for span in self._journal.spans())

        pools |= await roll_back_all(self._rpc, missing, closing, head, blocks)
        return pools, head, f"rolled back by the logs from the chain's state at block {closing.header.number}"

    def _verify(self, replay: Replay, closing: States) -> dict[str, Any]:
        """What became of holding the replay to the chain: `equal` is null where the chain's state is unknown."""
        difference = replay.complaint
        for key in self.keys:
            theirs = closing.pools.get(key.address)
            if theirs is not None and not difference:
                difference = first_difference(key, replay.pools[key.address], theirs)
        unknown = len(closing.pools) < len(self.keys)
        return {
            "block": closing.header.number,
            "equal": False if difference else None if unknown else True,
            "difference": difference,
            "refusal": closing.refusal,
            "swaps": replay.swaps,
            "exact_swaps": replay.exact,
        }


def finished_before(folder: Path, wanted: Wanted) -> dict[str, Any] | None:
    """The manifest of a data set that is just what is wanted; None where it has to be fetched anew.

    That is so where it does not agree with the chain, and where it ended at the newest block, which is another by now.

    Raises:
        ConfigError: where something else is there.
    """
    manifest = dict(read_manifest(folder))
    if manifest["wanted"] != wanted.written():
        raise ConfigError(
            f"{folder} holds another data set.", "Use another folder, or --again to replace it."
        )
    moving = any(text.startswith(LATEST) for text in (wanted.first, wanted.last))
    return None if moving or manifest["verification"]["equal"] is False else manifest


def _place(header: Header) -> dict[str, Any]:
    return {"number": header.number, "hash": header.hash, "timestamp": header.timestamp}
