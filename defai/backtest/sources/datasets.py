"""Data sets as sources: what `defai download-data` and `defai record` write."""

from collections.abc import Mapping
from pathlib import Path

from defai.amm import Pool
from defai.domain.chain_events import Block
from defai.domain.tokens import Address
from defai.errors import ConfigError, DivergenceError, NotFoundError
from defai.worlds.dataset import DataSet, is_data_set, read_data_set
from defai.worlds.event_history import EventHistory, follow
from defai.worlds.verification import Replay


def data_set_of(source: Path) -> Path | None:
    """The data set's folder, where a source is one or a table of one."""
    folder = source if source.is_dir() else source.parent
    return folder if is_data_set(folder) else None


def history_of_data_set(folder: Path, end_time: int | None = None) -> EventHistory:
    """A data set's history.

    Args:
        folder: where it is.
        end_time: blocks from this moment on are left out.

    Raises:
        NotFoundError: where nothing lies before that moment.
        ConfigError: naming file and cause, where a file cannot be used.
    """
    there = read_data_set(folder)
    try:
        blocks = tuple(block for block in there.blocks() if end_time is None or block.timestamp < end_time)
        opened, head, blocks = _from_the_first_price(there, blocks)
        calls = follow(opened, blocks)
    except DivergenceError as error:
        raise ConfigError(f"{folder}: {error.sentence}", "Download it again.") from error
    if not blocks:
        raise NotFoundError(f"{folder} has nothing within the time range.")
    exact = sum(call.exact for call in calls)
    opening, checked = there.manifest["opening"], there.manifest["verification"]
    state = {True: "verified against", False: "NOT in agreement with", None: "not verified against"}
    return EventHistory(
        keys=there.keys,
        chain_id=there.chain_id,
        head=head,
        opening=opened,
        blocks=blocks,
        calls=calls,
        reconstructed=False,
        priced_gas=True,
        fidelity=(
            f"exact: from a known state ({opening['how']}), {state[checked['equal']]} the chain at block "
            f"{checked['block']:,}; {exact:,} of {len(calls):,} swaps come out to the last unit"
        ),
        sha256=there.sha256,
        source=str(folder),
    )


def _from_the_first_price(
    there: DataSet, blocks: tuple[Block, ...]
) -> tuple[Mapping[Address, Pool], Block, tuple[Block, ...]]:
    """Opening, head and blocks from where every pool has a price: before that nobody can say what anything is worth."""
    pools, head = {address: pool.copy() for address, pool in there.opening.items()}, there.head
    for number, block in enumerate(blocks):
        if all(pool.sqrt_price_x96 for pool in pools.values()):
            return pools, head, blocks[number:]
        replay = Replay(pools)
        replay.fold(block)
        if replay.complaint:
            raise DivergenceError(replay.complaint)
        pools, head = replay.pools, block
    return pools, head, ()
