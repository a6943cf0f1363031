"""A Uniswap v2 pair that is read, quoted and folded as a pool is: its curve has the same depth at every price.

A pair knows reserves and no ticks. Its square-root price, tick and liquidity are those of a v3 position over all
prices with the same reserves: sqrt(reserve1 / reserve0), and sqrt(reserve0 * reserve1), both rounded down. What a swap
gives is UniswapV2Library's to the last unit (`defai.amm.v2_pair`), never computed from these.
"""

from math import isqrt
from operator import index
from typing import Final, NoReturn

from defai.amm.errors import AmmRevert, PoolStateError
from defai.amm.pool import Pool
from defai.amm.state import PoolSnapshot
from defai.amm.swap import SwapResult, check_swap
from defai.amm.tick_math import get_tick_at_sqrt_ratio
from defai.amm.v2_pair import get_amount_out

FEE_PIPS: Final = 3_000
"""Of every pair, a hundredth of a basis point each: 0.3 %, of which none grows by itself; the reserves do."""
_TICK_SPACING: Final = 1
_MOST: Final = (1 << 112) - 1
_KEPT: Final = 997
_WHOLE: Final = 1_000


class PairPool(Pool):
    """A pair. Refusals are as of a pool; whatever has to do with positions, ticks and averages is refused.

    Attributes:
        reserve0: token0 it reckons with; 0 before anybody has provided any.
        reserve1: token1 it reckons with.
    """

    __slots__ = ("reserve0", "reserve1")

    def __init__(self, reserve0: int = 0, reserve1: int = 0, timestamp: int = 0) -> None:
        super().__init__(fee_pips=FEE_PIPS, tick_spacing=_TICK_SPACING)
        self.reserve0 = self.reserve1 = 0
        if reserve0 or reserve1:
            self.set_reserves(reserve0, reserve1, timestamp)

    def set_reserves(self, reserve0: int, reserve1: int, timestamp: int | None = None) -> None:
        """Fold an on-chain Sync event in.

        Raises:
            AmmRevert: 'UniswapV2: OVERFLOW' beyond 112 bits, 'UniswapV2Library: INSUFFICIENT_LIQUIDITY' for a reserve
                of nothing.
        """
        now = self.advance(timestamp)
        price_x96, liquidity, tick = _standing(reserve0, reserve1)
        self.reserve0, self.reserve1 = reserve0, reserve1
        self.sqrt_price_x96, self.liquidity, self.tick, self.timestamp = price_x96, liquidity, tick, now

    def provide(self, amount0: int, amount1: int, timestamp: int | None = None) -> tuple[int, int]:
        """Provide liquidity as the router does: both amounts to a new pair, else as much of each as keeps the price.

        Returns:
            Token0 and token1 paid in.

        Raises:
            AmmRevert: what `set_reserves` raises.
        """
        if self.reserve0:
            fitting1 = amount0 * self.reserve1 // self.reserve0
            if fitting1 <= amount1:
                amount1 = fitting1
            else:
                amount0 = amount1 * self.reserve0 // self.reserve1
        self.set_reserves(self.reserve0 + amount0, self.reserve1 + amount1, timestamp)
        return amount0, amount1

    def swap(
        self,
        *,
        zero_for_one: bool,
        amount_specified: int,
        sqrt_price_limit_x96: int | None = None,
        timestamp: int | None = None,
    ) -> SwapResult:
        """Swap an exact input, as the router does.

        Args:
            zero_for_one: whether token0 comes in and token1 goes out.
            amount_specified: what comes in at most.
            sqrt_price_limit_x96: no more comes in than brings the price here. A pair knows no such limit: who sends a
                swap works the amount out beforehand.
            timestamp: the block's time in seconds.

        Raises:
            AmmRevert: 'AS' for a zero amount, 'LOK' for a pair without reserves, 'SPL' for a limit on the wrong side,
                '' for an exact output, 'UniswapV2: OVERFLOW' beyond 112 bits.
        """
        now = self.advance(timestamp)
        result = self.quote(
            zero_for_one=zero_for_one,
            amount_specified=amount_specified,
            sqrt_price_limit_x96=sqrt_price_limit_x96,
        )
        if sqrt_price_limit_x96 is None and max(result.amount0, result.amount1) < index(amount_specified):
            raise AmmRevert("UniswapV2: OVERFLOW")
        self.set_reserves(self.reserve0 + result.amount0, self.reserve1 + result.amount1, now)
        return result

    def quote(
        self, *, zero_for_one: bool, amount_specified: int, sqrt_price_limit_x96: int | None = None
    ) -> SwapResult:
        """What `swap` would do with the same arguments; nothing changes. Of more than a pair can hold, what it can."""
        amount = index(amount_specified)
        check_swap(self, amount, sqrt_price_limit_x96, zero_for_one=zero_for_one)
        if amount < 0:
            raise AmmRevert("", "A swap in a pair is asked for by what goes in.")
        if sqrt_price_limit_x96 is not None:
            amount = min(amount, self.amount_to(sqrt_price_limit_x96, zero_for_one=zero_for_one))
        amount = min(amount, _MOST - (self.reserve0 if zero_for_one else self.reserve1))
        if not amount:
            return SwapResult(0, 0, self.sqrt_price_x96, self.liquidity, self.tick, 0, 0)
        if zero_for_one:
            amounts = amount, -get_amount_out(amount, self.reserve0, self.reserve1)
        else:
            amounts = -get_amount_out(amount, self.reserve1, self.reserve0), amount
        price_x96, liquidity, tick = _standing(self.reserve0 + amounts[0], self.reserve1 + amounts[1])
        return SwapResult(*amounts, price_x96, liquidity, tick, 0, amount - amount * _KEPT // _WHOLE)

    def amount_to(self, sqrt_price_x96: int, *, zero_for_one: bool) -> int:
        """The most that can come in without the price passing a square-root price on the swap's side.

        With x coming in, the price is (1000 r + 997 x)(r + x) / (1000 r s) or its inverse, where r is the reserve of
        what comes in and s the other: a quadratic equation in x.
        """
        reserve, other = (self.reserve0, self.reserve1) if zero_for_one else (self.reserve1, self.reserve0)
        square = sqrt_price_x96 * sqrt_price_x96
        product = reserve * other * _WHOLE
        target = (product << 192) // square if zero_for_one else (product * square) >> 192
        linear = (_WHOLE + _KEPT) * reserve
        inner = linear * linear - 4 * _KEPT * (_WHOLE * reserve * reserve - target)
        return max((isqrt(inner) - linear) // (2 * _KEPT), 0) if inner > 0 else 0

    def replay_swap(
        self,
        *,
        amount0: int,
        amount1: int,
        sqrt_price_x96: int,
        liquidity: int,
        tick: int,
        timestamp: int | None = None,
    ) -> bool:
        """Fold a swap in that happened on the chain.

        Returns:
            Whether it gave what the router would have asked for; a caller of the pair itself may have asked for less.

        Raises:
            PoolStateError: where the reserves afterwards are not the ones the event tells.
            AmmRevert: what `set_reserves` raises.
        """
        before = self.reserve0, self.reserve1
        after = before[0] + amount0, before[1] + amount1
        if _standing(*after) != (sqrt_price_x96, liquidity, tick):
            raise PoolStateError(f"A swap of {amount0} and {amount1} does not lead to the price it tells.")
        self.set_reserves(*after, timestamp)
        received, paid, reserves = (amount0, -amount1, before)
        if amount1 > 0:
            received, paid, reserves = amount1, -amount0, before[::-1]
        return received > 0 and paid == get_amount_out(received, *reserves)

    def snapshot(self) -> PoolSnapshot:
        """The whole state, to come back to with `restore`."""
        plain = super().snapshot()
        return plain._replace(scalars=(*plain.scalars, self.reserve0, self.reserve1))

    def adopt(self, snapshot: PoolSnapshot) -> None:
        """Like `restore`, but the snapshot's parts become the pair's own."""
        super().adopt(snapshot._replace(scalars=snapshot.scalars[:-2]))
        self.reserve0, self.reserve1 = snapshot.scalars[-2:]


def _refuse(*_: object, **__: object) -> NoReturn:
    """Refused: a pair has no positions and no averages.

    Raises:
        AmmRevert: always.
    """
    raise AmmRevert("", "A Uniswap v2 pair has no positions, no ticks and no observations.")


for _name in (
    *("initialize", "mint", "burn", "collect", "flash", "update_liquidity", "replay_liquidity"),
    *("fee_growth_inside", "observe", "mean_tick", "increase_observation_cardinality_next"),
    *("snapshot_cumulatives_inside", "set_fee_protocol", "collect_protocol"),
):
    setattr(PairPool, _name, _refuse)


def pair_of(pool: Pool) -> PairPool:
    """A pool that has to be a pair.

    Raises:
        PoolStateError: where it is none.
    """
    if not isinstance(pool, PairPool):
        raise PoolStateError("It is no pair of Uniswap v2.")
    return pool


def _standing(reserve0: int, reserve1: int) -> tuple[int, int, int]:
    """Square-root price, liquidity and tick of reserves."""
    if reserve0 <= 0 or reserve1 <= 0:
        raise AmmRevert("UniswapV2Library: INSUFFICIENT_LIQUIDITY")
    if reserve0 > _MOST or reserve1 > _MOST:
        raise AmmRevert("UniswapV2: OVERFLOW")
    price_x96 = isqrt((reserve1 << 192) // reserve0)
    return price_x96, isqrt(reserve0 * reserve1), get_tick_at_sqrt_ratio(price_x96)


def worst_average_out(amount_in: int, sqrt_price_x96: int, *, zero_for_one: bool) -> int:
    """What an amount less the pair's fee gives at a square-root price: the least that stands for a price limit."""
    square = sqrt_price_x96 * sqrt_price_x96
    kept = amount_in * _KEPT // _WHOLE
    return (kept * square) >> 192 if zero_for_one else (kept << 192) // square
