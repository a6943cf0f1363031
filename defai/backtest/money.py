"""Money as a report writes it: dollars to the cent, other tokens finer, for they are worth more."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

DOLLARS: Final = frozenset({"USDC", "USDT", "DAI", "USDC.e", "USDbC"})
"""Tokens that a person reads as dollars."""
UNMEASURED: Final = "unmeasured"


class Money(NamedTuple):
    """What worths are counted in.

    Attributes:
        name: "USD", or the token's symbol where it is no dollar.
        digits: after the point.
    """

    name: str = "USD"
    digits: int = 2

    @classmethod
    def of(cls, figures: Mapping[str, Any]) -> "Money":
        """That of a run's figures; dollars where they name no token."""
        symbol = str(figures.get("numeraire", "USDC"))
        return cls() if symbol in DOLLARS else cls(symbol, 6)

    def is_nothing(self, value: float) -> bool:
        """Whether it reads as zero, which has no sign."""
        return abs(value) < 0.5 * 10.0**-self.digits

    def text(self, value: float, *, signed: bool = False) -> str:
        """An amount with its thousands separated, a true minus, and a plus where a sign is wanted."""
        if self.is_nothing(value):
            return f"{0:.{self.digits}f}"
        return f"{value:{'+' if signed else ''},.{self.digits}f}".replace("-", "−")


def cell(value: float | None, kind: str, money: Money) -> str:
    """A figure in a table.

    Args:
        value: None where it was not measured.
        kind: "money", "signed" (money that was won or lost), "ratio" or "percent".
        money: what worths are counted in.
    """
    if value is None:
        return UNMEASURED
    if kind == "percent":
        return f"{value:.1%}".replace("%", " %")
    if kind == "ratio":
        return Money().text(value)
    return money.text(value, signed=kind == "signed")
