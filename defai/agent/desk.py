"""An agent's desk: its money, its limits, and the pure steps from an intent to a guarded plan."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Final, NamedTuple

from defai.agent import gas
from defai.agent.planning import PlanError, PlannedSwap, Planner
from defai.agent.ports import Settlement
from defai.agent.turnover import Turnover
from defai.audit.record import action_digest
from defai.domain.decisions import (
    ZERO_DIGEST,
    Execution,
    ExecutionStatus,
    Plan,
    Verdict,
    VerdictStatus,
)
from defai.domain.intents import Hold, Intent
from defai.domain.operations import Call, Operation, SwapExactInput
from defai.domain.tokens import Address
from defai.market.average import average_tick, bounding_pool, least_output
from defai.market.state import MarketState
from defai.market.swap_cost import cost_of_transaction
from defai.market.valuation import Valuation
from defai.portfolio.attribution import Attribution, Moment, Parts
from defai.portfolio.ledger import Portfolio
from defai.portfolio.pnl import Valued, value
from defai.risk.guard import Exposure, clip, judge
from defai.risk.limits import Limits

_DOUBT: Final = 1e-9
"""Nearer to the limit than this a Decimal says whether a fall is over it; further away a float does, sooner."""


class Moves(NamedTuple):
    """What a plan's swaps sell: when it was decided, and the worth of each in the numeraire's smallest unit."""

    timestamp: int
    worths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, and the plan it let through, or lets through once the owner has approved; else no plan.

    Attributes:
        exposure: what the plan means, where it was measured.
        moves: what its swaps sell.
    """

    verdict: Verdict
    plan: Plan | None = None
    exposure: Exposure | None = None
    moves: Moves | None = None


