"""Bars that nobody acts upon, many at once: where they take the pool, and what a portfolio is worth after each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from defai.amm import Pool, get_sqrt_ratio_at_tick
from defai.amm.limbs.arrays import Integers, PoolArrays, Words
from defai.amm.limbs.compiler import compiled_beside
from defai.amm.limbs.ticks import CACHE_SIZE, NO_TICK
from defai.amm.packing import load, pack, store
from defai.domain.position import Position
from defai.domain.tokens import Address
from defai.market.bars import MinuteBars
from defai.market.valuation import Valuation
from defai.portfolio.ledger import Portfolio
from defai.worlds.bar_words import BOOK_AMOUNTS, POSITION_WORDS, VALUES, BarColumns, Books

FUNCTIONS: Final = ("defai.worlds.bar_words",)
"""What has to be compiled."""


@dataclass(frozen=True, slots=True)
class Payment:
    """Gas that is paid when a bar has happened.

    Attributes:
        at: the bar, counted from the first one that is looked at.
        amount_raw: of the token that gas is counted in.
    """

    at: int
    amount_raw: int


class BarPath:
    """The way that bars take a pool: one pool, which only bars change after its portfolio was looked at.

    Args:
        bars: all bars.
        valuation: what tokens are worth, by this pool.

    Raises:
        ImportError: where nothing can be compiled.
    """

    def __init__(self, bars: MinuteBars, valuation: Valuation) -> None:
        self._follow = compiled_beside(*FUNCTIONS)["follow_and_value"]
        self._valuation = valuation
        self._columns = BarColumns(
            bars.timestamps, bars.close_tick, bars.amount0_in, bars.amount1_in, bars.liquidity
        )
        self._ahead: tuple[int, int, PoolArrays, PoolArrays] | None = None
        self._nothing = self._books_of([0] * BOOK_AMOUNTS, (), (), ())
        self._known_ticks = np.full(CACHE_SIZE, NO_TICK, dtype=np.int64)
        self._known_ratios = np.zeros((CACHE_SIZE, 3), dtype=np.uint64)

    def carry(self, pool: Pool, first: int, count: int) -> None:
        """Let bars happen to a pool, as `defai.worlds.bar_pool.BarPool.follow` does one by one.

        Args:
            pool: a bar pool's, before bar `first`.
            first: the first of them.
            count: how many.
        """
        if self._ahead is not None and self._ahead[:2] == (first, count):
            _, _, arrays, before = self._ahead
        else:
            arrays, before = self._loaded(pool), load(pool)
            self._let_happen(arrays, self._nothing, first, count)
        self._ahead = None
        store(arrays, before, pool)

    def worths(
        self, pool: Pool, portfolio: Portfolio, first: int, count: int, payments: Sequence[Payment] = ()
    ) -> Words | None:
        """What a portfolio is worth after each of some bars, as long as nothing but gas changes it.

        Args:
            pool: the pool before bar `first`; not changed.
            portfolio: what is held then.
            first: the first bar.
            count: how many.
            payments: gas that is paid meanwhile, in order.

        Returns:
            A row for each bar, its columns as `defai.worlds.bar_words` names them, two words each; as many rows as
            there are before some worth is too large to be summed in two words. None where the portfolio itself has no
            such form: then `defai.portfolio.pnl.value` has to say.
        """
        try:
            books = self._books(pool, portfolio, payments)
        except (OverflowError, KeyError):
            return None
        arrays = self._loaded(pool)
        values = self._let_happen(arrays, books, first, count)
        self._ahead = (first, count, arrays, load(pool)) if len(values) == count else None
        return values

    def _let_happen(self, arrays: PoolArrays, books: Books, first: int, count: int) -> Words:
        values, done = np.empty((count, 2 * VALUES), dtype=np.uint64), np.zeros(1, dtype=np.int64)
        self._follow(arrays, self._columns, books, first, values, done)
        return values[: int(done[0])]

    def _loaded(self, pool: Pool) -> PoolArrays:
        return load(pool)._replace(known_ticks=self._known_ticks, known_ratios=self._known_ratios)

    def _books(self, pool: Pool, portfolio: Portfolio, payments: Sequence[Payment]) -> Books:
        valuation, key = self._valuation, self._valuation.key
        tokens = (key.token0.address, key.token1.address)
        amounts = [
            *_amounts(portfolio.balances, tokens),
            *_amounts(portfolio.initial, tokens),
            *_amounts(portfolio.fees_collected, tokens),
            10**valuation.base.decimals,
            portfolio.gas_numeraire_raw,
        ]
        rows = {tick: row for row, tick in enumerate(sorted(pool.ticks))}
        positions = [self._position(position) for position in portfolio.positions]
        bounds = [
            (rows[p.tick_lower], rows[p.tick_upper]) if p.liquidity else (0, 0) for p in portfolio.positions
        ]
        return self._books_of(amounts, positions, bounds, payments)

    def _books_of(
        self,
        amounts: list[int],
        positions: Sequence[Words],
        bounds: Sequence[tuple[int, int]],
        payments: Sequence[Payment],
    ) -> Books:
        valuation = self._valuation
        return Books(
            amounts=pack(_summable(amounts), 2),
            positions=np.array(positions, dtype=np.uint64).reshape(-1, POSITION_WORDS),
            bounds=np.array(bounds, dtype=np.int64).reshape(-1, 2),
            base_is_zero=_flag(set_=valuation.base == valuation.key.token0),
            payments=np.array([payment.at for payment in payments], dtype=np.int64),
            paid=pack(_summable([payment.amount_raw for payment in payments]), 2),
            paid_in_base=_flag(set_=valuation.ether == valuation.base),
            sums=np.zeros((5 + 2 * len(positions), 4), dtype=np.uint64),
        )

    def _position(self, position: Position) -> Words:
        if position.pool != self._valuation.key.address:
            raise KeyError(position.pool)
        bounds = get_sqrt_ratio_at_tick(position.tick_lower), get_sqrt_ratio_at_tick(position.tick_upper)
        parts = [
            pack([position.liquidity], 2),
            pack([position.fee_growth_inside0_x128, position.fee_growth_inside1_x128], 4),
            pack(_summable([position.tokens_owed0, position.tokens_owed1]), 2),
            pack(bounds, 3),
        ]
        return np.concatenate([part.ravel() for part in parts])


def _amounts(held: Mapping[Address, int], tokens: tuple[Address, Address]) -> tuple[int, int]:
    strange = next((token for token, amount in held.items() if amount and token not in tokens), None)
    if strange is not None:
        raise KeyError(strange)
    return held.get(tokens[0], 0), held.get(tokens[1], 0)


def _summable(amounts: list[int]) -> list[int]:
    """The amounts, if many of them can be summed in two words."""
    if not all(0 <= amount < 1 << 120 for amount in amounts):
        raise OverflowError("an amount is negative, or too large to be summed in two words")
    return amounts


def _flag(*, set_: bool) -> Integers:
    return np.array([int(set_)], dtype=np.int64)
