"""What worlds without a chain have in common: vaults in memory, and submissions that wait for the next block."""

from collections.abc import Sequence
from typing import Final

from defai.agent.ports import Seat, Settlement, Submission
from defai.amm import Pool
from defai.audit.record import AuditDomain
from defai.chain.contracts import encode_operations
from defai.domain.chain_events import Block
from defai.domain.operations import Call, Operation
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.market.valuation import Valuation
from defai.worlds.audit_logs import MemoryAuditLog
from defai.worlds.carrying_out import Till
from defai.worlds.clocks import LockStepClock
from defai.worlds.position_book import PositionBook
from defai.worlds.seating import SeatRequest, opening_balances
from defai.worlds.vaults import Vaults

DEADLINE_S: Final = 600
"""How long after the block decided upon a plan's calls may still be carried out."""
_NO_CHAIN: Final = 0
"""No chain has it: a record of such a world verifies nowhere else."""
_NO_CONTRACT: Final[Address] = "0x0000000000000000000000000000000000000000"


class InMemory:
    """A world without a chain, but for its blocks: whoever derives from it makes them.

    Args:
        keys: what the pools are.
        pools: the pools by address; the agents' plans change them.
        valuation: what money is.
        requests: the agents, in the order in which they act within a block.
        head: the block before the first.
    """

    chain_id = _NO_CHAIN

    def __init__(
        self,
        keys: dict[Address, PoolKey],
        pools: dict[Address, Pool],
        valuation: Valuation,
        requests: Sequence[SeatRequest],
        head: Block,
    ) -> None:
        self.clock = LockStepClock()
        self.audit_log = MemoryAuditLog(AuditDomain(_NO_CHAIN, _NO_CONTRACT))
        self.till = Till()
        self._keys = keys
        self._pools = pools
        self._valuation = valuation
        self._requests = tuple(requests)
        self._book = PositionBook(pools)
        self._vaults = Vaults(self._book, keys, {})
        self._pending: dict[str, Submission] = {}
        self._settled: dict[str, Settlement] = {}
        self._head = head

    async def close(self) -> None:
        """Nothing is held."""

    async def records(self) -> int:
        """How many decisions were recorded with their plan."""
        return self.till.records

    def begin(self) -> None:
        """Blocks come as soon as everyone has acted, always."""

    async def due(self) -> None:
        """Blocks are due at once; others may run first."""
        await self.clock.sleep_until(0.0)

    def encode(self, agent: str, operations: Sequence[Operation]) -> tuple[Call, ...]:
        """The calls the agent's vault would make on the chain; here the vault's address is nobody's."""
        deadline = self._head.timestamp + DEADLINE_S
        return encode_operations(operations, vault=self.vault(agent), pools=self._keys, deadline=deadline)

    def vault(self, agent: str) -> Address:  # noqa: ARG002  a vault in memory has no address
        """Where an agent's vault would stand."""
        return _NO_CONTRACT

    async def submit(self, submission: Submission) -> None:
        """Take a submission into the next block."""
        self._pending[submission.agent] = submission

    async def settled(self, agent: str) -> Settlement | None:
        """What became of the agent's submission."""
        return self._settled.pop(agent, None)

    def _seat(self) -> tuple[Seat, ...]:
        """Give the agents their money, at the pools' present prices."""
        pricing = self._pools[self._valuation.key.address]
        self._vaults.balances = {
            request.name: opening_balances(request, self._valuation, pricing) for request in self._requests
        }
        return tuple(
            Seat(request.name, agent_id, None, dict(self._vaults.balances[request.name]))
            for agent_id, request in enumerate(self._requests)
        )

    def _order(self) -> list[Submission]:
        """What waits, in the order of the fleet."""
        return [self._pending[request.name] for request in self._requests if request.name in self._pending]
