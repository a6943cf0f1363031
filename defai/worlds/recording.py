"""Recorded runs: blocks, pool events and the chain's own reports as JSON lines, with the state they start from.

A recording is a folder. `opening.json` has the chain's id, the pools, the block they were read at and their whole
state there; `blocks.jsonl` has a block a line: its header, its events in log order, and what the chain said of each
pool after it. Amounts, prices and growths are decimal strings, since other readers of JSON know no integers beyond
2**53; block numbers, times, ticks and indices are numbers.

Positions are not recorded: a replay needs liquidity by tick, not by owner.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from defai.agent.ports import Arrival
from defai.amm import AmmRevert, PairPool, Pool, PoolStateError, TickState
from defai.domain.chain_events import (
    Block,
    FeeProtocolSet,
    LiquidityBurned,
    LiquidityCollected,
    LiquidityMinted,
    PairSynced,
    PoolEvent,
    PoolFlashed,
    PoolInitialized,
    PoolSwapped,
)
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address, Token
from defai.errors import ConfigError, NotFoundError
from defai.market.state import MarketState, PairReport, PoolReport
from defai.market.unborn import unborn

FORMAT: Final = 1
"""Raised when an older reader would misread a recording."""
OPENING: Final = "opening.json"
BLOCKS: Final = "blocks.jsonl"

_EVENTS: Final[Mapping[str, type[PoolEvent]]] = {
    "initialize": PoolInitialized,
    "swap": PoolSwapped,
    "mint": LiquidityMinted,
    "burn": LiquidityBurned,
    "collect": LiquidityCollected,
    "flash": PoolFlashed,
    "set_fee_protocol": FeeProtocolSet,
    "pair_sync": PairSynced,
}
_KINDS: Final = {record: kind for kind, record in _EVENTS.items()}
_HEADER: Final = ("number", "hash", "parent_hash", "timestamp", "base_fee_wei")
_FIELDS: Final[Mapping[Callable[..., object], tuple[str, ...]]] = {
    Block: _HEADER,
    **{
        record: tuple(field.name for field in fields(record))
        for record in (PoolReport, PairReport, Token, *_EVENTS.values())
    },
}
_STATE: Final = (
    "sqrt_price_x96",
    "tick",
    "liquidity",
    "fee_growth_global0_x128",
    "fee_growth_global1_x128",
    "fee_protocol",
    "timestamp",
)
_PAIR_STATE: Final = ("sqrt_price_x96", "reserve0", "reserve1", "timestamp")
_TEXTS: Final = frozenset(
    {"hash", "parent_hash", "pool", "sender", "recipient", "owner", "transaction_hash", "address", "symbol"}
)
_NUMBERS: Final = frozenset(
    {
        *("number", "timestamp", "tick", "tick_lower", "tick_upper", "log_index"),
        *("fee_pips", "tick_spacing", "fee_protocol", "decimals", "version"),
    }
)

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded run.

    Attributes:
        folder: where it is.
        keys: the pools.
        head: the block the pools were read at; the first recorded block follows it.
        pools: their state after that block.
    """

    folder: Path
    chain_id: int
    keys: tuple[PoolKey, ...]
    head: Block
    pools: Mapping[Address, Pool]

    def market(self) -> MarketState:
        """The market at the head, ready to fold the recorded blocks in; a new one each time."""
        return MarketState(
            self.keys, {address: pool.copy() for address, pool in self.pools.items()}, self.head
        )

    def arrivals(self) -> Iterator[Arrival]:
        """The recorded blocks with the chain's reports, in order.

        Raises:
            NotFoundError: where the file is missing.
            ConfigError: naming file and line where it cannot be read.
        """
        path = self.folder / BLOCKS
        whole, _, _ = _text(path).rpartition(
            "\n"
        )  # what has no end was being written when the process was killed
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                yield _arrival(json.loads(line))
            except (KeyError, TypeError, ValueError) as error:
                raise _unreadable(f"{path}, line {number},", error) from error


class Recorder:
    """Writes a run as it happens; a context manager.

    Args:
        folder: made where it is missing; a recording in it is replaced.
        chain_id: the chain's id.
        market: the market before the first block to be recorded.
    """

    def __init__(self, folder: Path, chain_id: int, market: MarketState) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / OPENING).write_text(opening_text(chain_id, market))
        self._blocks = (folder / BLOCKS).open("w", encoding="utf-8", newline="\n")

    def append(self, arrival: Arrival) -> None:
        """Keep a block and what the chain said after it."""
        block = arrival.block
        line = {
            **_written(block),
            "events": [{"kind": _KINDS[type(event)], **_written(event)} for event in block.events],
            "reports": {address: _written(report) for address, report in arrival.reports.items()},
        }
        self._blocks.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._blocks.flush()

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._blocks.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_recording(folder: Path) -> Recording:
    """Open a recording; its blocks are read when they are asked for.

    Raises:
        NotFoundError: where there is none.
        ConfigError: where it cannot be read, or its pools are impossible.
    """
    path = folder / OPENING
    text = _text(path)
    try:
        raw = json.loads(text)
        if raw["format"] != FORMAT:
            raise ConfigError(f"{path} is of format {raw['format']}; this version reads format {FORMAT}.")
        keys = tuple(read_key(entry) for entry in raw["pools"])
        pools = {
            key.address: read_pool(key, entry["state"]) for key, entry in zip(keys, raw["pools"], strict=True)
        }
        return Recording(folder, int(raw["chain_id"]), keys, _read(Block, raw["head"]), pools)
    except (KeyError, TypeError, ValueError, AmmRevert, PoolStateError) as error:
        raise _unreadable(f"{path}", error) from error


