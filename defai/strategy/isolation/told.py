"""What a strategy's process has been told, so that each question tells it only what is new.

A context is a pool's last rows, its ticks and its observations, most of which were there a block ago. Here is the
asker's half: what the process must have by now, and what it lacks. `defai.strategy.isolation.mirror` is the other.
"""

from array import array
from collections.abc import Mapping, Sequence
from operator import attrgetter, is_
from typing import Any, Final, NamedTuple

from defai.amm import Pool
from defai.amm.frozen import FrozenPair, FrozenPool, freeze
from defai.amm.pair_pool import PairPool
from defai.domain.pool import PoolKey
from defai.market.window import Observation
from defai.strategy.api import Context, Outcome

PLAIN: Final = (
    *("sqrt_price_x96", "tick", "liquidity", "fee_growth_global0_x128", "fee_growth_global1_x128"),
    *("fee_protocol", "protocol_fees0", "protocol_fees1", "timestamp"),
)
_plain_of = attrgetter(*PLAIN)


class Rows(NamedTuple):
    """A pool's past: so many of the newest rows that were told before stay, and these follow."""

    kept: int
    fresh: tuple[Observation, ...]


class Changes(NamedTuple):
    """Of a mapping: the entries that are new or others, and the keys that are gone."""

    put: dict[Any, Any]
    gone: tuple[Any, ...]


class PoolTold(NamedTuple):
    """A pool after a block. Of a pair only the reserves are told.

    Attributes:
        observations: those that are others, by their place, and how many there are.
    """

    key: PoolKey | None
    rows: Rows
    reserves: tuple[int, int, int] | None
    plain: tuple[int, ...]
    parts: tuple[Changes, ...]
    observations: tuple[dict[int, Any], int, int, int]


class ContextTold(NamedTuple):
    """A context. Of `outcomes` None says that they are those of the last one."""

    pools: tuple[PoolTold, ...]
    plain: dict[str, Any]
    dice: tuple[bytes, Any, int]
    outcomes: tuple[Outcome, ...] | None


class Told:
    """What one process knows."""

    def __init__(self) -> None:
        self._rows: dict[int, tuple[Observation, ...]] = {}
        self._keys: dict[int, PoolKey] = {}
        self._states: dict[int, FrozenPool | FrozenPair] = {}
        self._outcomes: tuple[Outcome, ...] = ()
        self._context: Context | None = None

    def context(self, context: Context) -> ContextTold | None:
        """What is new of a context; None where it is the one it was asked about last."""
        if context is self._context:
            return None
        self._context = context
        outcomes = context.outcomes
        told = ContextTold(
            pools=tuple(self._pool(index, view) for index, view in enumerate(context.pools)),
            plain={
                "block_number": context.block_number,
                "timestamp": context.timestamp,
                "base_fee_wei": context.base_fee_wei,
                "features": context.features,
                "forecast": context.forecast,
                "positions": context.positions,
                "balances": dict(context.balances),
                "numeraire": context.numeraire,
                "base": context.base,
                "equity_raw": context.equity_raw,
                "costs": context.costs,
            },
            dice=_dice_of(context),
            outcomes=None if outcomes is self._outcomes else outcomes,
        )
        self._outcomes = outcomes
        return told

    def rows(self, index: int, rows: Sequence[Observation], *, whole: bool) -> Rows:
        """What is new of a pool's past.

        Args:
            index: which pool it is, of the strategy's.
            rows: the past, or its end; at least a row.
            whole: whether the process is to know these rows and no older ones.
        """
        now, before = tuple(rows), self._rows.get(index, ())
        fresh = 0
        if before:
            newest = before[-1].block_number
            while fresh < len(now) and now[-1 - fresh].block_number > newest:
                fresh += 1
        same = len(now) - fresh
        if not same or same > len(before) or before[-same:] != now[:same]:
            self._rows[index] = now
            return Rows(0, now)
        kept = same if whole else len(before)
        self._rows[index] = (*before[-kept:], *now[same:]) if fresh or kept < len(before) else before
        return Rows(kept, now[same:])

    def _pool(self, index: int, view: Any) -> PoolTold:  # noqa: ANN401  a view, of whichever kind
        key = None if self._keys.get(index) == view.key else view.key
        if key is not None:
            self._keys[index] = key
            self._states.pop(index, None)
        rows = self.rows(index, view.history, whole=True) if len(view.history) else Rows(0, ())
        if not rows.kept and not rows.fresh:
            self._rows.pop(index, None)
        state: Pool = view.state
        if isinstance(state, PairPool):
            reserves = (state.reserve0, state.reserve1, state.timestamp)
            return PoolTold(key, rows, reserves, (), (), ({}, 0, 0, 0))
        now = state if isinstance(state, FrozenPool) else freeze(state)
        before = self._states.get(index)
        self._states[index] = now
        return PoolTold(key, rows, None, _plain_of(now), _parts(before, now), _observations(before, now))


def _parts(before: Pool | None, now: Pool) -> tuple[Changes, ...]:
    old = parts_of(before) if before is not None else ({}, {}, {})
    return tuple(_changes(was, part) for was, part in zip(old, parts_of(now), strict=True))


def parts_of(pool: Pool) -> tuple[dict[Any, Any], ...]:
    """What of a pool are mappings."""
    return pool.tick_states, pool.tick_map.words, pool.position_states


def _changes(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> Changes:
    put = {key: value for key, value in new.items() if old.get(key) is not value}
    return Changes(put, tuple(key for key in old if key not in new))


def _observations(before: Pool | None, now: Pool) -> tuple[dict[int, Any], int, int, int]:
    oracle, old = now.oracle, before.oracle.observations if before is not None else ()
    count = len(oracle.observations)
    if len(old) != count:
        put = dict(enumerate(oracle.observations))
    else:
        same, put, at = list(map(is_, old, oracle.observations)), {}, -1
        for _ in range(same.count(False)):
            at = same.index(False, at + 1)
            put[at] = oracle.observations[at]
    return put, count, oracle.index, oracle.cardinality


def _dice_of(context: Context) -> tuple[bytes, Any, int]:
    version, words, spare = context.rng.getstate()
    return array("Q", words).tobytes(), spare, version
