"""Whether what a strategy gave is an intent at all: its author's code may return anything."""

from dataclasses import fields, is_dataclass
from typing import Final

from defai.agent.wording import ACTIONS
from defai.domain.intents import (
    Batch,
    ClosePosition,
    CollectFees,
    DecreaseLiquidity,
    Hold,
    IncreaseLiquidity,
    OpenPosition,
    Swap,
)

LONGEST_REASON: Final = 1_000
"""Characters of a reason: it is emitted on chain with every record, and paid for."""
_PARTS: Final = (Swap, OpenPosition, IncreaseLiquidity, DecreaseLiquidity, CollectFees, ClosePosition)


def fault(answer: object) -> str:
    """What is wrong with a strategy's answer, in words that follow "decide"; empty where it is an intent.

    Fields must have exactly the types they are declared with: a float amount or a numpy integer has no canonical
    bytes, so no record could hold it.
    """
    if type(answer) is Hold and type(answer.reason) is str and shortened(answer.reason) == answer.reason:
        return ""  # nearly every answer
    if type(answer) not in ACTIONS or not is_dataclass(answer) or isinstance(answer, type):
        return f"gave {type(answer).__name__}, not an intent"
    kind = type(answer).__name__
    for field in fields(answer):
        value = getattr(answer, field.name)
        if isinstance(answer, Batch) and field.name == "intents":
            wrong = _fault_of_parts(value)
            if wrong:
                return wrong
        elif type(value) is not field.type:
            return f"gave a {kind} whose {field.name} is of type {type(value).__name__}"
        elif field.name == "reason" and shortened(value) != value:
            return f"gave a {kind} with a reason that is too long or is not text"
    return ""


def shortened(text: str) -> str:
    """A text as a reason: of bounded length, and without what UTF-8 has no bytes for."""
    if type(text) is str and text.isascii() and len(text) <= LONGEST_REASON:
        return text
    return text[:LONGEST_REASON].encode("utf-8", "replace").decode()


def _fault_of_parts(parts: object) -> str:
    if not isinstance(parts, tuple):
        return f"gave a Batch whose intents are a {type(parts).__name__}, not a tuple"
    for part in parts:
        if type(part) not in _PARTS:
            return f"gave a Batch with a {type(part).__name__} in it"
        wrong = fault(part)
        if wrong:
            return wrong
    return ""
