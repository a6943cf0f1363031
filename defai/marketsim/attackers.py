"""The sandwich attacker: buys before a swap that tolerates slippage, lets it pay the worse price, then sells.

It earns the victim's impact on what it holds in between, about its size over the depth, and pays the pool's fee twice.
So only swaps larger than twice the fee times the depth are worth it: with the default market, above 55,000 USD in the
0.05 % tier, however much slippage they allow. Whoever trades less is left alone, as on mainnet.
"""

from dataclasses import dataclass

from defai.amm import MAX_SQRT_RATIO, MIN_SQRT_RATIO, Pool
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.marketsim.actions import MarketSwap
from defai.marketsim.reference import Reference


@dataclass(frozen=True, slots=True)
class PendingSwap:
    """A swap that others can see before it is in a block."""

    pool: Address
    zero_for_one: bool
    amount_in: int
    amount_out_minimum: int


@dataclass(frozen=True, slots=True)
class Sandwich:
    """What an attack does to everyone. Amounts in smallest units of the side they are on.

    Attributes:
        amount_in: what the attacker sells first, of the token that the victim sells.
        amount_between: what he gets for it, and sells after the victim.
        amount_back: what he gets back in the end.
        victim_out: what the victim gets.
    """

    amount_in: int
    amount_between: int
    amount_back: int
    victim_out: int

    @property
    def profit(self) -> int:
        """What the attacker has more of in the end, before gas; in the token that the victim sells."""
        return self.amount_back - self.amount_in


def largest_front_run(pool: Pool, victim: PendingSwap, most: int) -> int:
    """The largest amount sold before the victim's swap that leaves it its minimum; found by halving.

    What the victim gets falls as more is sold before it, so the greatest amount that leaves it the minimum is where
    the minimum is met. 0 where even one unit is too much.
    """
    low, high = 0, most
    if _victim_out(pool, victim, most) >= victim.amount_out_minimum:
        return most
    while high - low > 1:
        middle = (low + high) // 2
        if _victim_out(pool, victim, middle) >= victim.amount_out_minimum:
            low = middle
        else:
            high = middle
    return low


def sandwich(pool: Pool, victim: PendingSwap, most: int) -> Sandwich | None:
    """Work an attack out with at most `most` of the victim's token; None where the victim leaves no room.

    The front-run is the largest that leaves the victim its minimum, or, where fees on so much eat the gain, the best
    of its halves, quarters and so on. A swap that gets less than its minimum even undisturbed is left alone: it
    reverts by itself.
    """
    if _victim_out(pool, victim, 0) < victim.amount_out_minimum:
        return None
    best, amount_in = None, largest_front_run(pool, victim, most)
    while amount_in:
        plan = _plan(pool, victim, amount_in)
        if best is not None and plan.profit <= best.profit:
            break
        best, amount_in = plan, amount_in // 2
    return best


def _plan(pool: Pool, victim: PendingSwap, amount_in: int) -> Sandwich:
    scratch = pool.copy()
    between = _sell(scratch, amount_in, zero_for_one=victim.zero_for_one)
    victim_out = _sell(scratch, victim.amount_in, zero_for_one=victim.zero_for_one)
    back = _sell(scratch, between, zero_for_one=not victim.zero_for_one) if between else 0
    return Sandwich(amount_in, between, back, victim_out)


def _sell(pool: Pool, amount_in: int, *, zero_for_one: bool) -> int:
    result = pool.swap(zero_for_one=zero_for_one, amount_specified=amount_in)
    return -result.amount1 if zero_for_one else -result.amount0


def _victim_out(pool: Pool, victim: PendingSwap, amount_before: int) -> int:
    scratch = pool
    if amount_before:
        scratch = pool.copy()
        scratch.swap(zero_for_one=victim.zero_for_one, amount_specified=amount_before)
        if scratch.sqrt_price_x96 in {MIN_SQRT_RATIO + 1, MAX_SQRT_RATIO - 1}:
            return -1
    result = scratch.quote(zero_for_one=victim.zero_for_one, amount_specified=victim.amount_in)
    return -result.amount1 if victim.zero_for_one else -result.amount0


@dataclass(frozen=True, slots=True)
class SandwichAttacker:
    """Attacks the swaps it is shown, where that pays for fees and gas.

    Attributes:
        capital_raw: the most it puts in, in the quote token's smallest unit.
        gas: gas of both its swaps together.
    """

    capital_raw: int
    gas: int = 240_000

    @property
    def name(self) -> str:
        """Its account."""
        return "sandwicher"

    def attack(
        self, victim: PendingSwap, key: PoolKey, pool: Pool, reference: Reference, base_fee_wei: int
    ) -> tuple[MarketSwap, MarketSwap] | None:
        """The swaps right before and right after the victim's; None where it doesn't pay.

        Args:
            victim: the pending swap.
            key: its pool.
            pool: the state the victim's swap would meet; it stays as it is.
            reference: what profit is measured by.
            base_fee_wei: what gas costs.
        """
        sells_quote = key.token(zero=victim.zero_for_one) == reference.quote
        most = self.capital_raw if sells_quote else reference.base_raw(key, self.capital_raw)
        plan = sandwich(pool, victim, most)
        if plan is None:
            return None
        profits = (plan.profit, 0) if victim.zero_for_one else (0, plan.profit)
        if reference.value_raw(key, *profits) <= reference.gas_value_raw(self.gas, base_fee_wei):
            return None
        return (
            self._swap(key.address, plan.amount_in, zero_for_one=victim.zero_for_one),
            self._swap(key.address, plan.amount_between, zero_for_one=not victim.zero_for_one),
        )

    def _swap(self, pool: Address, amount_in: int, *, zero_for_one: bool) -> MarketSwap:
        limit = MIN_SQRT_RATIO + 1 if zero_for_one else MAX_SQRT_RATIO - 1
        return MarketSwap(self.name, pool, zero_for_one, amount_in, limit)
