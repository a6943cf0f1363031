"""Vaults in memory: carry a plan out on the pools, all or nothing, as AgentVault would."""

from dataclasses import dataclass, field

from defai.amm import AmmRevert
from defai.domain.chain_events import PoolEvent, PoolSwapped
from defai.domain.operations import (
    AddLiquidity,
    BurnPosition,
    CollectOwed,
    MintPosition,
    Operation,
    RemoveLiquidity,
    SwapExactInput,
)
from defai.domain.pool import PoolKey
from defai.domain.position import Position
from defai.domain.tokens import Address
from defai.worlds.position_book import PositionBook, SimRevertError


@dataclass(slots=True)
class Outcome:
    """What a plan did: balance changes, positions, collected fees, and the pools' events."""

    deltas: dict[Address, int] = field(default_factory=dict)
    opened: dict[int, Position] = field(default_factory=dict)
    closed: list[int] = field(default_factory=list)
    freed: dict[int, tuple[int, int]] = field(default_factory=dict)
    fees: dict[Address, int] = field(default_factory=dict)
    events: list[PoolEvent] = field(default_factory=list)

    def move(self, token: Address, amount: int) -> None:
        """Count a change of the vault's balance."""
        self.deltas[token] = self.deltas.get(token, 0) + amount


class Vaults:
    """The balances of agents' vaults, and the plans that change them.

    Args:
        book: positions and pools.
        keys: what the pools are.
        balances: by agent and token, in smallest units.
    """

    def __init__(
        self, book: PositionBook, keys: dict[Address, PoolKey], balances: dict[str, dict[Address, int]]
    ) -> None:
        self.book = book
        self.keys = keys
        self.balances = balances

    def carry_out(self, agent: str, operations: tuple[Operation, ...], block: tuple[int, int]) -> Outcome:
        """Carry a plan out.

        Args:
            agent: whose vault pays and receives.
            operations: what to do, in order.
            block: number and timestamp.

        Raises:
            SimRevertError: where the chain would have reverted; nothing has changed then.
        """
        pools = {address: pool.snapshot() for address, pool in self.book.pools.items()}
        positions, next_id = dict(self.book.positions), self.book.next_id
        outcome = Outcome()
        try:
            for operation in operations:
                self._carry_out_one(agent, operation, block, outcome)
        except SimRevertError:
            for address, snapshot in pools.items():
                self.book.pools[address].restore(snapshot)
            self.book.positions, self.book.next_id = positions, next_id
            raise
        held = self.balances[agent]
        for token, delta in outcome.deltas.items():
            held[token] = held.get(token, 0) + delta
        return outcome

    def _carry_out_one(
        self, agent: str, operation: Operation, block: tuple[int, int], outcome: Outcome
    ) -> None:
        emit = outcome.events.append
        match operation:
            case SwapExactInput():
                self._swap(agent, operation, block[1], outcome)
            case MintPosition():
                desired = (operation.amount0_desired, operation.amount1_desired)
                minimum = (operation.amount0_minimum, operation.amount1_minimum)
                ticks = (operation.tick_lower, operation.tick_upper)
                paid = self.book.mint(operation.pool, ticks, desired, minimum, block, emit)
                self._pay(agent, *paid, outcome)
            case AddLiquidity():
                desired = (operation.amount0_desired, operation.amount1_desired)
                minimum = (operation.amount0_minimum, operation.amount1_minimum)
                paid = self.book.increase(operation.token_id, desired, minimum, block[1], emit)
                self._pay(agent, *paid, outcome)
            case RemoveLiquidity():
                minimum = (operation.amount0_minimum, operation.amount1_minimum)
                position, freed0, freed1 = self.book.decrease(
                    operation.token_id, operation.liquidity, minimum, block[1], emit
                )
                before = outcome.freed.get(operation.token_id, (0, 0))
                outcome.freed[operation.token_id] = (before[0] + freed0, before[1] + freed1)
                outcome.opened[position.token_id] = position
            case CollectOwed():
                self._collect(agent, operation, block[1], outcome)
            case BurnPosition():
                self.book.burn(operation.token_id)
                outcome.closed.append(operation.token_id)
                outcome.opened.pop(operation.token_id, None)

    def _swap(self, agent: str, swap: SwapExactInput, timestamp: int, outcome: Outcome) -> None:
        key, pool = self.keys[swap.pool], self.book.pools[swap.pool]
        sold, bought = key.token(zero=swap.zero_for_one), key.token(zero=not swap.zero_for_one)
        try:
            result = pool.swap(
                zero_for_one=swap.zero_for_one, amount_specified=swap.amount_in, timestamp=timestamp
            )
        except AmmRevert as error:
            raise SimRevertError(str(error)) from error
        paid, got = result.amount0, -result.amount1
        if not swap.zero_for_one:
            paid, got = result.amount1, -result.amount0
        if got < swap.amount_out_minimum:
            raise SimRevertError("Too little received")
        self._spend(agent, sold.address, paid, outcome)
        outcome.move(bought.address, got)
        outcome.events.append(
            PoolSwapped(
                pool=swap.pool,
                sender=agent,
                recipient=agent,
                amount0=result.amount0,
                amount1=result.amount1,
                sqrt_price_x96=result.sqrt_price_x96,
                liquidity=result.liquidity,
                tick=result.tick,
                log_index=0,
                transaction_hash="",
            )
        )

    def _collect(self, agent: str, operation: CollectOwed, timestamp: int, outcome: Outcome) -> None:
        collected = self.book.collect(operation.token_id, timestamp, agent, outcome.events.append)
        position, paid0, paid1 = collected
        key = self.keys[position.pool]
        freed0, freed1 = outcome.freed.pop(operation.token_id, (0, 0))
        for token, paid, freed in ((key.token0, paid0, freed0), (key.token1, paid1, freed1)):
            outcome.move(token.address, paid)
            outcome.fees[token.address] = outcome.fees.get(token.address, 0) + paid - freed
        outcome.opened[position.token_id] = position

    def _pay(self, agent: str, position: Position, amount0: int, amount1: int, outcome: Outcome) -> None:
        key = self.keys[position.pool]
        self._spend(agent, key.token0.address, amount0, outcome)
        self._spend(agent, key.token1.address, amount1, outcome)
        outcome.opened[position.token_id] = position

    def _spend(self, agent: str, token: Address, amount: int, outcome: Outcome) -> None:
        if self.balances[agent].get(token, 0) + outcome.deltas.get(token, 0) < amount:
            raise SimRevertError("STF")
        outcome.move(token, -amount)
