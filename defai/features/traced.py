"""Numbers that write down what is done to them: a function that is asked once becomes lines of Python.

A feature is a function of a past and may be given anything that behaves like one: rows, columns of rows (`column`), or,
here, names. What it says of names is the text of its formula, and the texts of many features share what they have in
common. Like a column, a name can't be branched on, counted or looked into; whoever does is told so by a `TraceError`,
and is asked as it is.
"""

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, Final, NoReturn, TypeAlias, cast

from defai.features.tape import Past, Quantity, out_of_reach
from defai.market.window import Observation

Given: TypeAlias = tuple[Any, ...]
"""What lines look at: its kind, then which one. `rows`, pool; `sums` or `highest`, pool, quantity; `product_sums`,
pool, quantity, the other's pool and quantity, lag."""

_OPTIONAL: Final = frozenset(field.name for field in fields(Observation) if field.default is not MISSING)
"""Fields that a row may not know."""


class TraceError(TypeError):
    """A function wanted to know a number that is only a name yet."""


class Script:
    """Lines of Python, each an assignment. What was said before is not said again.

    Attributes:
        lines: in order.
        given: the names of what the lines look at.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.given: dict[Given, str] = {}
        self._names: dict[str, str] = {}

    def let(self, expression: str) -> str:
        """The name of an expression's value."""
        name = self._names.get(expression)
        if name is None:
            name = self._names[expression] = f"x{len(self._names)}"
            self.lines.append(f"{name} = {expression}")
        return name

    def let_known(self, expression: str) -> str:
        """The same of what may be None: then the lines end with a NotKnownError."""
        is_new = expression not in self._names
        name = self.let(expression)
        if is_new:
            self.lines.append(f"if {name} is None: raise NotKnownError")
        return name

    def take_down(self, function: Callable[..., object], *arguments: object) -> str | None:
        """The name of what a function gives, or the number itself; None, and no line, where it has to know one."""
        lines, names = len(self.lines), len(self._names)
        try:
            return _text(function(*arguments))
        except TraceError:
            del self.lines[lines:]
            self._names = dict(list(self._names.items())[:names])
            return None

    def give(self, given: Given) -> str:
        """The name of something that the lines look at."""
        return self.given.setdefault(given, f"given{len(self.given)}")

    def at(self, blocks: int) -> str:
        """The name of the index of the row so many blocks ago."""
        return self.let(f"end - {blocks}") if blocks else "end"


class Traced:
    """A number by its name in a script. Operators write a line each."""

    __slots__ = ("name", "script")

    def __init__(self, script: Script, name: str) -> None:
        self.script = script
        self.name = name

    def _let(self, expression: str) -> "Traced":
        return Traced(self.script, self.script.let(expression))

    def __add__(self, other: "Traced | int") -> "Traced":
        return self._let(f"{self.name} + {_text(other)}")

    def __radd__(self, other: int) -> "Traced":
        return self._let(f"{_text(other)} + {self.name}") if other else self

    def __sub__(self, other: "Traced | int") -> "Traced":
        return self._let(f"{self.name} - {_text(other)}")

    def __rsub__(self, other: int) -> "Traced":
        return self._let(f"{_text(other)} - {self.name}")

    def __mul__(self, other: "Traced | int") -> "Traced":
        return self._let(f"{self.name} * {_text(other)}")

    __rmul__ = __mul__

    def __floordiv__(self, other: "Traced | int") -> "Traced":
        return self._let(f"{self.name} // {_text(other)}")

    def __mod__(self, other: "Traced | int") -> "Traced":
        return self._let(f"{self.name} % {_text(other)}")

    def __lshift__(self, bits: int) -> "Traced":
        return self._let(f"{self.name} << {_text(bits)}")

    def __rshift__(self, bits: int) -> "Traced":
        return self._let(f"{self.name} >> {_text(bits)}")

    def __pow__(self, exponent: int) -> "Traced":
        square = f"{self.name} * {self.name}"  # half the time of a power
        return self._let(square if exponent == 2 else f"{self.name} ** {_text(exponent)}")

    def __neg__(self) -> "Traced":
        return self._let(f"-{self.name}")

    def __abs__(self) -> "Traced":
        return self._let(f"abs({self.name})")

    def __and__(self, other: "Traced | bool") -> "Traced":
        return self._let(f"{self.name} & {_text(other)}")

    def __or__(self, other: "Traced | bool") -> "Traced":
        return self._let(f"{self.name} | {_text(other)}")

    __rand__ = __and__
    __ror__ = __or__

    def __eq__(self, other: object) -> "Traced":  # type: ignore[override]  # a line, not an answer
        return self._let(f"{self.name} == {_text(other)}")

    def __ne__(self, other: object) -> "Traced":  # type: ignore[override]  # the same
        return self._let(f"{self.name} != {_text(other)}")

    def __lt__(self, other: object) -> "Traced":
        return self._let(f"{self.name} < {_text(other)}")

    def __le__(self, other: object) -> "Traced":
        return self._let(f"{self.name} <= {_text(other)}")

    def __gt__(self, other: object) -> "Traced":
        return self._let(f"{self.name} > {_text(other)}")

    def __ge__(self, other: object) -> "Traced":
        return self._let(f"{self.name} >= {_text(other)}")

    def ratio(self, denominator: "Traced | int", bits: int) -> "Traced":
        """`arithmetic.ratio`; nearly every denominator is positive."""
        above, below = self.name, _text(denominator)
        falling = f"-((-{above} << {bits}) // {below}) if {above} < 0 < {below} else ratio({above}, {below}, {bits})"
        return self._let(f"({above} << {bits}) // {below} if {above} >= 0 < {below} else {falling}")

    def root(self, bits: int) -> "Traced":
        """`arithmetic.root` and `root_x16`."""
        return self._let(f"isqrt({self.name} << {2 * bits})" if bits else f"isqrt({self.name})")

    def log2_x16(self) -> "Traced":
        """`logarithm.log2_x16`."""
        return self._let(f"log2_x16({self.name})")

    def chosen(self, yes: "Traced | int", no: "Traced | int") -> "Traced":
        """`arithmetic.choose`."""
        return self._let(f"{_text(yes)} if {self.name} else {_text(no)}")

    def _not_there(self, *_: object) -> NoReturn:
        raise TraceError("a name is no number yet")

    __bool__ = __index__ = __int__ = __float__ = __len__ = __iter__ = __getitem__ = __round__ = _not_there
    __truediv__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = __rlshift__ = __rrshift__ = _not_there
    __divmod__ = __contains__ = __getattr__ = __format__ = __str__ = __trunc__ = __complex__ = _not_there

    def __hash__(self) -> int:
        """Not for names: `in` and dictionaries would take one for a number."""
        return self._not_there()


