"""A pool as a strategy sees it: how it stands, where it came from, and what a swap in it would give."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from defai.amm import Pool
from defai.domain.pool import PoolKey
from defai.domain.position import Position
from defai.domain.tokens import Token
from defai.market.glimpse import Glimpse
from defai.market.window import Observation
from defai.portfolio.pnl import contents, owed_by


@dataclass(frozen=True, slots=True)
class Quote:
    """What a swap would give now, exactly: the pool's own arithmetic on its present state. Gas is not in it.

    Attributes:
        amount_in_raw: what the pool would take (less than offered where liquidity ends).
        amount_out_raw: what it would give.
        cost_bps: fee and impact together, against the price before the swap, in basis points.
        fee_raw: the pool's fee, in the smallest unit of the token that goes in.
        impact_raw: what the swap's own push on the price costs, in the smallest unit of the token that comes out.
    """

    amount_in_raw: int
    amount_out_raw: int
    sqrt_price_after_x96: int
    cost_bps: float
    fee_raw: int = 0
    impact_raw: int = 0


@dataclass(frozen=True, slots=True)
class PoolView:
    """A pool as it stands after the block decided upon, with its recent past. Reading never changes it.

    Attributes:
        key: which pool it is: its address, tokens, fee and tick spacing.
        state: the pool itself; of most use are `liquidity` and `ticks`. It cannot be changed; `state.copy()` can.
        history: one row a block, the newest last; `history[-1]` is the block decided upon, `history[-10:]` ten blocks.
    """

    key: PoolKey
    state: Pool
    history: Sequence[Observation]

    @property
    def tick(self) -> int:
        """The current tick: log base 1.0001 of token1 per token0, in smallest units, rounded down."""
        return self.state.tick

    @property
    def sqrt_price_x96(self) -> int:
        """The current price's square root: of token1 per token0, in smallest units, Q64.96."""
        return self.state.sqrt_price_x96

    @property
    def fee_bps(self) -> float:
        """The swap fee in basis points."""
        return self.key.fee_pips / 100

    def sells_zero(self, sold: Token) -> bool:
        """Whether selling a token here is `zero_for_one`.

        Raises:
            ValueError: where the pool has no such token.
        """
        if sold not in {self.key.token0, self.key.token1}:
            raise ValueError(f"{self.key.name} has no {sold.symbol}")
        return sold == self.key.token0

    def quote(self, *, zero_for_one: bool, amount_in_raw: int) -> Quote:
        """Quote an exact-input swap against the present state.

        Raises:
            ValueError: where the amount is not positive.
        """
        if amount_in_raw <= 0:
            raise ValueError("a quote needs a positive amount in")
        before = self.state.sqrt_price_x96
        result = self.state.quote(zero_for_one=zero_for_one, amount_specified=amount_in_raw)
        paid, got = (result.amount0, -result.amount1) if zero_for_one else (result.amount1, -result.amount0)
        fair = _at(before, paid, zero_for_one=zero_for_one)
        cost = (fair - got) * 10_000 / fair if fair else 0.0
        impact = _at(before, paid - result.fee_amount, zero_for_one=zero_for_one) - got
        return Quote(paid, got, result.sqrt_price_x96, cost, result.fee_amount, max(impact, 0))

    def contents(self, position: Position) -> tuple[int, int]:
        """Token0 and token1 that a position's liquidity would give if withdrawn now, in smallest units."""
        return contents(self.state, position)

    def owed(self, position: Position) -> tuple[int, int]:
        """Token0 and token1 that a position could collect now: its fees, in smallest units."""
        return owed_by(self.state, position)


class GlimpsedPoolView(PoolView):
    """A view that copies the pool, and its past, when they are looked at."""

    __slots__ = ("_glimpse",)
    _glimpse: Glimpse

    def __new__(cls, *_: object, **named: Any) -> Any:  # noqa: ANN401  what `dataclasses.replace` gives it
        """A plain view where one is made from all of a view's fields."""
        return PoolView(**named) if named else super().__new__(cls)

    def __init__(self, pool_key: PoolKey, glimpse: Glimpse) -> None:
        object.__setattr__(self, "key", pool_key)
        object.__setattr__(self, "_glimpse", glimpse)

    @property
    def state(self) -> Pool:
        """As in any view; so below."""
        return self._glimpse.state

    @property
    def history(self) -> Sequence[Observation]:
        """The past."""
        return self._glimpse.history

    @property
    def tick(self) -> int:
        """The tick."""
        return self._glimpse.tick

    @property
    def sqrt_price_x96(self) -> int:
        """The price's square root."""
        return self._glimpse.sqrt_price_x96

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy is a plain view."""
        return PoolView, (self.key, self.state, self.history)


def _at(sqrt_price_x96: int, amount_in: int, *, zero_for_one: bool) -> int:
    """What an amount is worth in the other token at a square-root price."""
    square = sqrt_price_x96 * sqrt_price_x96
    return (amount_in * square) >> 192 if zero_for_one else (amount_in << 192) // square
