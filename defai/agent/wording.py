"""Intents and outcomes in a few words, and as canonical values for the record."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from defai.domain.decisions import Action, Execution, Verdict
from defai.domain.intents import (
    Batch,
    ClosePosition,
    CollectFees,
    DecreaseLiquidity,
    Hold,
    IncreaseLiquidity,
    Intent,
    OpenPosition,
    Rebalance,
    Swap,
)
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address, Token

_TOO_LITTLE: Final = re.compile(r"TooLittleReceived\(received=(\d+), minimumOut=(\d+)\)")
"""The vault's word for a swap that gave less than was asked for."""
ACTIONS: dict[type, Action] = {
    Hold: Action.HOLD,
    Swap: Action.SWAP,
    OpenPosition: Action.OPEN,
    IncreaseLiquidity: Action.INCREASE,
    DecreaseLiquidity: Action.DECREASE,
    CollectFees: Action.COLLECT,
    ClosePosition: Action.CLOSE,
    Rebalance: Action.REBALANCE,
    Batch: Action.BATCH,
}


def amount_text(token: Token, amount_raw: int) -> str:
    """An amount with five significant digits or two decimals, whichever shows more, and its symbol."""
    amount = token.to_decimal(amount_raw)
    digits = 2 if abs(amount) >= 100 else max(2, 4 - amount.adjusted()) if amount else 2
    return f"{amount:,.{min(digits, token.decimals)}f} {token.symbol}"


def intent_text(intent: Intent, keys: Mapping[Address, PoolKey], minimum_out: int | None = None) -> str:
    """What an intent asks for, in a few words."""
    match intent:
        case Hold():
            return "hold"
        case Swap():
            return _swap_text(intent, keys, minimum_out)
        case OpenPosition():
            return f"open {intent.tick_lower:,}…{intent.tick_upper:,}"
        case Rebalance():
            return f"rebalance to {intent.tick_lower:,}…{intent.tick_upper:,}"
        case IncreaseLiquidity():
            return f"add liquidity to #{intent.token_id}"
        case DecreaseLiquidity():
            return f"take liquidity out of #{intent.token_id}"
        case CollectFees():
            return f"collect fees of #{intent.token_id}"
        case ClosePosition():
            return f"close #{intent.token_id}"
        case Batch():
            return ", ".join(intent_text(part, keys) for part in intent.intents)


def _swap_text(swap: Swap, keys: Mapping[Address, PoolKey], minimum_out: int | None) -> str:
    key = keys.get(swap.pool)
    if key is None:
        return f"swap in a pool that is not watched, {swap.pool}"
    sold = amount_text(key.token(zero=swap.zero_for_one), swap.amount_in_raw)
    bought = key.token(zero=not swap.zero_for_one)
    least = f"at least {amount_text(bought, minimum_out)}" if minimum_out is not None else bought.symbol
    return f"swap {sold} → {least}"


def execution_text(execution: Execution, tokens: Mapping[Address, Token]) -> str:
    """What came of a plan, in a few words: what came in and what went out, positions opened and closed."""
    if execution.error:
        return error_text(execution.error)
    deltas = dict(execution.token_deltas)
    moved = [(token, deltas[address]) for address, token in tokens.items() if deltas.get(address)]
    gained = [amount_text(token, delta) for token, delta in moved if delta > 0]
    spent = [amount_text(token, -delta) for token, delta in moved if delta < 0]
    parts = []
    if execution.opened:
        parts.append(f"opened #{execution.opened[-1].token_id}")
    if execution.closed:
        parts.append(f"closed {', '.join(f'#{token_id}' for token_id in execution.closed)}")
    if gained and spent:
        parts.append(f"{' and '.join(gained)} for {' and '.join(spent)}")
    elif gained:
        parts.append(f"received {' and '.join(gained)}")
    elif spent:
        parts.append(f"spent {' and '.join(spent)}")
    return ", ".join(parts) or "nothing moved"


def error_text(error: str) -> str:
    """What a transaction failed for, in words where the contract's own are figures of the chain."""
    fell_short = _TOO_LITTLE.fullmatch(error)
    if fell_short is None:
        return error
    received, least = (Decimal(figure) for figure in fell_short.groups())
    return f"the price moved: {(least - received) * 10_000 / least:.1f} bp less than the least it takes"


def canonical(value: object) -> Any:  # noqa: ANN401  JSON has many types
    """A record as JSON-able values without floats: dataclasses become objects with their kind."""
    if type(value) is Hold:  # nearly every decision's
        return {"kind": "Hold", "reason": value.reason}
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        content = {field.name: canonical(getattr(value, field.name)) for field in fields(value)}
        return {"kind": type(value).__name__, **content}
    if isinstance(value, tuple | list):
        return [canonical(item) for item in value]
    if isinstance(value, Decimal):
        return f"{value:.6f}"
    return value


def verdict_record(verdict: Verdict) -> dict[str, Any]:
    """A verdict as it stands in a decision's payload."""
    checks = {check.name: [f"{check.value:.6f}", f"{check.limit:.6f}", check.ok] for check in verdict.checks}
    return {"status": verdict.status.value, "reason": verdict.reason, "checks": checks}