def opening_text(chain_id: int, market: MarketState) -> str:
    """What `opening.json` says of a market."""
    return json.dumps(_opening(chain_id, market), indent=1) + "\n"


def _opening(chain_id: int, market: MarketState) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "chain_id": chain_id,
        "head": _written(market.head),
        "pools": [
            {
                **written_key(key),
                "state": pool_state(market.pools[key.address]),
            }
            for key in market.keys.values()
        ],
    }


def pool_state(pool: Pool) -> dict[str, Any]:
    """A pool as JSON has it: what is the whole state of one whose positions and observations don't matter."""
    if isinstance(pool, PairPool):
        return _written(pool, _PAIR_STATE)
    ticks = [
        {"tick": tick, **_written(state, TickState._fields)} for tick, state in sorted(pool.ticks.items())
    ]
    return {**_written(pool, _STATE), "ticks": ticks}


def read_pool(key: PoolKey, raw: Mapping[str, Any]) -> Pool:
    """The reverse of `pool_state`.

    Raises:
        KeyError, ValueError: where it is none.
        AmmRevert, PoolStateError: where there can be no such pool.
    """
    if not int(raw["sqrt_price_x96"]):
        return unborn(key)
    if key.is_pair:
        return PairPool(*(int(raw[name]) for name in _PAIR_STATE[1:]))
    ticks = {
        int(entry["tick"]): TickState(*(int(entry[name]) for name in TickState._fields))
        for entry in raw["ticks"]
    }
    scalars = {name: int(raw[name]) for name in _STATE}
    return Pool.from_state(fee_pips=key.fee_pips, tick_spacing=key.tick_spacing, ticks=ticks, **scalars)


def written_key(key: PoolKey) -> dict[str, Any]:
    """What identifies a pool, as JSON has it."""
    return {
        **_written(key, ("address", "fee_pips", "tick_spacing", *(("version",) if key.is_pair else ()))),
        "token0": _written(key.token0),
        "token1": _written(key.token1),
    }


def read_key(raw: Mapping[str, Any]) -> PoolKey:
    """The reverse of `written_key`.

    Raises:
        KeyError, TypeError, ValueError: where it is none.
    """
    tokens = (_read(Token, raw["token0"]), _read(Token, raw["token1"]))
    numbers = int(raw["fee_pips"]), int(raw["tick_spacing"]), int(raw.get("version", 3))
    return PoolKey(raw["address"], *tokens, *numbers)


def _arrival(raw: Mapping[str, Any]) -> Arrival:
    events = tuple(_event(entry) for entry in raw["events"])
    block = replace(_read(Block, raw), events=events)
    return Arrival(block, {address: _report(report) for address, report in raw["reports"].items()})


def _report(raw: Mapping[str, Any]) -> PoolReport:
    return _read(PairReport if "reserve0" in raw else PoolReport, raw)


def _event(raw: Mapping[str, Any]) -> PoolEvent:
    kind = raw["kind"]
    if kind not in _EVENTS:
        raise ValueError(f"there is no event '{kind}'")
    record: Callable[..., PoolEvent] = _EVENTS[kind]
    return _read(record, raw)


def _written(record: object, names: Sequence[str] = ()) -> dict[str, Any]:
    """Fields of a record as JSON has them: the named ones, else all of a record in `_FIELDS`."""
    values = {name: getattr(record, name) for name in names or _FIELDS[type(record)]}
    return {
        name: value if name in _NUMBERS or name in _TEXTS else str(value) for name, value in values.items()
    }


def _read(record: Callable[..., Record], raw: Mapping[str, Any]) -> Record:
    return record(**{name: _value(name, raw[name]) for name in _FIELDS[record]})


def _value(name: str, value: object) -> Any:  # noqa: ANN401  text or an integer, as the field's name says
    if name in _TEXTS:
        if not isinstance(value, str):
            raise TypeError(f"{name} is {value!r}, not a text")
        return value
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(f"{name} is {value!r}, not an integer")
    return int(value)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no recording at {path.parent}: {path.name} is missing.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read.") from error


def _unreadable(where: str, error: Exception) -> ConfigError:
    said = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
    return ConfigError(f"{where} is not of a recording: {said}.", "Is the file whole? Record it again.")
