"""What passes for an intent: exactly the types that have canonical bytes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from defai.agent.intent_form import LONGEST_REASON, fault, shortened
from defai.domain.intents import Batch, ClosePosition, Hold, Rebalance, Swap

BUY = Swap(pool="0x", zero_for_one=True, amount_in_raw=1, reason="why")


class Mine(Hold):
    """A kind of its own."""


@pytest.mark.parametrize(
    "intent",
    [
        Hold(reason=""),
        Hold(reason="ü" * LONGEST_REASON),
        BUY,
        Batch(intents=(BUY, ClosePosition(token_id=1, reason="")), reason=""),
        Batch(intents=(), reason=""),
    ],
)
def test_intents_pass(intent: object) -> None:
    assert fault(intent) == ""


def odd(intent: Hold | Swap | Batch, **values: Any) -> object:  # noqa: ANN401  anything goes: authors may write anything
    """An intent with values of types that no type checker would let pass."""
    return replace(intent, **values)


BATCH = Batch(intents=(BUY,), reason="")
BAND = Rebalance(pool="", tick_lower=0, tick_upper=1, reason="")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "gave NoneType, not an intent"),
        (Swap, "gave type, not an intent"),
        (Mine(reason=""), "gave Mine, not an intent"),
        (odd(BUY, amount_in_raw=np.int64(1)), "gave a Swap whose amount_in_raw is of type int64"),
        (odd(BUY, amount_in_raw=True), "gave a Swap whose amount_in_raw is of type bool"),
        (
            Hold(reason="x" * (LONGEST_REASON + 1)),
            "gave a Hold with a reason that is too long or is not text",
        ),
        (Hold(reason="\udfff"), "gave a Hold with a reason that is too long or is not text"),
        (odd(BATCH, intents=[BUY]), "gave a Batch whose intents are a list, not a tuple"),
        (odd(BATCH, intents=(BAND,)), "gave a Batch with a Rebalance in it"),
        (odd(BATCH, intents=(BUY, None)), "gave a Batch with a NoneType in it"),
        (odd(BATCH, intents=(odd(BUY, reason=7),)), "gave a Swap whose reason is of type int"),
        (odd(BATCH, reason=7), "gave a Batch whose reason is of type int"),
    ],
)
def test_anything_else_is_said(answer: object, words: str) -> None:
    assert fault(answer) == words


def test_a_long_or_broken_text_is_made_a_reason() -> None:
    assert shortened("a\ud800b") == "a?b"
    assert len(shortened("x" * 5_000)) == LONGEST_REASON
    assert shortened("fine") == "fine"
