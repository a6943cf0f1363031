"""The pool's swaps compiled: equal to `Pool.swap` in every bit, tens of times as fast where there are many.

    from defai.amm import Pool
    from defai.amm.kernel import KernelPool, SwapOrder, swap_many

    outcomes = swap_many(pool, [SwapOrder(zero_for_one=True, amount_specified=10**15)] * 100_000)

    kernel = KernelPool(pool)                                  # the same with columns, which spares the objects
    batch = kernel.swap(zero_for_one=directions, amounts=amounts)
    kernel.store()                                             # the pool now stands where the swaps have led

`Pool.swap` stays what is read and trusted; the kernel (`defai.amm.limbs`) is tested against it. `swap_many` and
`quote_many` choose: the kernel where the swaps are many enough to pay for reaching it, else, or where numba is absent,
the reference. The first use ever compiles, says so on stderr, and keeps the machine code on disk.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from defai.amm.errors import AmmRevert, PoolStateError
from defai.amm.full_math import MAX_INT256, MIN_INT256
from defai.amm.limbs.arrays import (
    AMOUNT0,
    AMOUNT1,
    AMOUNT_TOO_WIDE,
    ANSWER_INTEGERS,
    ANSWER_WORDS,
    CROSSED,
    FEE,
    LIQUIDITY_AFTER,
    PRICE_AFTER,
    REASONS,
    SELL_TOKEN0,
    SELL_TOKEN1,
    STATUS,
    TICK_AFTER,
    TIME,
    Answers,
    Integers,
    Orders,
    PoolArrays,
    Words,
)
from defai.amm.limbs.compiler import compiled_functions, is_loaded
from defai.amm.packing import load, pack, pack_integers, store, unpack
from defai.amm.pool import Pool
from defai.amm.swap import SwapResult

Engine: TypeAlias = Literal["auto", "kernel", "reference"]
Outcome: TypeAlias = SwapResult | AmmRevert

FEW: Final = 20_000
"""So many swaps take the reference about as long as loading numba and the kept machine code takes."""
FEW_ONCE_LOADED: Final = 64
"""The same where the kernel is in use already: copying a pool into arrays and back takes time too."""
_log: Final = logging.getLogger(__name__)
_NO_LIMIT: Final = (1 << 192) - 1
_MAX_LIMIT: Final = (1 << 160) - 1


class SwapOrder(NamedTuple):
    """The arguments of `Pool.swap`."""

    zero_for_one: bool
    amount_specified: int
    sqrt_price_limit_x96: int | None = None
    timestamp: int | None = None


class SwapBatch:
    """What came of a batch of swaps, in columns. Refused swaps changed nothing, and read zero.

    Attributes:
        reverted: one flag a swap.
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self.reverted: NDArray[np.bool_] = answers.integers[:, STATUS] != 0

    def __len__(self) -> int:
        return len(self.reverted)

    @property
    def amounts0(self) -> list[int]:
        """The pool's change in token0, in smallest units, by each swap."""
        return unpack(self._answers.words[:, AMOUNT0 : AMOUNT0 + 4], signed=True)

    @property
    def amounts1(self) -> list[int]:
        """The pool's change in token1, in smallest units, by each swap."""
        return unpack(self._answers.words[:, AMOUNT1 : AMOUNT1 + 4], signed=True)

    @property
    def sqrt_prices_x96(self) -> list[int]:
        """The price after each swap, in Q64.96."""
        return unpack(self._answers.words[:, PRICE_AFTER : PRICE_AFTER + 3])

    @property
    def liquidities(self) -> list[int]:
        """The liquidity in range after each swap."""
        return unpack(self._answers.words[:, LIQUIDITY_AFTER : LIQUIDITY_AFTER + 2])

    @property
    def fees(self) -> list[int]:
        """The fee of each swap, in smallest units of the token that came in."""
        return unpack(self._answers.words[:, FEE : FEE + 4])

    @property
    def ticks(self) -> Integers:
        """The tick after each swap."""
        return self._answers.integers[:, TICK_AFTER]

    @property
    def ticks_crossed(self) -> Integers:
        """How many initialised ticks each swap crossed."""
        return self._answers.integers[:, CROSSED]

    def __iter__(self) -> Iterator[Outcome]:
        columns = zip(
            self._answers.integers[:, STATUS].tolist(),
            *(self.amounts0, self.amounts1, self.sqrt_prices_x96, self.liquidities),
            *(self.ticks.tolist(), self.ticks_crossed.tolist(), self.fees),
            strict=True,
        )
        for status, *numbers in columns:
            reason = REASONS[status]
            yield SwapResult(*numbers) if reason is None else AmmRevert(reason)


