"""A pool and its past as of one block, for whoever is to look and not to touch. Copied when it is looked at closely."""

from collections.abc import Callable

from defai.amm import Pool
from defai.amm.frozen import FrozenPair, FrozenPool, freeze
from defai.domain.chain_events import Block
from defai.market.window import Observation, Window


class PassedError(LookupError):
    """What was kept of a block is looked at for the first time when the block has passed."""


class Glimpse:
    """One pool after one block.

    Most who look want the price and the tick. So these are taken at once; pool and past are copied when somebody asks
    for them, once for all who do, and as long as that block is the newest. Later they cannot be had any more: what a
    block leaves behind must not change for whoever has kept it.

    Args:
        pool: the pool, which will move on.
        window: its past, which will grow.
        head: the block.
        newest: gives the newest block.
    """

    __slots__ = ("_head", "_history", "_newest", "_pool", "_state", "_window", "sqrt_price_x96", "tick")

    def __init__(self, pool: Pool, window: Window, head: Block, newest: Callable[[], Block]) -> None:
        self.tick = pool.tick
        self.sqrt_price_x96 = pool.sqrt_price_x96
        self._pool = pool
        self._window = window
        self._head = head
        self._newest = newest
        self._state: FrozenPool | FrozenPair | None = None
        self._history: tuple[Observation, ...] | None = None

    @property
    def state(self) -> FrozenPool | FrozenPair:
        """The pool as it stood.

        Raises:
            PassedError: where nobody has asked for it while the block was the newest.
        """
        if self._state is None:
            self._require_newest()
            self._state = freeze(self._pool)
        return self._state

    @property
    def history(self) -> tuple[Observation, ...]:
        """One row a block up to this one, the newest last.

        Raises:
            PassedError: as for `state`.
        """
        if self._history is None:
            self._require_newest()
            self._history = tuple(self._window)
        return self._history

    def _require_newest(self) -> None:
        if self._newest() is not self._head:
            raise PassedError(
                f"block {self._head.number} has passed: look at a context while deciding, keep none"
            )
