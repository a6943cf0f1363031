"""The pool's memory of ticks and liquidity over time, and the averages it gives (Uniswap's Oracle).

Seconds are unsigned 32-bit and wrap; cumulative ticks are signed 56-bit; seconds per liquidity are Q32.128.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from defai.amm.errors import AmmRevert

_SECONDS: Final = (1 << 32) - 1
_X160: Final = (1 << 160) - 1
_MAX_CARDINALITY: Final = (1 << 16) - 1


def wrap_int56(number: int) -> int:
    """The number as a signed 56-bit word holds it, wrapping."""
    return ((number + (1 << 55)) & ((1 << 56) - 1)) - (1 << 55)


class Observation(NamedTuple):
    """One entry of the oracle's ring.

    Attributes:
        timestamp: seconds, modulo 2**32.
        tick_cumulative: the sum of tick times seconds since the pool was initialised.
        seconds_per_liquidity_cumulative_x128: the sum of seconds over liquidity in range.
        initialized: whether it was ever written.
    """

    timestamp: int
    tick_cumulative: int
    seconds_per_liquidity_cumulative_x128: int
    initialized: bool


_UNWRITTEN: Final = Observation(1, 0, 0, initialized=False)


def transform(last: Observation, timestamp: int, tick: int, liquidity: int) -> Observation:
    """The observation that a tick and a liquidity in force since `last` lead to."""
    seconds = (timestamp - last.timestamp) & _SECONDS
    return Observation(
        timestamp,
        wrap_int56(last.tick_cumulative + tick * seconds),
        (last.seconds_per_liquidity_cumulative_x128 + (seconds << 128) // (liquidity or 1)) & _X160,
        initialized=True,
    )


def not_after(now: int, a: int, b: int) -> bool:
    """Whether moment `a` is at or before `b`, both at or before `now`, across one wrap of the 32-bit clock."""
    return (a if a > now else a + (1 << 32)) <= (b if b > now else b + (1 << 32))


class Oracle:
    """A ring of observations; a new pool has room for one until someone pays for more.

    Attributes:
        observations: the ring's slots, unwritten ones included.
        index: the slot written last.
        cardinality: how many slots are in use; zero before the pool is initialised.
    """

    __slots__ = ("cardinality", "index", "observations")

    def __init__(self) -> None:
        self.observations: list[Observation] = []
        self.index = 0
        self.cardinality = 0

    @property
    def cardinality_next(self) -> int:
        """How many slots there will be in use once the ring comes round."""
        return len(self.observations)

    def initialize(self, timestamp: int) -> None:
        """Write the first observation."""
        self.observations = [Observation(timestamp & _SECONDS, 0, 0, initialized=True)]
        self.index, self.cardinality = 0, 1

    def write(self, timestamp: int, tick: int, liquidity: int) -> None:
        """Record the tick and the liquidity in force up to now; at most once a second.

        Args:
            timestamp: the block's time in seconds.
            tick: the tick since the last observation, before whatever changes it now.
            liquidity: the liquidity in range since then.
        """
        timestamp &= _SECONDS
        last = self.observations[self.index]
        if last.timestamp == timestamp:
            return
        if self.cardinality_next > self.cardinality and self.index == self.cardinality - 1:
            self.cardinality = self.cardinality_next
        self.index = (self.index + 1) % self.cardinality
        self.observations[self.index] = transform(last, timestamp, tick, liquidity)

    def grow(self, cardinality_next: int) -> None:
        """Make room for more observations; never takes room away.

        Raises:
            AmmRevert: 'I' where the pool is not initialised, '' beyond 65,535.
        """
        if not self.cardinality:
            raise AmmRevert("I")
        if not 0 <= cardinality_next <= _MAX_CARDINALITY:
            raise AmmRevert("")
        self.observations.extend([_UNWRITTEN] * (cardinality_next - self.cardinality_next))

    def current(self, timestamp: int, tick: int, liquidity: int) -> Observation:
        """The observation as of now, whether or not it has been written."""
        timestamp &= _SECONDS
        last = self.observations[self.index]
        return last if last.timestamp == timestamp else transform(last, timestamp, tick, liquidity)

    def observe(
        self, timestamp: int, seconds_agos: Sequence[int], tick: int, liquidity: int
    ) -> list[tuple[int, int]]:
        """Cumulative tick and seconds per liquidity as of some moments ago.

        The average tick between two moments is the difference of the cumulative ticks over the seconds between.

        Returns:
            For each moment the cumulative tick and the cumulative seconds per liquidity, in Q32.128.

        Raises:
            AmmRevert: 'I' where the pool is not initialised, 'OLD' where a moment lies before the oldest observation.
        """
        if not self.cardinality:
            raise AmmRevert("I")
        return [self._observe_single(timestamp & _SECONDS, ago, tick, liquidity) for ago in seconds_agos]

    def _observe_single(self, now: int, ago: int, tick: int, liquidity: int) -> tuple[int, int]:
        if not 0 <= ago <= _SECONDS:
            raise AmmRevert("")
        if ago == 0:
            return self.current(now, tick, liquidity)[1:3]
        target = (now - ago) & _SECONDS
        before, after = self._surrounding(now, target, tick, liquidity)
        if target == before.timestamp:
            return before[1:3]
        if target == after.timestamp:
            return after[1:3]
        seconds = (after.timestamp - before.timestamp) & _SECONDS
        elapsed = (target - before.timestamp) & _SECONDS
        ticks = wrap_int56(after.tick_cumulative - before.tick_cumulative)
        slope = -(-ticks // seconds) if ticks < 0 else ticks // seconds
        weight = (
            after.seconds_per_liquidity_cumulative_x128 - before.seconds_per_liquidity_cumulative_x128
        ) & _X160
        return (
            wrap_int56(before.tick_cumulative + slope * elapsed),
            (before.seconds_per_liquidity_cumulative_x128 + weight * elapsed // seconds) & _X160,
        )

    def _surrounding(
        self, now: int, target: int, tick: int, liquidity: int
    ) -> tuple[Observation, Observation]:
        newest = self.observations[self.index]
        if not_after(now, newest.timestamp, target):
            return newest, transform(newest, target, tick, liquidity)
        oldest = self.observations[(self.index + 1) % self.cardinality]
        if not oldest.initialized:
            oldest = self.observations[0]
        if not not_after(now, oldest.timestamp, target):
            raise AmmRevert("OLD")
        return self._binary_search(now, target)

    def _binary_search(self, now: int, target: int) -> tuple[Observation, Observation]:
        left = (self.index + 1) % self.cardinality
        right = left + self.cardinality - 1
        while True:
            middle = (left + right) // 2
            before = self.observations[middle % self.cardinality]
            if not before.initialized:
                left = middle + 1
                continue
            after = self.observations[(middle + 1) % self.cardinality]
            if not not_after(now, before.timestamp, target):
                right = middle - 1
            elif not_after(now, target, after.timestamp):
                return before, after
            else:
                left = middle + 1
