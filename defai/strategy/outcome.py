"""What came of a decision, as a strategy is told it."""

from dataclasses import dataclass

from defai.domain.decisions import Action, Decision, Execution, ExecutionStatus
from defai.domain.position import Position
from defai.domain.tokens import Address, Token


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one of the agent's own decisions: of one whose transaction stands in a block, filled or reverted.

    It holds what the chain itself tells, so that whoever verifies a decision later is told the same.

    Attributes:
        decided_block: the block decided upon; `block_number` is the one the transaction stands in.
        action: what was to be done.
        filled: whether it was done; False where the transaction reverted, which costs gas and moves nothing.
        token_deltas: change of the vault's balance by token address, in smallest units.
        opened: positions opened or changed, as they stand after it; `closed` are those that are gone.
        gas_used: gas it took; `gas_raw` is its worth, in the numeraire's smallest unit.
    """

    decided_block: int
    block_number: int
    action: Action
    filled: bool
    token_deltas: tuple[tuple[Address, int], ...]
    opened: tuple[Position, ...]
    closed: tuple[int, ...]
    gas_used: int
    gas_raw: int

    def delta(self, token: Token) -> int:
        """How the vault's balance of a token changed, in its smallest unit; negative is what was spent."""
        return sum(change for address, change in self.token_deltas if address == token.address)


def outcome_of(decision: Decision, execution: Execution, gas_raw: int) -> Outcome | None:
    """What a strategy is told of an execution; None where no block has its transaction.

    Args:
        decision: what was decided.
        execution: what came of it.
        gas_raw: worth of its gas, in the numeraire's smallest unit.
    """
    if execution.status is ExecutionStatus.REFUSED:
        return None
    return Outcome(
        decided_block=decision.block_number,
        block_number=execution.block_number,
        action=decision.action,
        filled=execution.status is ExecutionStatus.FILLED,
        token_deltas=execution.token_deltas,
        opened=execution.opened,
        closed=execution.closed,
        gas_used=execution.gas_used,
        gas_raw=gas_raw,
    )
