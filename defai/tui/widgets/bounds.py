"""What a parameter may be, in words, and whether what is typed is such a thing."""

from decimal import Decimal, InvalidOperation
from typing import Final

from defai.domain.stream import ParameterCard

_KINDS: Final = {"integer": "a whole number", "number": "a number", "boolean": "true | false"}
_YES_OR_NO: Final = frozenset({"true", "false", "yes", "no", "on", "off", "t", "f", "y", "n", "1", "0"})


def bounds(card: ParameterCard) -> str:
    """What a parameter may be: "0 … 20 bp", "> 0", "true | false"."""
    if card.choices:
        return " | ".join(card.choices)
    low = "" if card.minimum is None else f"{'> ' if card.excludes_minimum else ''}{card.minimum:f}"
    high = "" if card.maximum is None else f"{'< ' if card.excludes_maximum else ''}{card.maximum:f}"
    if low and high:
        between = f"{low} … {high}"
    elif low:
        between = low if card.excludes_minimum else f"≥ {low}"
    elif high:
        between = high if card.excludes_maximum else f"≤ {high}"
    else:
        between = _KINDS.get(card.type, card.type)
    return f"{between} {card.unit}".strip()


def misfit(card: ParameterCard, text: str) -> str:
    """What a parameter has to be, where a text cannot be it; empty where it can.

    Whoever makes the strategy has the last word: an author's own rules are not known here.
    """
    if card.choices:
        return "" if text in card.choices else bounds(card)
    if card.type == "boolean":
        return "" if text.lower() in _YES_OR_NO else bounds(card)
    if card.type not in _KINDS:
        return ""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return _KINDS[card.type]
    whole = value.is_finite() and value == value.to_integral_value() and "e" not in text.lower()
    if value.is_nan() or (card.type == "integer" and not whole):
        return _KINDS[card.type]
    return "" if _is_within(card, value) else bounds(card)


def _is_within(card: ParameterCard, value: Decimal) -> bool:
    low, high = card.minimum, card.maximum
    above = low is None or value > low or (value == low and not card.excludes_minimum)
    return above and (high is None or value < high or (value == high and not card.excludes_maximum))
