"""What an agent owns: a pure fold over its executions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from defai.domain.decisions import Execution
from defai.domain.position import Position
from defai.domain.tokens import Address


@dataclass(frozen=True, slots=True)
class Portfolio:
    """An agent's money and positions after its latest execution.

    Attributes:
        initial: what it started with, by token, in smallest units.
        balances: idle tokens in the vault.
        positions: open positions, oldest first.
        fees_collected: fees collected so far, by token.
        gas_wei: ether spent on gas.
        gas_numeraire_raw: the same, each payment valued when it was made.
    """

    initial: Mapping[Address, int]
    balances: Mapping[Address, int]
    positions: tuple[Position, ...] = ()
    fees_collected: Mapping[Address, int] = field(default_factory=dict)
    gas_wei: int = 0
    gas_numeraire_raw: int = 0
    executions: int = 0

    @classmethod
    def opening(cls, balances: Mapping[Address, int]) -> "Portfolio":
        """The portfolio of a vault that holds just these tokens."""
        return cls(initial=MappingProxyType(dict(balances)), balances=MappingProxyType(dict(balances)))

    def apply(self, execution: Execution, gas_numeraire_raw: int) -> "Portfolio":
        """The portfolio after an execution.

        Args:
            execution: what happened; one that reverted or was refused costs gas and moves nothing.
            gas_numeraire_raw: worth of the gas it cost, when it was paid.
        """
        changed = {position.token_id: position for position in execution.opened}
        gone = set(execution.closed)
        kept = [
            replace(changed.pop(held.token_id, held), opened_block=held.opened_block)
            for held in self.positions
            if held.token_id not in gone
        ]
        new = [position for token_id, position in changed.items() if token_id not in gone]
        return replace(
            self,
            balances=_add(self.balances, execution.token_deltas),
            positions=(*kept, *new),
            fees_collected=_add(self.fees_collected, execution.fees_collected),
            gas_wei=self.gas_wei + execution.gas_cost_wei,
            gas_numeraire_raw=self.gas_numeraire_raw + gas_numeraire_raw,
            executions=self.executions + 1,
        )


def _add(amounts: Mapping[Address, int], deltas: tuple[tuple[Address, int], ...]) -> Mapping[Address, int]:
    if not deltas:
        return amounts
    total = dict(amounts)
    for token, delta in deltas:
        total[token] = total.get(token, 0) + delta
    return MappingProxyType(total)
