"""What a download is to fetch: what was asked for, and which blocks that is."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from defai.chain.download.moments import find_block, parse_moment
from defai.chain.download.patience import PatientRpc
from defai.chain.pools import describe_pool
from defai.domain.tokens import Address
from defai.errors import ConfigError
from defai.worlds.recording import written_key

PLAN: Final = "plan"
"""What a journal calls it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for.

    Attributes:
        pools: addresses.
        first: where it begins, as `parse_moment` reads it.
        last: where it ends; empty for a recording, which ends when it is told to.
        sparse: whether headers of blocks without logs are left out.
    """

    pools: tuple[Address, ...]
    first: str
    last: str
    sparse: bool = False

    def written(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**asdict(self), "pools": list(self.pools)}


async def make_plan(rpc: PatientRpc, wanted: Wanted) -> dict[str, Any]:
    """Which pools and blocks are meant, as a journal keeps it: what was resolved once stays, whenever it is taken up.

    Raises:
        NotFoundError: where there is no such pool or block.
        ConfigError: where a text names no block, or it would end before it begins.
    """
    first, last = parse_moment(wanted.first), parse_moment(wanted.last or "latest", end=True)
    chain_id = await rpc.number("eth_chainId")
    keys = [await describe_pool(rpc, address) for address in wanted.pools]
    head = await rpc.number("eth_blockNumber")
    begins = [await find_block(rpc, first, head=head, pool=key.address) for key in keys]
    end = await find_block(rpc, last, head=head, pool=keys[0].address, end=True)
    begin = max(1, min(begins)) if wanted.last else head + 1
    if wanted.last and end < begin:
        raise ConfigError(f"The download would end at block {end:,}, before it begins at block {begin:,}.")
    return {
        "wanted": wanted.written(),
        "chain_id": chain_id,
        "pools": [written_key(key) for key in keys],
        "first": begin,
        "last": end if wanted.last else None,
    }
