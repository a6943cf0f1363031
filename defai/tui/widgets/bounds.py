"""What a parameter may be, in words."""

from defai.domain.stream import ParameterCard


def bounds(card: ParameterCard) -> str:
    """What a parameter may be: "0 … 20 bp", "> 0", "yes or no"."""
    if card.choices:
        return " | ".join(card.choices)
    low = "" if card.minimum is None else f"{'> ' if card.excludes_minimum else ''}{card.minimum:f}"
    high = "" if card.maximum is None else f"{'< ' if card.excludes_maximum else ''}{card.maximum:f}"
    between = f"{low} … {high}" if low or high else card.type
    return f"{between} {card.unit}".strip()
