"""Numbers of the command line that are none where they are negative, endless or not a number."""

from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any

import click


class Amount(click.ParamType[Decimal]):
    """A decimal number from 0 on.

    Args:
        least: the smallest that is taken.
    """

    name = "decimal"

    def __init__(self, least: Decimal = Decimal(0)) -> None:
        self._least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:  # noqa: ANN401  click's signature
        """The number that is written."""
        try:
            number = Decimal(value)
        except InvalidOperation:
            self.fail(f"{value!r} is not a number.", param, ctx)
        if not number.is_finite() or number < self._least:
            self.fail(f"{value} is not a number from {self._least} on.", param, ctx)
        return number


class Span(click.FloatRange):
    """click's range, which takes what is not a number for something within."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401  click's signature
        """The number that is written."""
        number: float = super().convert(value, param, ctx)
        if not isfinite(number):
            self.fail(f"{value} is not a number.", param, ctx)
        return number
