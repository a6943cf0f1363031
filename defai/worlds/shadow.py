"""Two worlds, one life: a chain, and beside it the same market in memory, given the same submissions.

After every block both must agree to the last unit. The first thing that differs is named and ends the run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from defai.agent.ports import Arrival, AuditLog, Clock, Opening, Settlement, Submission
from defai.amm import Pool
from defai.domain.decisions import Approval, Decision
from defai.domain.operations import Call, Operation
from defai.domain.position import Position
from defai.errors import DivergenceError
from defai.market.state import reported_of
from defai.strategy.gas import FIRST_TRADE_GAS, GAS_ERROR
from defai.worlds.fork import ForkWorld
from defai.worlds.sim import SimWorld


@dataclass(slots=True)
class Agreement:
    """What was found equal so far, and how far the estimate of gas was off.

    Attributes:
        gas: gas used on the chain and as estimated in memory, one pair per submission that landed.
    """

    blocks: int = 0
    pool_states: int = 0
    submissions: int = 0
    gas: list[tuple[int, int]] = field(default_factory=list)

    @property
    def worst_gas_error(self) -> float | None:
        """The largest relative error of an estimate; None where nothing landed."""
        return max((abs(estimated / used - 1) for used, estimated in self.gas), default=None)

    @property
    def total_gas_error(self) -> float | None:
        """The relative error of all estimates together, with its sign; None where nothing landed."""
        used, estimated = (sum(pair[side] for pair in self.gas) for side in (0, 1))
        return estimated / used - 1 if used else None

    def require_gas_estimates(self) -> None:
        """Hold every estimate to the error that is stated for it.

        Raises:
            DivergenceError: naming the one that is furthest off.
        """
        used, estimated = max(self.gas, key=lambda pair: abs(pair[1] / pair[0] - 1), default=(1, 1))
        if abs(estimated / used - 1) > GAS_ERROR:
            raise DivergenceError(
                f"A transaction took {used:,} gas where {estimated:,} were estimated: {estimated / used - 1:+.1%}, "
                f"beyond the {GAS_ERROR:.0%} that are stated.",
                "`make bench ARGS=gas` measures anew what operations cost.",
            )


class ShadowedWorld:
    """A fork world that is followed by a sim world.

    Args:
        chain: where the agents live.
        shadow: the same market, seats and seed in memory.
    """

    network = "parity"

    def __init__(self, chain: ForkWorld, shadow: SimWorld) -> None:
        self.feed = self
        self.executor = self
        self.agreement = Agreement()
        self._chain = chain
        self._shadow = shadow
        self._traded: set[str] = set()

    @property
    def clock(self) -> Clock:
        """The chain's."""
        return self._chain.clock

    @property
    def audit_log(self) -> AuditLog:
        """The chain's."""
        return self._chain.audit_log

    @property
    def chain_id(self) -> int:
        """The chain's."""
        return self._chain.chain_id

    async def open(self) -> Opening:
        """Open both; pools and balances must be the same."""
        opening = await self._chain.open()
        beside = await self._shadow.open()
        for address, pool in opening.market.pools.items():
            self._compare_pool("the opening", address, pool, beside.market.pools[address])
        for here, there in zip(opening.seats, beside.seats, strict=True):
            _same(f"the opening balances of {here.name}", here.balances, there.balances)
        return opening

    def warm_up(self, wanted: int) -> int:
        """As many blocks as the chain can live through."""
        return self._chain.warm_up(wanted)

    async def close(self) -> None:
        """Close both."""
        await self._chain.close()
        await self._shadow.close()

    async def records(self) -> int:
        """How many records stand on the chain."""
        return await self._chain.records()

    def begin(self) -> None:
        """Blocks come at the chain's time."""
        self._chain.begin()

    async def due(self) -> None:
        """Wait as the chain does."""
        await self._chain.due()

    async def next(self) -> Arrival | None:
        """The next block of both."""
        return await self._both(await self._chain.next(), await self._shadow.next())

    async def make_block(self) -> Arrival | None:
        """A block of both, at once."""
        return await self._both(await self._chain.make_block(), await self._shadow.make_block())

    def encode(self, agent: str, operations: Sequence[Operation]) -> tuple[Call, ...]:
        """The calls of the agent's vault on the chain."""
        return self._chain.encode(agent, operations)

    async def approve(self, agent: str, decision: Decision, deadline: int, signature: bytes) -> Approval:
        """The owner's approval on the chain; in memory nobody asks for it."""
        return await self._chain.approve(agent, decision, deadline, signature)

    async def submit(self, submission: Submission) -> None:
        """Hand a submission to both."""
        await self._chain.submit(submission)
        await self._shadow.submit(submission)

    async def settled(self, agent: str) -> Settlement | None:
        """What became of it on the chain; in memory the same must have become of it."""
        settlement, beside = await self._chain.settled(agent), await self._shadow.settled(agent)
        if settlement is None or beside is None:
            _same(f"whether {agent}'s submission is settled", settlement is None, beside is None)
            return settlement
        what = f"block {settlement.block_number:,}, {agent}:"
        _same(f"{what} whether it landed", settlement.landed, beside.landed)
        if settlement.execution is not None and beside.execution is not None:
            here, there = settlement.execution, beside.execution
            _same(f"{what} balances", dict(here.token_deltas), dict(there.token_deltas))
            _same(f"{what} fees collected", dict(here.fees_collected), dict(there.fees_collected))
            _same(f"{what} positions closed", here.closed, there.closed)
            _same(f"{what} positions", _places(here.opened), _places(there.opened))
        self.agreement.submissions += 1
        if settlement.landed:
            is_first = settlement.execution is not None and agent not in self._traded
            self.agreement.gas.append((settlement.gas_used, beside.gas_used + FIRST_TRADE_GAS * is_first))
            self._traded |= {agent} if is_first else set()
        return settlement

    async def _both(self, arrival: Arrival | None, beside: Arrival | None) -> Arrival | None:
        if arrival is None or beside is None:
            _same("whether there is another block", arrival is None, beside is None)
            return None
        for address, report in arrival.reports.items():
            pool = self._shadow.pools[address]
            self._compare_pool(f"block {arrival.block.number:,}", address, report, pool)
        self.agreement.blocks += 1
        return arrival

    def _compare_pool(self, where: str, address: str, here: object, there: Pool) -> None:
        for name in reported_of(there):
            _same(f"{where}, pool {address}: {name}", getattr(here, name), getattr(there, name))
        self.agreement.pool_states += 1


def _places(positions: Sequence[Position]) -> dict[int, tuple[int, ...]]:
    """Positions without the number of the block they were opened in: the worlds count blocks from elsewhere."""
    return {
        held.token_id: (
            held.tick_lower,
            held.tick_upper,
            held.liquidity,
            held.fee_growth_inside0_x128,
            held.fee_growth_inside1_x128,
            held.tokens_owed0,
            held.tokens_owed1,
        )
        for held in positions
    }


def _same(what: str, on_chain: object, in_memory: object) -> None:
    if on_chain != in_memory:
        raise DivergenceError(
            f"{what[0].upper()}{what[1:]} differs: {on_chain} on the chain, {in_memory} in memory.",
            "The simulation is wrong there: please report it with the seed.",
        )
