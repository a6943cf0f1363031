"""A context of which what takes longest is made when it is looked at: few decisions ask for dice or for gas."""

from collections.abc import Callable
from dataclasses import fields
from random import Random
from typing import Any, Final

from defai.strategy.api import Context, Costs

_set = object.__setattr__
"""Records are frozen, for those who look at them."""
_costs, _rng = (vars(Context)[name] for name in ("costs", "rng"))
"""Where a plain context keeps them; here once they were made."""
_GIVEN: Final = tuple(field.name for field in fields(Context) if field.name not in {"costs", "rng"})


class GlimpsedContext(Context):
    """A context like any other, that says the same whenever it is asked.

    Args:
        count: what acting costs.
        throw: the dice.
        given: everything else that a context has, in its order.
    """

    __slots__ = ("_count", "_throw")
    _count: Callable[[], Costs]
    _throw: Callable[[], Random]

    def __new__(cls, *_: object, **named: Any) -> Any:  # noqa: ANN401  what `dataclasses.replace` gives it
        """A plain context where one is made from all of a context's fields."""
        return Context(**named) if named else super().__new__(cls)

    def __init__(self, count: Callable[[], Costs], throw: Callable[[], Random], *given: object) -> None:
        _set(self, "_count", count)
        _set(self, "_throw", throw)
        for name, value in zip(_GIVEN, given, strict=True):
            _set(self, name, value)

    @property
    def costs(self) -> Costs:
        """What acting costs."""
        try:
            kept: Costs = _costs.__get__(self)
        except AttributeError:
            kept = self._count()
            _costs.__set__(self, kept)
        return kept

    @property
    def rng(self) -> Random:
        """The only randomness."""
        try:
            kept: Random = _rng.__get__(self)
        except AttributeError:
            kept = self._throw()
            _rng.__set__(self, kept)
        return kept

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy is a plain context."""
        return Context, tuple(getattr(self, field.name) for field in fields(Context))