class Desk:
    """Values, plans and guards for one agent.

    Args:
        encode: how the agent's world turns operations into its vault's calls.

    Attributes:
        witness: told of every settlement and of the worth of its gas, where somebody wants to know.
        turnover: what was swapped within a day.
        attribution: says where the gain came from, once somebody had it counted by `count_parts`.
    """

    def __init__(
        self,
        market: MarketState,
        valuation: Valuation,
        portfolio: Portfolio,
        limits: Limits,
        encode: Callable[[Sequence[Operation]], tuple[Call, ...]],
    ) -> None:
        self.market = market
        self.valuation = valuation
        self.portfolio = portfolio
        self.limits = limits
        self._encode = encode
        self.turnover = Turnover()
        self.witness: Callable[[Settlement, int], None] | None = None
        self.attribution: Attribution | None = None
        self.start_counting()

    def start_counting(self) -> None:
        """Count gains, and the fall from the highest equity, from now on."""
        self.initial_raw = self.valued().hodl_raw
        self._peak_raw = self.initial_raw
        if self.attribution is not None:
            self.count_parts()

    def count_parts(self) -> None:
        """From now on keep count of where the gain comes from."""
        self.attribution = Attribution(self.initial_raw)
        self.attribution.look(self._moment(self.valued()))

    def parts(self, valued: Valued) -> Parts | None:
        """Where the gain came from, up to the newest block; None where nobody had it counted."""
        return self.attribution.look(self._moment(valued)) if self.attribution is not None else None

    def worth(self, token: Address, amount_raw: int) -> int:
        """Worth in the numeraire's smallest unit, at the pricing pool's present price."""
        return self.valuation.worth_raw(self.market.pools[self.valuation.key.address], token, amount_raw)

    def valued(self) -> Valued:
        """The portfolio at present prices."""
        valuation, market = self.valuation, self.market
        worth = valuation.worths_at(market.pools[valuation.key.address].sqrt_price_x96)
        return value(self.portfolio, market.pools, market.keys, worth, valuation.numeraire.address)

    def gas_raw(self, gas_units: int, fee_wei: int) -> int:
        """Worth of gas in the numeraire's smallest unit; see `Valuation.ether`."""
        pool = self.market.pools[self.valuation.key.address]
        return gas.worth_raw(self.valuation, pool.sqrt_price_x96, gas_units, fee_wei)

    @property
    def peak_raw(self) -> int:
        """The highest equity so far."""
        return self._peak_raw

    @peak_raw.setter
    def peak_raw(self, equity_raw: int) -> None:
        self._peak_raw = equity_raw

    def drawdown(self, equity_raw: int) -> Decimal:
        """Fall from the highest equity so far, 0..1; moves the high-water mark."""
        self._peak_raw = max(self._peak_raw, equity_raw)
        return self.fall(equity_raw)

    def fall(self, equity_raw: int) -> Decimal:
        """As `drawdown`, where the mark stays: whoever only looks must not change what is decided."""
        peak = max(self._peak_raw, equity_raw)
        return 1 - Decimal(equity_raw) / peak if peak > 0 else Decimal(0)

    def judge(self, intent: Intent, valued: Valued) -> Judged:
        """Work an intent out and measure it against the limits."""
        if isinstance(intent, Hold):
            return Judged(Verdict(VerdictStatus.APPROVED, intent))
        try:
            operations, planner = self._plan(intent)
            smaller = clip(intent, self._usd(self._swapped_raw(planner)), self.limits)
            clipped = smaller is not intent
            if clipped:
                operations, planner = self._plan(smaller)
        except PlanError as error:
            return Judged(Verdict(VerdictStatus.DENIED, intent, (), str(error)))
        far = self._far_from_average(planner)
        if far:
            return Judged(Verdict(VerdictStatus.DENIED, smaller, (), far))
        exposure = self._exposure(operations, planner, valued)
        verdict = judge(smaller, exposure, self.limits, clipped=clipped)
        if verdict.status is VerdictStatus.DENIED:
            return Judged(verdict, exposure=exposure)
        calls = self._encode(operations)
        plan = Plan(smaller, operations, calls, action_digest(calls), gas.estimate(operations))
        return Judged(verdict, plan, exposure, self._moves(operations))

    def settle(self, settlement: Settlement, gas_raw: int) -> None:
        """Fold what came of a submission into the portfolio."""
        execution = settlement.execution or Execution(
            agent="",
            decision_digest=ZERO_DIGEST,
            status=ExecutionStatus.FILLED,
            block_number=settlement.block_number,
            transaction_hash=settlement.transaction_hash or "",
            gas_used=settlement.gas_used,
            gas_cost_wei=settlement.gas_cost_wei,
        )
        self.portfolio = self.portfolio.apply(execution, gas_raw)
        if execution.status is ExecutionStatus.REFUSED:
            self.turnover.take_back()
        if self.attribution is not None and settlement.execution is not None and settlement.landed:
            self._count_swaps(settlement)
        if self.witness is not None:
            self.witness(settlement, gas_raw)

    def _count_swaps(self, settlement: Settlement) -> None:
        """What the swaps of a settlement in the newest block cost; a plan without swaps cost nothing."""
        if self.attribution is None or not self.turnover.is_swapping:
            return
        here = settlement.block_number == self.market.head.number
        transaction = settlement.transaction_hash
        cost = cost_of_transaction(self.market, self.valuation, transaction) if here and transaction else None
        self.attribution.swapped(cost)

    def _moves(self, operations: Sequence[Operation]) -> Moves:
        """What swaps sell, at the newest block's price."""
        keys = self.market.keys
        worths = tuple(
            self.worth(keys[swap.pool].token(zero=swap.zero_for_one).address, swap.amount_in)
            for swap in operations
            if isinstance(swap, SwapExactInput)
        )
        return Moves(self.market.head.timestamp, worths)

    def moved(self, moves: Moves | None) -> None:
        """Count what a plan's swaps sell into the day's turnover, as of the block it was decided upon."""
        if moves is not None:
            self.turnover.move(moves.timestamp, moves.worths)

    def turnover_raw(self) -> int:
        """Worth of the swaps of the last day, up to the newest block."""
        return self.turnover.raw(self.market.head.timestamp)

    def _moment(self, valued: Valued) -> Moment:
        base, keys = self.valuation.base.address, self.market.keys
        return Moment(
            timestamp=self.market.head.timestamp,
            valued=valued,
            balance=self.portfolio.balances.get(base, 0),
            base=base,
            base_is_zero=self.valuation.key.token0.address == base,
            pools=self.market.pools,
            keys=keys,
            worth=self.worth,
        )

    def _plan(self, intent: Intent) -> tuple[tuple[Operation, ...], Planner]:
        planner = Planner(self.market.pools, self.market.keys, self.portfolio, self.limits.max_slippage_bps)
        return planner.plan(intent), planner

    def _far_from_average(self, planner: Planner) -> str:
        """Why the vault would refuse the plan for its distance from the average price; empty where it would not.

        The plan is carried out in the next block, which is taken to come as long after the newest one as that one did
        after the block before it. Where the pool has not been watched for long enough, the vault has the last word.
        """
        limits = self.limits
        if not limits.twap_seconds:
            return ""
        means: dict[Address, int | None] = {}

        def mean(pool: Address) -> int | None:
            if pool not in means:
                window = self.market.windows[pool]
                gap = window[-1].timestamp - window[-2].timestamp if len(window) > 1 else 0
                at = self.market.head.timestamp + gap
                means[pool] = average_tick(window, limits.twap_seconds, at)
            return means[pool]

        deviation = limits.max_average_deviation_bps
        for planned in planner.swaps:
            swap = planned.operation
            if (bounding := bounding_pool(self.market.keys, swap.pool)) is None:
                return "sells in a pair of tokens that no other pool has, whose average would bound it"
            if (tick := mean(bounding)) is None:
                continue
            least = least_output(tick, deviation, swap.amount_in, zero_for_one=swap.zero_for_one)
            if swap.amount_out_minimum < least:
                return f"accepts more than {deviation} bp below the average of {limits.twap_seconds} s"
        for pool, _, _ in planner.liquidity_moved:
            if (tick := mean(pool)) is not None and abs(self.market.pools[pool].tick - tick) > deviation:
                return f"moves liquidity more than {deviation} bp from the average of {limits.twap_seconds} s"
        return ""

    def _usd(self, amount_raw: int) -> Decimal:
        return self.valuation.numeraire.to_decimal(amount_raw)

    def _swapped_raw(self, planner: Planner) -> int:
        total = 0
        for swap in planner.swaps:
            token = self.market.keys[swap.operation.pool].token(zero=swap.operation.zero_for_one)
            total += self.worth(token.address, swap.operation.amount_in)
        return total

    def _exposure(self, operations: tuple[Operation, ...], planner: Planner, valued: Valued) -> Exposure:
        head = self.market.head
        swapped = self._swapped_raw(planner)
        liquidity = 0
        for address, amount0, amount1 in planner.liquidity_moved:
            key = self.market.keys[address]
            liquidity += self.worth(key.token0.address, amount0) + self.worth(key.token1.address, amount1)
        return Exposure(
            swap_usd=self._usd(swapped),
            impact_bps=Decimal(max((swap.impact_bps for swap in planner.swaps), default=0.0)).quantize(
                Decimal("0.001"), ROUND_CEILING
            ),
            gas_usd=self._usd(self.gas_raw(gas.estimate(operations), head.base_fee_wei + gas.TIP_WEI)),
            base_share_after=self._base_share_after(planner, valued),
            turnover_usd=self._usd(self.turnover_raw()),
            drawdown=self.drawdown(valued.equity_raw),
            moved_usd=self._usd(swapped + liquidity),
            swap_cost_usd=self._usd(sum(self._cost_raw(swap) for swap in planner.swaps)),
        )

    def _cost_raw(self, swap: PlannedSwap) -> int:
        """What a swap gives up as quoted: the pool's fee, and on what is left of it the price impact."""
        key = self.market.keys[swap.operation.pool]
        sold = key.token(zero=swap.operation.zero_for_one).address
        kept = (1 - Decimal(key.fee_pips) / 1_000_000) * (1 - Decimal(swap.impact_bps) / 10_000)
        return int(self.worth(sold, swap.operation.amount_in) * (1 - kept))

    def _base_share_after(self, planner: Planner, valued: Valued) -> Decimal | None:
        bought = 0
        for swap in planner.swaps:
            key = self.market.keys[swap.operation.pool]
            sold = key.token(zero=swap.operation.zero_for_one)
            worth = self.worth(sold.address, swap.operation.amount_in)
            bought += worth if sold == self.valuation.numeraire else -worth
        equity = valued.equity_raw + valued.gas_raw
        if bought <= 0 or equity <= 0:
            return None
        return Decimal(valued.base_raw + bought) / equity


def fall_over_limit(desk: Desk, equity_raw: int) -> Decimal | None:
    """The fall from the highest equity so far where it is over the limit, else None; moves the high-water mark."""
    peak, limit = max(desk.peak_raw, equity_raw), desk.limits.max_drawdown
    if peak > 0 and (peak - equity_raw) / peak < float(limit) - _DOUBT:
        desk.peak_raw = peak
        return None
    fall = desk.drawdown(equity_raw)
    return fall if fall > limit else None
