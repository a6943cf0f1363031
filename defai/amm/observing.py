"""The oracle's side of a pool: averages over time, whole and inside a range."""

from collections.abc import Sequence

from defai.amm.errors import AmmRevert
from defai.amm.modify_position import check_ticks
from defai.amm.oracle import wrap_int56
from defai.amm.state import PoolState
from defai.amm.tick import TickState


class ObservingPool(PoolState):
    """A pool's state with the questions that its oracle answers."""

    __slots__ = ()

    def observe(self, seconds_agos: Sequence[int], timestamp: int | None = None) -> list[tuple[int, int]]:
        """Cumulative tick, and cumulative seconds per liquidity in Q32.128, as of some moments ago.

        Raises:
            AmmRevert: 'I' before `initialize`, 'OLD' where the observations don't reach back that far.
        """
        return self.oracle.observe(self.advance(timestamp), seconds_agos, self.tick, self.liquidity)

    def mean_tick(self, seconds_ago: int, timestamp: int | None = None) -> int:
        """The time-weighted mean tick since some seconds ago, rounded down (periphery's OracleLibrary.consult).

        Raises:
            AmmRevert: 'BP' for zero seconds, and what `observe` raises.
        """
        if seconds_ago == 0:
            raise AmmRevert("BP")
        (then, _), (now, _) = self.observe((seconds_ago, 0), timestamp)
        return wrap_int56(now - then) // seconds_ago

    def increase_observation_cardinality_next(self, cardinality_next: int) -> None:
        """Make room for more observations; they come into use as the pool trades.

        Raises:
            AmmRevert: 'LOK' before `initialize`, '' beyond 65,535.
        """
        self.require_unlocked()
        self.oracle.grow(cardinality_next)

    def snapshot_cumulatives_inside(
        self, tick_lower: int, tick_upper: int, timestamp: int | None = None
    ) -> tuple[int, int, int]:
        """Cumulative tick, seconds per liquidity (Q32.128) and seconds inside a range; only differences mean anything.

        Raises:
            AmmRevert: 'TLU', 'TLM', 'TUM' for bad bounds, '' where a bound is not an initialised tick.
        """
        check_ticks(tick_lower, tick_upper)
        lower, upper = self.tick_states.get(tick_lower), self.tick_states.get(tick_upper)
        if lower is None or upper is None:
            raise AmmRevert("", f"No liquidity begins or ends at {tick_lower} or {tick_upper}.")
        if self.tick < tick_lower:
            return _difference(_outside(lower), _outside(upper))
        if self.tick >= tick_upper:
            return _difference(_outside(upper), _outside(lower))
        now = self.advance(timestamp)
        current = self.oracle.current(now, self.tick, self.liquidity)
        total = current.tick_cumulative, current.seconds_per_liquidity_cumulative_x128, now & 0xFFFFFFFF
        return _difference(_difference(total, _outside(lower)), _outside(upper))


def _outside(state: TickState) -> tuple[int, int, int]:
    return state.tick_cumulative_outside, state.seconds_per_liquidity_outside_x128, state.seconds_outside


def _difference(a: tuple[int, int, int], b: tuple[int, int, int]) -> tuple[int, int, int]:
    return wrap_int56(a[0] - b[0]), (a[1] - b[1]) & ((1 << 160) - 1), (a[2] - b[2]) & 0xFFFFFFFF
