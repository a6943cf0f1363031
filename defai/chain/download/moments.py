"""Which block is meant: a number, a date, `latest`, `latest:-64`, or the pool's creation."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from defai.chain.codec import topic
from defai.chain.decode import INITIALIZE
from defai.chain.download.logs import LogReader, place_of
from defai.chain.download.patience import PatientRpc
from defai.chain.download.spans import read_header
from defai.domain.tokens import Address
from defai.errors import ConfigError, NotFoundError

CREATION: Final = "creation"
LATEST: Final = "latest"
_LATEST: Final = re.compile(r"latest(?::?-(?P<back>\d[\d_]*))?")
_NUMBER: Final = re.compile(r"\d[\d_,]*")
_BETWEEN_DIGITS: Final = str.maketrans("", "", "_,")


class Moment(NamedTuple):
    """A point on the chain as a person names it: one of the three is given.

    Attributes:
        number: a block's number.
        back: blocks behind the newest one.
        instant: seconds since 1970; for the end of a stretch the first second after it.
        creation: the block in which the pool was initialised.
    """

    number: int | None = None
    back: int | None = None
    instant: int | None = None
    creation: bool = False


def parse_moment(text: str, *, end: bool = False) -> Moment:
    """What a text means.

    Args:
        text: a block number, `2024-05-01`, `2024-05-01T12:00`, `latest`, `latest:-64` or `creation`; times in UTC
            unless they name a zone.
        end: whether a stretch ends there: then a day is in it to its end, a time to its last second.

    Raises:
        ConfigError: where it is none of them.
    """
    text = text.strip()
    if text == CREATION and not end:
        return Moment(creation=True)
    if match := _LATEST.fullmatch(text):
        return Moment(back=int((match["back"] or "0").translate(_BETWEEN_DIGITS)))
    if _NUMBER.fullmatch(text):
        return Moment(number=int(text.translate(_BETWEEN_DIGITS)))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"'{text}' names no block.",
            "Write a block number, a date (2024-05-01, 2024-05-01T12:00), latest, latest:-64"
            + ("." if end else " or creation."),
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if end:
        moment += timedelta(days=1) if len(text) == len("2024-05-01") else timedelta(seconds=1)
    return Moment(instant=int(moment.timestamp()))


async def find_block(rpc: PatientRpc, moment: Moment, *, head: int, pool: Address, end: bool = False) -> int:
    """The number of the block that is meant.

    Args:
        rpc: the node.
        moment: from `parse_moment`.
        head: number of the newest block.
        pool: whose creation may be meant.
        end: whether a stretch ends there: then it is the last block before an instant, else the first one from it on.

    Raises:
        NotFoundError: where there is no such block yet.
    """
    if moment.creation:
        return await find_creation(rpc, pool, head)
    if moment.instant is not None:
        first = await first_block_from(rpc, moment.instant, head)
        if not end and first > head:
            raise NotFoundError("The chain's newest block is older than the date to begin at.")
        return first - 1 if end else first
    number = head - (moment.back or 0) if moment.number is None else moment.number
    if not 0 <= number <= head:
        raise NotFoundError(f"The node at {rpc.name} has no block {number:,}: its newest is {head:,}.")
    return number


async def first_block_from(rpc: PatientRpc, instant: int, head: int) -> int:
    """The first block whose timestamp is not before an instant; `head + 1` where there is none.

    A binary search: about 25 headers on mainnet.
    """
    low, high = 0, head + 1
    while low < high:
        middle = (low + high) // 2
        if (await read_header(rpc, middle)).timestamp < instant:
            low = middle + 1
        else:
            high = middle
    return low


async def find_creation(rpc: PatientRpc, pool: Address, head: int) -> int:
    """The block in which a pool was initialised: where its first log stands.

    Raises:
        NotFoundError: where it never was.
    """
    reader = LogReader(rpc, [pool], [topic(INITIALIZE)], widest=head + 1)
    reader.width = head + 1
    first = 0
    while first <= head:
        last, logs = await reader.read(first, head)
        if logs:
            return place_of(logs[0])[0]
        first = last + 1
    raise NotFoundError(f"The node at {rpc.name} knows of no moment at which {pool} was initialised.")