class TracedRow:
    """An observation by its name; its fields are numbers by their names."""

    __slots__ = ("_name", "_script")

    def __init__(self, script: Script, name: str) -> None:
        self._script = script
        self._name = name

    def __getattr__(self, name: str) -> object:
        member = vars(Observation).get(name)
        if isinstance(member, property) and member.fget is not None:
            return member.fget(self)
        if member is None or name == "swap_sizes_raw":
            raise TraceError(f"a row's {name} is no number")
        let = self._script.let_known if name in _OPTIONAL else self._script.let
        return Traced(self._script, let(f"{self._name}.{name}"))


class TracedPast(Past):
    """The past of a pool by names.

    Args:
        script: takes down what is asked for.
        pool: which of the pools.
        depth: how many rows may be looked at.
        others: the pasts of further pools.
    """

    __slots__ = ("_pool", "_script")

    def __init__(self, script: Script, pool: int, depth: int, others: "tuple[TracedPast, ...]" = ()) -> None:
        self._script = script
        self._pool = pool
        self._others = others
        self.depth = depth

    @property
    def now(self) -> Observation:
        """The row of the block decided upon."""
        return self.ago(0)

    def ago(self, blocks: int) -> Observation:
        """The row so many blocks ago."""
        self._reach(blocks)
        script = self._script
        row = script.let(f"{script.give(('rows', self._pool))}[{script.at(blocks)}]")
        return cast("Observation", TracedRow(script, row))

    def total(self, quantity: Quantity, blocks: int) -> int:
        """The difference of two running sums."""
        self._reach(blocks)
        return self._difference(("sums", self._pool, quantity), blocks)

    def highest(self, quantity: Quantity, blocks: int) -> int:
        """The largest value, which the series looks for."""
        if blocks < 1:
            raise out_of_reach(self.depth, blocks)
        self._reach(blocks)
        highest = self._script.give(("highest", self._pool, quantity))
        return self._number(f"{highest}(end, {blocks})")

    def product_total(
        self, mine: Quantity, theirs: Quantity, blocks: int, *, lag: int, of: Past | None = None
    ) -> int:
        """The difference of two running sums of products."""
        self._reach(blocks + abs(lag))
        other = cast("TracedPast", of or self)._pool  # noqa: SLF001  of its own kind
        return self._difference(("product_sums", self._pool, mine, other, theirs, lag), blocks)

    def _difference(self, of: Given, blocks: int) -> int:
        sums = self._script.give(of)
        return self._number(f"{sums}[end] - {sums}[{self._script.at(blocks)}]")

    def _number(self, expression: str) -> int:
        return cast("int", Traced(self._script, self._script.let(expression)))

    def _reach(self, blocks: int) -> None:
        if not 0 <= blocks < self.depth:
            raise out_of_reach(self.depth, blocks)


def _text(operand: object) -> str:
    """An operand as a line has it."""
    if isinstance(operand, Traced):
        return operand.name
    if isinstance(operand, int):
        return f"({int(operand)})" if operand < 0 else str(int(operand))
    raise TraceError(f"a name meets a {type(operand).__name__}")
