"""What a strategy's process knows of the market: contexts and rows, put together from what is new of them.

The other half of `defai.strategy.isolation.told`. What the strategy is shown is as frozen as in the session.
"""

from array import array
from collections.abc import Sequence
from random import Random
from typing import Any

from defai.amm import PairPool, Pool
from defai.domain.chain_events import Block
from defai.domain.pool import PoolKey
from defai.errors import ConfigError
from defai.features.spec import FeatureSpec
from defai.features.stream import FeatureStream
from defai.market.glimpse import Glimpse
from defai.market.state import WINDOW_BLOCKS
from defai.market.window import Observation, Window
from defai.strategy.api import Context, Outcome
from defai.strategy.isolation.told import PLAIN, ContextTold, PoolTold, Rows, parts_of
from defai.strategy.pool_view import GlimpsedPoolView


class Mirror:
    """The strategy's pools as of the block that was told last."""

    def __init__(self) -> None:
        self._keys: dict[int, PoolKey] = {}
        self._pools: dict[int, Pool] = {}
        self._windows: dict[int, Window] = {}
        self._outcomes: tuple[Outcome, ...] = ()
        self._streams: dict[str, FeatureStream] = {}
        self._head = Block(0, "", "", 0, 0)
        self.context: Context | None = None

    def contemplate(self, told: ContextTold | None) -> Context:
        """The context that is meant; the last one again for None, its dice as they lie."""
        if told is None:
            assert self.context is not None  # noqa: S101  the asker has told it before
            return self.context
        plain = told.plain
        # Whoever has kept an older context finds that its block has passed.
        self._head = Block(plain["block_number"], "", "", plain["timestamp"], plain["base_fee_wei"])
        if told.outcomes is not None:
            self._outcomes = told.outcomes
        words, spare, version = told.dice
        dice = Random()  # noqa: S311  a strategy's draw, not a secret
        dice.setstate((version, tuple(array("Q", words)), spare))
        views = tuple(self._view(index, pool) for index, pool in enumerate(told.pools))
        self.context = Context(**plain, pools=views, rng=dice, outcomes=self._outcomes)
        return self.context

    def features(self, names: Sequence[str], told: Sequence[Rows]) -> list[dict[str, Any]]:
        """The author's own features as of the newest row, each for itself: a value, or why there is none."""
        windows = [self._rows(index, rows) for index, rows in enumerate(told)]
        return [self._feature(name, windows) for name in names]

    def _feature(self, name: str, windows: Sequence[Window]) -> dict[str, Any]:
        try:
            stream = self._streams.get(name)
            if stream is None:
                stream = self._streams[name] = FeatureStream(FeatureSpec.of((name,)))
            row = stream.row(windows)
        except BaseException as error:  # noqa: BLE001  an author's code may raise anything
            self._streams.pop(name, None)  # what was summed up is half done
            return {"raised": f"raised {type(error).__name__}: {error}"[:2_000]}
        return {"value": row.values[0] if row else None}

    def _view(self, index: int, told: PoolTold) -> GlimpsedPoolView:
        if told.key is not None:
            self._keys[index] = told.key
            self._pools.pop(index, None)
        window = self._rows(index, told.rows)
        pool = self._pools.get(index)
        if told.reserves is not None:
            pool = PairPool(*told.reserves)
        else:
            if pool is None:
                key = self._keys[index]
                pool = Pool(fee_pips=key.fee_pips, tick_spacing=key.tick_spacing)
            _brought_up(pool, told)
        self._pools[index] = pool
        head = self._head
        return GlimpsedPoolView(self._keys[index], Glimpse(pool, window, head, lambda: self._head))

    def _rows(self, index: int, told: Rows) -> Window:
        window = self._windows.get(index)
        if window is None or told.kept < min(len(window), WINDOW_BLOCKS - len(told.fresh)):
            kept = window[len(window) - told.kept :] if window is not None and told.kept else ()
            window = self._windows[index] = Window(WINDOW_BLOCKS, (*kept, *told.fresh))
        else:
            for row in told.fresh:
                window.append(row)
        return window


def table_of(names: Sequence[str], histories: Sequence[Sequence[Observation]]) -> list[dict[str, Any]]:
    """The author's own features as of every row of a history, and the rows of which each is not known.

    Where one fails there is one entry, which says so as the session would.
    """
    from defai.features.table import compute_table  # noqa: PLC0415  numpy, only where a history is asked about

    found: list[dict[str, Any]] = []
    for name in names:
        try:
            table = compute_table(histories, FeatureSpec.of((name,)))
        except ConfigError as error:
            return [{"refused": error.sentence, "hint": error.hint}]
        unknown = (~table.ready).nonzero()[0].tolist()
        found.append({"values": table.values[:, 0].tolist(), "unknown": unknown})
    return found


def _brought_up(pool: Pool, told: PoolTold) -> None:
    for name, value in zip(PLAIN, told.plain, strict=True):
        setattr(pool, name, value)
    for part, changes in zip(parts_of(pool), told.parts, strict=True):
        for key in changes.gone:
            del part[key]
        part.update(changes.put)
    put, count, index, cardinality = told.observations
    oracle = pool.oracle
    if len(oracle.observations) != count:
        oracle.observations = [put[at] for at in range(count)]
    else:
        for at, observation in put.items():
            oracle.observations[at] = observation
    oracle.index, oracle.cardinality = index, cardinality