class KernelPool:
    """A pool copied into arrays, on which the kernel swaps.

    The pool itself stays as it was until `store`, and must not be changed before; after changing it, make a new one.

    Args:
        pool: the pool.

    Raises:
        ImportError: where numba can't be imported.
        OverflowError: where a number of the pool's doesn't fit the contract's storage.
    """

    def __init__(self, pool: Pool) -> None:
        self._run = compiled_functions()["run_orders"]
        self._pool = pool
        self._arrays = load(pool)
        self._before = _copied(self._arrays)

    def swap(
        self,
        *,
        zero_for_one: Sequence[bool] | NDArray[np.bool_],
        amounts: Sequence[int] | Integers,
        sqrt_price_limits_x96: Sequence[int | None] | None = None,
        timestamps: Sequence[int] | Integers | None = None,
    ) -> SwapBatch:
        """Do swaps in turn; each is as `Pool.swap` would be, and one that is refused changes nothing.

        Args:
            zero_for_one: whether token0 comes in.
            amounts: positive, what comes in at most; negative, what goes out at most.
            sqrt_price_limits_x96: prices not to be passed; None means no limits.
            timestamps: the blocks' times in seconds, not falling; None means that no time passes.

        Raises:
            PoolStateError: where time would run backwards.
            ValueError: where the columns differ in length.
        """
        return self.run(
            orders(zero_for_one, amounts, sqrt_price_limits_x96, self._times(timestamps, len(amounts))),
            keep=True,
        )

    def quote(
        self,
        *,
        zero_for_one: Sequence[bool] | NDArray[np.bool_],
        amounts: Sequence[int] | Integers,
        sqrt_price_limits_x96: Sequence[int | None] | None = None,
    ) -> SwapBatch:
        """What each swap alone would do to the pool as it stands; nothing changes."""
        return self.run(
            orders(zero_for_one, amounts, sqrt_price_limits_x96, self._times(None, len(amounts))), keep=False
        )

    def run(self, asked: Orders, *, keep: bool) -> SwapBatch:
        """Run orders that `orders` made; done if `keep`, else each only worked out. Their times are trusted."""
        answers = empty_answers(len(asked.directions))
        self._run(self._arrays, asked, answers, keep)
        return SwapBatch(answers)

    def store(self) -> Pool:
        """Bring the pool to where the swaps have led, and return it."""
        store(self._arrays, self._before, self._pool)
        self._before = _copied(self._arrays)
        return self._pool

    def _times(self, timestamps: Sequence[int] | Integers | None, rows: int) -> Integers:
        now = int(self._arrays.integers[TIME])
        if timestamps is None:
            return np.full(rows, now, dtype=np.int64)
        return _checked_times(timestamps, now)


def orders(
    zero_for_one: Sequence[bool] | NDArray[np.bool_],
    amounts: Sequence[int] | Integers,
    sqrt_price_limits_x96: Sequence[int | None] | None,
    times: Integers,
) -> Orders:
    """Swaps as the kernel takes them; worth keeping where the same are run more than once.

    Raises:
        ValueError: where the columns differ in length.
    """
    rows = len(amounts)
    limits = sqrt_price_limits_x96
    if not rows == len(zero_for_one) == len(times) or (limits is not None and len(limits) != rows):
        raise ValueError("The columns of the swaps differ in length.")
    directions = np.where(np.asarray(zero_for_one, dtype=np.bool_), SELL_TOKEN0, SELL_TOKEN1).astype(np.int64)
    words = _amount_words(amounts, directions)
    if limits is None:
        limit_words = np.full((rows, 3), (1 << 64) - 1, dtype=np.uint64)
    else:
        clipped = (_NO_LIMIT if limit is None else min(max(limit, 0), _MAX_LIMIT) for limit in limits)
        limit_words = pack(clipped, 3)
    return Orders(directions, words, limit_words, times)


def empty_answers(rows: int) -> Answers:
    """Room for what comes of so many swaps; what stands there means nothing until they are run."""
    return Answers(
        np.empty((rows, ANSWER_WORDS), dtype=np.uint64), np.empty((rows, ANSWER_INTEGERS), dtype=np.int64)
    )


