"""A pool to look at: it quotes like any other, and nobody can change it."""

from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, NoReturn

from defai.amm.oracle import Oracle
from defai.amm.pair_pool import PairPool
from defai.amm.pool import Pool
from defai.amm.state import PoolSnapshot, PoolState
from defai.amm.tick_map import TickMap

_READING: Final = frozenset(
    {
        *("advance", "amount_to", "fee_growth_inside", "mean_tick", "observe", "quote", "require_unlocked"),
        *("copy", "snapshot", "snapshot_cumulatives_inside"),
    }
)
"""What can be called on a frozen pool. Whatever else a pool can do changes it."""
_COPIED: Final = ("oracle", "position_states", "tick_map", "tick_states")
_PLAIN: Final = tuple(name for name in PoolState.__slots__ if name not in _COPIED)
_plain_of = attrgetter(*_PLAIN)
_put = object.__setattr__


def _refuse(*_: object, **__: object) -> NoReturn:
    """Refused.

    Raises:
        TypeError: always.
    """
    raise TypeError("this pool is to be looked at; pool.copy() gives one to try things on")


class FrozenTickMap(TickMap):
    """The initialised ticks of a frozen pool."""

    __slots__ = ()
    __setattr__ = __delattr__ = flip = _refuse


class FrozenOracle(Oracle):
    """The observations of a frozen pool."""

    __slots__ = ()
    __setattr__ = __delattr__ = initialize = write = grow = _refuse


class FrozenPool(Pool):
    """A pool at one moment, made by `freeze`. Its `copy` is a pool like any other, to try out swaps and liquidity."""

    __slots__ = ()
    __setattr__ = __delattr__ = _refuse

    def snapshot(self) -> PoolSnapshot:
        """The whole state, as of any pool."""
        return self.copy().snapshot()

    def copy(self) -> Pool:  # type: ignore[override]  # the copy is to be changed, this one is not
        """A pool in the same state that can be changed."""
        new = Pool(fee_pips=self.fee_pips, tick_spacing=self.tick_spacing)
        for name in _PLAIN:
            setattr(new, name, getattr(self, name))
        new.tick_states, new.position_states = dict(self.tick_states), dict(self.position_states)
        new.tick_map.words = dict(self.tick_map.words)
        new.oracle.observations = list(self.oracle.observations)
        new.oracle.index, new.oracle.cardinality = self.oracle.index, self.oracle.cardinality
        return new

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy by pickle is as frozen."""
        return freeze, (self.copy(),)


class FrozenPair(PairPool):
    """A Uniswap v2 pair at one moment, made by `freeze`. Its `copy` is a pair like any other, to try swaps out."""

    __slots__ = ()
    __setattr__ = __delattr__ = _refuse

    def snapshot(self) -> PoolSnapshot:
        """The whole state, as of any pool."""
        return self.copy().snapshot()

    def copy(self) -> PairPool:  # type: ignore[override]  # the copy is to be changed, this one is not
        """A pair in the same state that can be changed."""
        return PairPool(self.reserve0, self.reserve1, self.timestamp)

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy by pickle is as frozen."""
        return freeze, (self.copy(),)


for _frozen, _thawed in ((FrozenPool, Pool), (FrozenPair, PairPool)):
    for _name in dir(_thawed):
        if not _name.startswith("_") and callable(getattr(_thawed, _name)) and _name not in _READING:
            setattr(_frozen, _name, _refuse)


def freeze(pool: Pool) -> FrozenPool | FrozenPair:
    """A copy of a pool that cannot be changed.

    Args:
        pool: any pool; it goes its own way afterwards.
    """
    frozen: FrozenPool | FrozenPair = object.__new__(FrozenPool)
    if isinstance(pool, PairPool):
        frozen = object.__new__(FrozenPair)
        _put(frozen, "reserve0", pool.reserve0)
        _put(frozen, "reserve1", pool.reserve1)
    for name, value in zip(_PLAIN, _plain_of(pool), strict=True):
        _put(frozen, name, value)
    ticks, oracle = object.__new__(FrozenTickMap), object.__new__(FrozenOracle)
    _put(ticks, "tick_spacing", pool.tick_spacing)
    _put(ticks, "words", MappingProxyType(pool.tick_map.words.copy()))
    _put(oracle, "observations", tuple(pool.oracle.observations))
    _put(oracle, "index", pool.oracle.index)
    _put(oracle, "cardinality", pool.oracle.cardinality)
    _put(frozen, "tick_map", ticks)
    _put(frozen, "oracle", oracle)
    _put(frozen, "tick_states", MappingProxyType(pool.tick_states.copy()))
    _put(frozen, "position_states", MappingProxyType(pool.position_states.copy()))
    return frozen
