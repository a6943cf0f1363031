"""What a vault's transaction did, read from its receipt and from the position manager at its block."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from defai.chain import mainnet
from defai.chain.codec import address_at, encode_call, signed, unsigned
from defai.chain.contracts import pool_address
from defai.chain.decode import (
    NftTransferred,
    PositionCollected,
    PositionDecreased,
    PositionIncreased,
    TokenTransferred,
    decode_pool_logs,
    decode_receipt_logs,
)
from defai.chain.multicall import multicall
from defai.chain.rpc import Rpc
from defai.chain.tx import Receipt
from defai.chain.vault import recorded_decisions
from defai.domain.chain_events import LiquidityCollected
from defai.domain.decisions import Execution, ExecutionStatus
from defai.domain.operations import Call
from defai.domain.position import Position
from defai.domain.tokens import Address
from defai.errors import DivergenceError

_POSITIONS = "positions(uint256)"
_NOBODY: Address = "0x0000000000000000000000000000000000000000"


@dataclass(slots=True)
class _Changes:
    """What the logs of a receipt say of one vault."""

    deltas: dict[Address, int] = field(default_factory=dict)
    touched: dict[int, None] = field(default_factory=dict)
    minted: set[int] = field(default_factory=set)
    burned: list[int] = field(default_factory=list)
    freed: dict[int, tuple[int, int]] = field(default_factory=dict)
    collected: dict[int, tuple[int, int]] = field(default_factory=dict)


async def read_execution(
    rpc: Rpc,
    receipt: Receipt,
    *,
    agent: str,
    digest: str,
    vault: Address,
    audit: Address,
    pools: Sequence[Address],
) -> Execution:
    """The execution of a decision whose transaction succeeded.

    Args:
        rpc: the node, for the positions as they stand after the block.
        receipt: the transaction's.
        agent: whose decision it was.
        digest: the decision's.
        vault: the agent's vault.
        audit: the DecisionAudit contract.
        pools: the pools that are watched; a position in another one is a contradiction.

    Raises:
        DivergenceError: where the transaction recorded another decision than it was sent with.
    """
    records = recorded_decisions(receipt.logs, audit)
    if len(records) != 1 or records[0].decision.digest != digest:
        raise DivergenceError(
            f"Transaction {receipt.transaction_hash} of {agent} recorded {len(records)} decisions; "
            f"it was sent to record {digest}.",
            "Stop, and verify the vault's records.",
        )
    changes = _changes(receipt, vault)
    alive = [token_id for token_id in changes.touched if token_id not in changes.burned]
    gone = [token_id for token_id in changes.collected if token_id not in alive]
    positions, tokens = await _positions(rpc, alive + gone, receipt, pools)
    return Execution(
        agent=agent,
        decision_digest=digest,
        status=ExecutionStatus.FILLED,
        block_number=receipt.block_number,
        transaction_hash=receipt.transaction_hash,
        token_deltas=tuple((token, amount) for token, amount in changes.deltas.items() if amount),
        opened=tuple(positions[token_id] for token_id in alive),
        closed=tuple(changes.burned),
        record_id=records[0].token_id,
        gas_used=receipt.gas_used,
        gas_cost_wei=receipt.gas_used * receipt.gas_price_wei,
        fees_collected=_fees(changes, tokens),
    )


def _changes(receipt: Receipt, vault: Address) -> _Changes:
    changes = _Changes()
    paid = _paid_by_pools(receipt)
    for event in decode_receipt_logs(receipt.logs):
        match event:
            case TokenTransferred():
                sign = (event.recipient == vault) - (event.sender == vault)
                changes.deltas[event.token] = changes.deltas.get(event.token, 0) + sign * event.amount_raw
            case NftTransferred() if event.contract == mainnet.POSITION_MANAGER:
                if event.recipient == _NOBODY:
                    changes.burned.append(event.token_id)
                elif event.sender == _NOBODY:
                    changes.minted.add(event.token_id)
            case PositionIncreased():
                changes.touched[event.token_id] = None
            case PositionDecreased():
                changes.touched[event.token_id] = None
                before = changes.freed.get(event.token_id, (0, 0))
                changes.freed[event.token_id] = (before[0] + event.amount0, before[1] + event.amount1)
            case PositionCollected():
                changes.touched[event.token_id] = None
                before = changes.collected.get(event.token_id, (0, 0))
                amount0, amount1 = next(paid)
                changes.collected[event.token_id] = (before[0] + amount0, before[1] + amount1)
            case _:
                pass  # an NFT of another collection, e.g. the record itself
    return changes


def _paid_by_pools(receipt: Receipt) -> Iterator[tuple[int, int]]:
    """What pools paid for each of the position manager's collections, in order.

    The manager's own event says what it asked for: where several positions share a range, its sums of rounded fees can
    be a unit more than the pool, which rounds once for all, has to give.
    """
    for event in decode_pool_logs(receipt.logs):
        if isinstance(event, LiquidityCollected) and event.owner == mainnet.POSITION_MANAGER:
            yield event.amount0, event.amount1


def _fees(
    changes: _Changes, tokens: Mapping[int, tuple[Address, Address]]
) -> tuple[tuple[Address, int], ...]:
    """What was collected beyond what was freed, by token."""
    fees: dict[Address, int] = {}
    for token_id, collected in changes.collected.items():
        freed = changes.freed.get(token_id, (0, 0))
        for token, paid, withdrawn in zip(tokens[token_id], collected, freed, strict=True):
            fees[token] = fees.get(token, 0) + paid - withdrawn
    return tuple((token, amount) for token, amount in fees.items() if amount)


async def _positions(
    rpc: Rpc, token_ids: Sequence[int], receipt: Receipt, pools: Sequence[Address]
) -> tuple[dict[int, Position], dict[int, tuple[Address, Address]]]:
    """Positions as they stand after the receipt's block, and their tokens; burned ones as they stood before it."""
    positions: dict[int, Position] = {}
    tokens: dict[int, tuple[Address, Address]] = {}
    for number in (receipt.block_number, receipt.block_number - 1):
        missing = [token_id for token_id in token_ids if token_id not in tokens]
        calls = [Call(mainnet.POSITION_MANAGER, encode_call(_POSITIONS, token_id)) for token_id in missing]
        if not calls:
            break
        for token_id, answer in zip(missing, await multicall(rpc, calls, hex(number)), strict=True):
            if not answer:
                continue
            token0, token1 = address_at(answer, 2), address_at(answer, 3)
            pool = pool_address(token0, token1, unsigned(answer, 4))
            if pool not in pools:
                raise DivergenceError(f"Position {token_id} is in a pool {pool} that nobody watches.")
            tokens[token_id] = (token0, token1)
            positions[token_id] = Position(
                token_id=token_id,
                pool=pool,
                tick_lower=signed(answer, 5),
                tick_upper=signed(answer, 6),
                liquidity=unsigned(answer, 7),
                fee_growth_inside0_x128=unsigned(answer, 8),
                fee_growth_inside1_x128=unsigned(answer, 9),
                tokens_owed0=unsigned(answer, 10),
                tokens_owed1=unsigned(answer, 11),
                opened_block=number,
            )
    return positions, tokens