def swap_many(pool: Pool, swaps: Sequence[SwapOrder], *, engine: Engine = "auto") -> list[Outcome]:
    """Do swaps in turn; the same as calling `Pool.swap` for each, with refusals returned instead of raised.

    Args:
        pool: the pool.
        swaps: the swaps; their times must not fall.
        engine: "auto" chooses; "kernel" and "reference" insist.

    Raises:
        PoolStateError: where time would run backwards; the pool is as before then.
        ImportError: with "kernel", where numba can't be imported.
    """
    times = _filled_times(pool, swaps)
    kernel = _kernel_for(pool, len(swaps), engine)
    if kernel is None:
        return [
            _outcome(pool, order, timestamp=time) for order, time in zip(swaps, times.tolist(), strict=True)
        ]
    outcomes = list(kernel.run(_orders_of(swaps, times), keep=True))
    kernel.store()
    return outcomes


def quote_many(pool: Pool, swaps: Sequence[SwapOrder], *, engine: Engine = "auto") -> list[Outcome]:
    """What each swap alone would do to the pool as it stands, or its refusal; nothing changes.

    Raises:
        ImportError: with "kernel", where numba can't be imported.
    """
    kernel = _kernel_for(pool, len(swaps), engine)
    if kernel is None:
        return [_outcome(pool, order, timestamp=None) for order in swaps]
    return list(kernel.run(_orders_of(swaps, np.zeros(len(swaps), dtype=np.int64)), keep=False))


def _kernel_for(pool: Pool, swaps: int, engine: Engine) -> KernelPool | None:
    """The pool in the kernel, if that is asked for or worthwhile and possible."""
    if engine == "reference":
        return None
    if engine == "auto" and swaps < (FEW_ONCE_LOADED if is_loaded() else FEW):
        return None
    try:
        return KernelPool(pool)
    except (ImportError, OverflowError) as refusal:
        if engine == "kernel":
            raise
        _log.info("Swaps run in plain integers, for the kernel can't be used: %s", refusal)
        return None


def _outcome(pool: Pool, order: SwapOrder, *, timestamp: int | None) -> Outcome:
    zero_for_one, amount, limit, _ = order
    try:
        if timestamp is None:
            return pool.quote(zero_for_one=zero_for_one, amount_specified=amount, sqrt_price_limit_x96=limit)
        return pool.swap(
            zero_for_one=zero_for_one,
            amount_specified=amount,
            sqrt_price_limit_x96=limit,
            timestamp=timestamp,
        )
    except AmmRevert as revert:
        return revert


def _orders_of(swaps: Sequence[SwapOrder], times: Integers) -> Orders:
    return orders(
        [order.zero_for_one for order in swaps],
        [order.amount_specified for order in swaps],
        [order.sqrt_price_limit_x96 for order in swaps],
        times,
    )


def _filled_times(pool: Pool, swaps: Sequence[SwapOrder]) -> Integers:
    """The time of each swap; one without has the time of the swap before it."""
    times, now = [], pool.timestamp
    for order in swaps:
        now = now if order.timestamp is None else order.timestamp
        times.append(now)
    return _checked_times(times, pool.timestamp)


def _checked_times(timestamps: Sequence[int] | Integers, now: int) -> Integers:
    times = pack_integers(timestamps)
    if len(times) and (times[0] < now or (np.diff(times) < 0).any()):
        raise PoolStateError("Time would run backwards among the swaps.", "Sort them by time.")
    return times


def _amount_words(amounts: Sequence[int] | Integers, directions: Integers) -> Words:
    """Amounts as words; one that no contract could be asked for is marked among the directions."""
    if isinstance(amounts, np.ndarray):
        words = np.empty((len(amounts), 4), dtype=np.uint64)
        words[:, 0] = amounts.astype(np.int64, casting="safe").view(np.uint64)
        words[:, 1:] = (amounts >> 63).astype(np.int64).view(np.uint64)[:, None]
        return words
    try:
        return pack(amounts, 4, signed=True)
    except OverflowError:
        wide = [not MIN_INT256 <= amount <= MAX_INT256 for amount in amounts]
        directions[wide] = AMOUNT_TOO_WIDE
        return pack((0 if out else amount for amount, out in zip(amounts, wide, strict=True)), 4, signed=True)


def _copied(arrays: PoolArrays) -> PoolArrays:
    columns: list[Any] = [column.copy() for column in arrays]
    return PoolArrays(*columns)
