"""The rule that an agent whose edge may be nothing stays flat: it may go out, and not in.

Who acts for no edge, and is told how wide to be by a model that does not beat its baseline, may go in; the reason says
so.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from defai.agent.intent_form import LONGEST_REASON, shortened
from defai.domain.intents import (
    Batch,
    ClosePosition,
    CollectFees,
    DecreaseLiquidity,
    Hold,
    Intent,
    Swap,
)
from defai.strategy.api import Context, Edge

_WITHDRAWS: Final = (ClosePosition, DecreaseLiquidity)
_GOES_OUT: Final = (Hold, CollectFees, *_WITHDRAWS)
UNPROVEN: Final = "; its model does not beat its baseline"
"""What the reason of an intent that goes in ends with, where it was decided upon a forecast of such a model."""


def stay_flat(intent: Intent, context: Context, stated: Callable[[Context], Edge | None]) -> Intent:
    """The intent; to hold, with the edge in the reason, where it goes in for an edge that may be nothing.

    Where it goes in beside a forecast whose model does not beat its baseline, that stands in its reason.

    Args:
        intent: what the strategy wants.
        context: what it was shown.
        stated: says for what it acts; not asked where the intent does not go in.

    Raises:
        TypeError: where that is no edge.
    """
    if not goes_in(intent):
        return intent
    edge: object = stated(context)
    if edge is not None and not isinstance(edge, Edge):
        raise TypeError(f"it stated a {type(edge).__name__}, not an Edge")
    if edge is None or edge.is_above_zero:
        return _marked(intent, context)
    return Hold(reason=shortened(f"stays flat: {edge.doubt}; it would {intent.reason}"))


def _marked(intent: Intent, context: Context) -> Intent:
    if context.forecast is None or context.forecast.beats_baseline is not False:
        return intent
    return replace(intent, reason=shortened(intent.reason[: LONGEST_REASON - len(UNPROVEN)] + UNPROVEN))


def goes_in(intent: Intent) -> bool:
    """Whether an intent takes a risk that was not there: a swap beside a withdrawal goes out with it."""
    if not isinstance(intent, Batch):
        return not isinstance(intent, _GOES_OUT)
    leaving = any(isinstance(part, _WITHDRAWS) for part in intent.intents)
    return any(goes_in(part) for part in intent.intents if not (leaving and isinstance(part, Swap)))
