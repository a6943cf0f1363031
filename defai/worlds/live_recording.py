"""Recording a chain as it grows, into the data set that a download would have made of the same blocks.

A recording that was killed goes on where it was: the blocks that came meanwhile are fetched.
"""

import asyncio
from contextlib import suppress
from typing import Any, Final

from defai.chain.download.patience import PatientRpc
from defai.chain.download.spans import ReorganisedError
from defai.worlds.download import DEEPEST_REORGANISATION, Download

POLL_SECONDS: Final = 0.5
"""How often a node is asked for a new block, unless told otherwise."""


async def record(
    rpc: PatientRpc,
    download: Download,
    stop: asyncio.Event,
    *,
    chain_id: int | None = None,
    blocks: int | None = None,
    confirmations: int = 0,
    poll_seconds: float = POLL_SECONDS,
) -> dict[str, Any]:
    """Fetch blocks as they come until it is enough, then verify and write the data set.

    Args:
        rpc: the node.
        download: of a `Wanted` without an end.
        stop: ends the recording.
        chain_id: the chain that the node must be on; None takes its word.
        blocks: how many blocks are enough, those of before a restart counted; None for no end.
        confirmations: how many blocks must have come after a block before it is fetched.
        poll_seconds: time between two questions for a new block.

    Returns:
        The data set's manifest.

    Raises:
        DefaiError: in a sentence, where it cannot go on; what was fetched is kept.
    """
    await download.begin(chain_id=chain_id)
    enough = None if blocks is None else download.first + blocks - 1
    for _ in range(DEEPEST_REORGANISATION):
        while not stop.is_set() and (enough is None or download.reached.number < enough):
            head = await rpc.number("eth_blockNumber") - confirmations
            await download.fetch(head if enough is None else min(head, enough), stopping=stop.is_set)
            if enough is None or download.reached.number < enough:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), poll_seconds)
        try:
            return await download.finish()
        except ReorganisedError:
            continue  # what is no longer true was forgotten: with a number of blocks to reach they are fetched again
    return await download.finish()
