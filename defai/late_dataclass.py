"""The standard library's dataclasses, whose methods are written when the first of them is called.

Writing them is most of what importing a module of such classes takes: source is put together and compiled, six times a
class. A process uses few of its classes before it has something to show. What is written in the end is written by the
standard library itself.
"""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

__all__ = ["dataclass"]

_OF_PLAIN_CLASSES: Final = frozenset({"__dict__", "__weakref__"})

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, slots: bool, frozen: bool = False) -> Callable[[type], type]:
        """What `dataclasses.dataclass` makes of a class; with slots only.

        Args:
            slots: True.
            frozen: whether nothing can be assigned to an instance.

        Raises:
            TypeError: without slots.
        """
        if not slots:
            raise TypeError("a class without slots is the standard library's affair")
        return lambda plain: _made(plain, frozen=frozen)


def _made(plain: type, *, frozen: bool) -> Any:  # noqa: ANN401  a class that is not yet what it says
    """The class with its fields and slots; its methods are yet to be written."""
    given = {name: value for name, value in vars(plain).items() if name not in _OF_PLAIN_CLASSES}
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(plain)
    says = made.__dataclass_params__
    says.init = says.repr = says.eq = True
    says.frozen = frozen
    for names in ["__init__"], ["__repr__", "__eq__", *(["__hash__"] if frozen else [])]:
        for name in names:
            if name not in given:
                setattr(made, name, _writes_first(name, names, made, given))
    if frozen:
        made.__setattr__, made.__delattr__ = _not_assigned, _not_deleted
        made.__getstate__, made.__setstate__ = _state, _take_state
    elif "__hash__" not in given:
        made.__hash__ = None
    return made


def _writes_first(name: str, names: list[str], made: Any, given: dict[str, Any]) -> Callable[..., Any]:  # noqa: ANN401  a class that is not yet what it says
    def method(self: object, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401  whatever the written one takes and gives
        _write(names, made, given)
        return getattr(made, name)(self, *arguments, **named)

    return method


def _write(names: list[str], made: Any, given: dict[str, Any]) -> None:  # noqa: ANN401  the same
    """Have the standard library write methods, for a class that is the same but for its slots.

    Those that make one are written without those that compare and show it: most classes are made long before.
    """
    twin: Any = type(made.__name__, made.__bases__, dict(given))
    init, repr_, eq = (name in names for name in ("__init__", "__repr__", "__eq__"))
    frozen = made.__dataclass_params__.frozen
    written = vars(dataclasses.dataclass(init=init, repr=repr_, eq=eq, frozen=frozen)(twin))
    for name in names:
        if name not in given:
            setattr(made, name, written[name])


def _not_assigned(_: object, name: str, __: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _not_deleted(_: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:  # noqa: ANN401  any such class
    return [getattr(self, one.name) for one in dataclasses.fields(self)]


def _take_state(self: Any, state: list[Any]) -> None:  # noqa: ANN401  the same
    for one, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, one.name, value)
