"""Pools, balances and positions of a block in one eth_call, by a contract that is never deployed (PoolLens.sol).

Its code goes along with the call, as a state override. A node that knows none gets it as creation code, which reverts
with what it read. Either way it works at any block, also at those before there was a Multicall3.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from defai.amm import TickState
from defai.chain.artifacts import artifact
from defai.chain.codec import WORD, checksum, encode_call, encode_values, keccak, unhex
from defai.chain.rpc import Json, Request, Rpc, RpcError
from defai.domain.tokens import Address
from defai.errors import DivergenceError
from defai.market.state import PoolReport

LENS: Final[Address] = checksum("0x" + keccak(b"defai PoolLens")[12:].hex())
"""Where the lens is said to stand while it is asked; nothing is there otherwise."""
READ: Final = "read((address,int16,int16,bool)[],address[],address[],address,uint256[])"
_NOBODY: Final = "0x" + "00" * 20
_NO_WORDS: Final = (0, -1)
_INVALID_PARAMETERS: Final = -32602
_NO_ANSWER: Final = (1 << 256) - 1
_HALF: Final = 1 << 255


@dataclass(frozen=True, slots=True)
class PoolQuery:
    """A pool, and which of its ticks are wanted.

    Attributes:
        words: the first and the last word of its tick bitmap (256 tick spacings each); None for no ticks.
        around_price: whether they are counted from the word with the price.
    """

    pool: Address
    words: tuple[int, int] | None = None
    around_price: bool = False


@dataclass(frozen=True, slots=True)
class LensQuery:
    """What is wanted of a block.

    Attributes:
        tokens: whose balances are read of each account.
        manager: Uniswap's position manager; None where no positions are read.
        position_ids: positions that are read whoever holds them.
    """

    pools: tuple[PoolQuery, ...] = ()
    tokens: tuple[Address, ...] = ()
    accounts: tuple[Address, ...] = ()
    manager: Address | None = None
    position_ids: tuple[int, ...] = ()

    def data(self) -> bytes:
        """The call data of the lens."""
        return encode_call(
            READ,
            [(query.pool, *(query.words or _NO_WORDS), query.around_price) for query in self.pools],
            list(self.tokens),
            list(self.accounts),
            self.manager or _NOBODY,
            list(self.position_ids),
        )


@dataclass(frozen=True, slots=True)
class PoolAnswer:
    """A pool as it stands.

    Attributes:
        fee_protocol: the protocol's share, as slot0 has it.
        ticks: the initialised ones in the words that were asked for.
    """

    report: PoolReport
    fee_protocol: int
    ticks: Mapping[int, TickState]


@dataclass(frozen=True, slots=True)
class PositionAnswer:
    """A position as Uniswap's position manager has it."""

    token_id: int
    token0: Address
    token1: Address
    fee_pips: int
    tick_lower: int
    tick_upper: int
    liquidity: int
    fee_growth_inside0_x128: int
    fee_growth_inside1_x128: int
    tokens_owed0: int
    tokens_owed1: int


@dataclass(frozen=True, slots=True)
class AccountAnswer:
    """What an account holds.

    Attributes:
        balances: in smallest units by token; None of a token that does not answer.
    """

    ether_wei: int
    balances: Mapping[Address, int | None]
    positions: tuple[PositionAnswer, ...]


@dataclass(frozen=True, slots=True)
class LensAnswer:
    """What was read, in the order of the query: None for a pool or a position that is none."""

    pools: tuple[PoolAnswer | None, ...]
    accounts: tuple[AccountAnswer, ...]
    positions: tuple[PositionAnswer | None, ...]


def lens_request(data: bytes, block: str, *, override: bool = True) -> Request:
    """The eth_call of the lens.

    Args:
        data: from `LensQuery.data`.
        block: a block's number in hex, or "latest".
        override: send the code as a state override, which is quicker, not as creation code.
    """
    if override:
        return "eth_call", ({"to": LENS, "data": "0x" + data.hex()}, block, {LENS: {"code": _code()}})
    creation = artifact("PoolLensCall").creation_code(encode_values(("bytes",), (data,)))
    return "eth_call", ({"data": "0x" + creation.hex()}, block)


