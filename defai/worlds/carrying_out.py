"""Carrying a submission out in memory: what its vault did, what its agent is told, and what the pools would emit."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from eth_hash.auto import keccak

from defai.agent import gas
from defai.agent.ports import Settlement, Submission
from defai.domain.chain_events import LiquidityMinted, PoolEvent, PoolSwapped
from defai.domain.decisions import Execution, ExecutionStatus
from defai.domain.tokens import Address
from defai.market.swap_cost import sold_and_lost
from defai.market.valuation import Valuation
from defai.worlds.position_book import SimRevertError
from defai.worlds.vaults import Outcome, Vaults


@dataclass(slots=True)
class TradeTape:
    """What an agent's plans came to, counted from the pools' events. Worths are in the numeraire's smallest unit.

    Attributes:
        mints: positions opened or added to.
        swap_cost_raw: fee and price impact of its swaps, against the price right before each.
        turnover_raw: worth of what its swaps sold.
    """

    mints: int = 0
    swaps: int = 0
    swap_cost_raw: int = 0
    turnover_raw: int = 0

    def count(self, events: list[PoolEvent], before_x96: Mapping[Address, int], valuation: Valuation) -> None:
        """Count a plan's events.

        Args:
            events: what the pools emitted for it, in order.
            before_x96: the pools' square-root prices before it.
            valuation: what tokens are worth; swaps in pools of other tokens than its own are not valued.
        """
        prices_x96 = dict(before_x96)
        for event in events:
            if isinstance(event, LiquidityMinted):
                self.mints += 1
            elif isinstance(event, PoolSwapped):
                self.swaps += 1
                pricing_x96 = prices_x96[valuation.key.address]
                sold, lost = sold_and_lost(event, prices_x96[event.pool], pricing_x96, valuation)
                self.turnover_raw += sold
                self.swap_cost_raw += lost
                prices_x96[event.pool] = event.sqrt_price_x96


@dataclass(slots=True)
class Till:
    """The gas and the records of a world in memory.

    Attributes:
        records: decisions recorded so far.
        tapes: what came of each agent's plans.
    """

    records: int = 0
    tapes: dict[str, TradeTape] = field(default_factory=dict)

    def carry_out(
        self,
        vaults: Vaults,
        submission: Submission,
        block: tuple[int, int],
        gas_wei: int,
        valuation: Valuation,
    ) -> tuple[Settlement, list[PoolEvent]]:
        """Carry a submission out, all or nothing.

        Args:
            vaults: whose money it is.
            submission: what to do.
            block: number and timestamp of the block it is in.
            gas_wei: what a unit of gas costs in it.
            valuation: what tokens are worth, for the tape.

        Returns:
            What the agent is told, and the pools' events.
        """
        operations = submission.plan.operations if submission.plan else ()
        units = gas.ANCHOR_GAS
        if submission.decision:
            units = gas.estimate(operations, anchors=submission.anchor.count > 0)
        before_x96 = {address: pool.sqrt_price_x96 for address, pool in vaults.book.pools.items()}
        error, outcome = "", Outcome()
        try:
            outcome = vaults.carry_out(submission.agent, operations, block)
        except SimRevertError as revert:
            error = revert.sentence
        self.tapes.setdefault(submission.agent, TradeTape()).count(outcome.events, before_x96, valuation)
        transaction = transaction_of(submission.agent, block[0])
        settlement = Settlement(not error, block[0], transaction, units, units * gas_wei, error=error)
        if submission.decision:
            self.records += not error
            execution = self._execution(submission.agent, submission.decision.digest, settlement, outcome)
            settlement = replace(settlement, execution=execution)
        return settlement, outcome.events

    def _execution(self, agent: str, digest: str, settlement: Settlement, outcome: Outcome) -> Execution:
        return Execution(
            agent=agent,
            decision_digest=digest,
            status=ExecutionStatus.FILLED if settlement.landed else ExecutionStatus.REVERTED,
            block_number=settlement.block_number,
            transaction_hash=settlement.transaction_hash or "",
            token_deltas=_items(outcome.deltas),
            opened=tuple(outcome.opened.values()),
            closed=tuple(outcome.closed),
            record_id=self.records if settlement.landed else None,
            gas_used=settlement.gas_used,
            gas_cost_wei=settlement.gas_cost_wei,
            fees_collected=_items(outcome.fees),
            error=settlement.error,
        )


def transaction_of(agent: str, block_number: int) -> str:
    """Stands for the hash of an agent's transaction: it has one in a block at most."""
    return "0x" + keccak(f"{agent}:{block_number}".encode()).hex()


def _items(amounts: Mapping[Address, int]) -> tuple[tuple[Address, int], ...]:
    return tuple((token, amount) for token, amount in amounts.items() if amount)