def lens_words(answer: Json, *, override: bool = True) -> bytes | None:
    """The words of an answer to `lens_request`; None where the node seems to know no state override.

    Raises:
        RpcError: where the node refused.
        DivergenceError: where it is no answer of the lens.
    """
    if isinstance(answer, RpcError):
        if answer.code == _INVALID_PARAMETERS and override:
            return None
        if not answer.revert_data:
            raise answer
        data = answer.revert_data
    else:
        data = unhex(answer)
    if not data and override:
        return None
    if len(data) < 2 * WORD or len(data) != (2 + int.from_bytes(data[WORD : 2 * WORD], "big")) * WORD:
        raise DivergenceError("What the node says the lens has read breaks off.")
    return data[2 * WORD :]


async def read_lens(rpc: Rpc, queries: Sequence[LensQuery], block: str) -> list[LensAnswer]:
    """Ask the lens several things in one round trip.

    Args:
        rpc: the node.
        queries: what is wanted; each must fit into the gas that the node allows a call.
        block: a block's number in hex, or "latest".

    Raises:
        RpcError: where the node refused, e.g. because it has the block's state no longer.
        DivergenceError: where it is no answer of the lens.
    """
    data = [query.data() for query in queries]
    for override in (True, False):
        requests = [lens_request(each, block, override=override) for each in data]
        words = [lens_words(answer, override=override) for answer in await rpc.batch_settled(requests)]
        there = [each for each in words if each is not None]
        if len(there) == len(queries):
            break
    return [decode_lens(query, each) for query, each in zip(queries, there, strict=True)]


def decode_lens(query: LensQuery, words: bytes) -> LensAnswer:
    """What the lens read.

    Args:
        query: what was asked.
        words: from `lens_words`.

    Raises:
        DivergenceError: where it isn't the answer to this query.
    """
    numbers = (int.from_bytes(words[at : at + WORD], "big") for at in range(0, len(words), WORD))
    try:
        answer = LensAnswer(
            tuple(_pool(numbers) for _ in query.pools),
            tuple(_account(numbers, query.tokens) for _ in query.accounts),
            tuple(_position(numbers, token_id) if next(numbers) else None for token_id in query.position_ids),
        )
    except (StopIteration, RuntimeError) as error:
        raise DivergenceError("What the node says the lens has read breaks off.") from error
    if next(numbers, None) is not None:
        raise DivergenceError("The node says the lens has read more than it was asked for.")
    return answer


@cache
def _code() -> str:
    """The code of the lens, as 0x and hex digits."""
    return "0x" + artifact("PoolLens").runtime_code().hex()


def _pool(numbers: Iterator[int]) -> PoolAnswer | None:
    if not next(numbers):
        return None
    sqrt_price_x96, tick, _, _, _, fee_protocol, _ = (next(numbers) for _ in range(7))
    report = PoolReport(
        sqrt_price_x96=sqrt_price_x96,
        tick=_signed(tick),
        liquidity=next(numbers),
        fee_growth_global0_x128=next(numbers),
        fee_growth_global1_x128=next(numbers),
    )
    return PoolAnswer(report, fee_protocol, dict(_tick(numbers) for _ in range(next(numbers))))


def _tick(numbers: Iterator[int]) -> tuple[int, TickState]:
    tick, gross, net, growth0, growth1, tick_cumulative, per_liquidity, seconds, _ = (
        next(numbers) for _ in range(9)
    )
    return _signed(tick), TickState(
        liquidity_gross=gross,
        liquidity_net=_signed(net),
        fee_growth_outside0_x128=growth0,
        fee_growth_outside1_x128=growth1,
        tick_cumulative_outside=_signed(tick_cumulative),
        seconds_per_liquidity_outside_x128=per_liquidity,
        seconds_outside=seconds,
    )


def _account(numbers: Iterator[int], tokens: Sequence[Address]) -> AccountAnswer:
    ether_wei = next(numbers)
    balances = {token: next(numbers) for token in tokens}
    told = {token: None if balance == _NO_ANSWER else balance for token, balance in balances.items()}
    held = next(numbers)
    return AccountAnswer(ether_wei, told, tuple(_position(numbers, next(numbers)) for _ in range(held)))


def _position(numbers: Iterator[int], token_id: int) -> PositionAnswer:
    _, _, token0, token1, fee_pips, lower, upper, *rest = (next(numbers) for _ in range(12))
    return PositionAnswer(
        token_id, _address(token0), _address(token1), fee_pips, _signed(lower), _signed(upper), *rest
    )


def _address(number: int) -> Address:
    return checksum(f"0x{number:040x}")


def _signed(number: int) -> int:
    return number - 2 * _HALF if number >= _HALF else number
