"""What a file says of its strategies, read from its syntax tree: nothing of it is run.

A file is read with what any author would write in mind: names imported from `defai.strategy.api`, classes that derive
from `Strategy` or from one another in the same file, fields as `name: Annotated[type, Field(...)] = default`. What is
written in another way is found when the class is imported.
"""

import ast
import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from defai.strategy.parameters import Bounds, Parameter

API_MODULE: Final = "defai.strategy.api"
_KINDS: Final = {"int": "int", "float": "float", "Decimal": "decimal", "bool": "bool", "str": "str"}


@dataclass(frozen=True, slots=True)
class Declared:
    """A strategy as its file declares it.

    Attributes:
        line: where its class begins, counted from 1.
        summary: the first line of its docstring.
        api_version: the version of the API it was written for; None where that is no plain number.
        parameters: as far as they can be read without running anything.
        decides: whether it, or a class of the file that it derives from, has a `decide`.
        forecasts: the same of a `target`.
    """

    class_name: str
    line: int
    summary: str
    api_version: int | None
    parameters: tuple[Parameter, ...]
    decides: bool
    forecasts: bool = False


@contextmanager
def uncollected() -> Iterator[None]:
    """Let nobody look for garbage while trees are made: they have cycles by the thousand, and all of them die soon."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@lru_cache(maxsize=256)
def declared_in(source: bytes) -> tuple[Declared, ...]:
    """The strategies that a file declares, in its order; classes that others build on, and that can't decide, left out.

    Raises:
        SyntaxError: where it is not Python.
        UnicodeDecodeError: where it is not UTF-8.
    """
    text = source.decode("utf-8")
    if "Strategy" not in text:
        compile(text, "a strategy file", "exec", flags=ast.PyCF_ONLY_AST, dont_inherit=True)
        return ()
    tree = ast.parse(text)
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    lineages = {name: _lineage(name, classes, _names_of_strategy(tree)) for name in classes}
    parents = {base for line in lineages.values() if line for base in line[1:]}
    found = []
    for name, line in lineages.items():
        if line:
            declared = _declared([classes[one] for one in line])
            if declared.decides or name not in parents:
                found.append(declared)
    return tuple(found)


def _names_of_strategy(tree: ast.Module) -> frozenset[str]:
    """What the file calls the base class: `Strategy`, or what it imports it as."""
    names = {"Strategy"}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == API_MODULE:
            names |= {alias.asname for alias in node.names if alias.name == "Strategy" and alias.asname}
    return frozenset(names)


def _lineage(
    name: str, classes: Mapping[str, ast.ClassDef], roots: frozenset[str], seen: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """The class and the classes of the file it derives from, itself first; empty where it is no strategy."""
    for base in classes[name].bases:
        called = (
            base.id if isinstance(base, ast.Name) else base.attr if isinstance(base, ast.Attribute) else ""
        )
        if called in classes and called not in {*seen, name}:
            above = _lineage(called, classes, roots, (*seen, name))
            if above:
                return (name, *above)
        elif called in roots and called not in classes:
            return (name,)
    return ()


def _declared(lineage: list[ast.ClassDef]) -> Declared:
    node = lineage[0]
    parameters: dict[str, Parameter] = {}
    version: int | None = 1
    methods = set[str]()
    for one in reversed(lineage):
        for statement in one.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                methods.add(statement.name)
            elif isinstance(statement, ast.Assign) and _is_version(statement.targets[0]):
                version = _whole(statement.value)
            elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                if _is_version(statement.target):
                    version = _whole(statement.value)
                elif _is_field(statement):
                    parameters[statement.target.id] = _parameter(statement.target.id, statement)
    summary = (ast.get_docstring(node) or "").split("\n")[0]
    return Declared(
        node.name,
        node.lineno,
        summary,
        version,
        tuple(parameters.values()),
        "decide" in methods,
        "target" in methods,
    )


def _is_version(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id == "api_version"


def _whole(value: ast.expr | None) -> int | None:
    constant = value.value if isinstance(value, ast.Constant) else None
    return constant if type(constant) is int else None


def _is_field(statement: ast.AnnAssign) -> bool:
    name = statement.target.id if isinstance(statement.target, ast.Name) else "_"
    kind = (
        statement.annotation.value
        if isinstance(statement.annotation, ast.Subscript)
        else statement.annotation
    )
    return not name.startswith("_") and _last_name(kind) != "ClassVar"


def _parameter(name: str, statement: ast.AnnAssign) -> Parameter:
    annotation, calls = _taken_apart(statement.annotation)
    is_optional = False
    if isinstance(annotation, ast.BinOp):
        members = _members(annotation)
        is_optional = any(isinstance(one, ast.Constant) and one.value is None for one in members)
        kept = [one for one in members if not (isinstance(one, ast.Constant) and one.value is None)]
        annotation, inner = _taken_apart(kept[0]) if len(kept) == 1 else (annotation, [])
        calls = [*calls, *inner]
    kind, choices = _kind(annotation)
    value = statement.value
    if isinstance(value, ast.Call) and _called(value) == "Field":
        calls = [*calls, value]
    keywords = {word.arg: word.value for call in calls for word in call.keywords if word.arg}
    default, is_required = _default(value)
    units = [_plain(call.args[0]) for call in calls if _called(call) == "unit" and call.args]
    return Parameter(
        name=name,
        kind=kind,
        default=default,
        is_required=is_required,
        bounds=_bounds(keywords, whole=kind == "int"),
        choices=choices,
        unit=str(units[-1]) if units else "",
        description=str(_plain(keywords.get("description")) or ""),
        is_optional=is_optional,
    )


def _taken_apart(annotation: ast.expr) -> tuple[ast.expr, list[ast.Call]]:
    """The type of an `Annotated[type, ...]`, and the calls beside it."""
    if not (isinstance(annotation, ast.Subscript) and _last_name(annotation.value) == "Annotated"):
        return annotation, []
    parts = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
    return parts[0], [one for one in parts[1:] if isinstance(one, ast.Call)]


def _members(union: ast.expr) -> list[ast.expr]:
    if isinstance(union, ast.BinOp) and isinstance(union.op, ast.BitOr):
        return [*_members(union.left), *_members(union.right)]
    return [union]


def _kind(annotation: ast.expr) -> tuple[str, tuple[str, ...]]:
    if isinstance(annotation, ast.Subscript) and _last_name(annotation.value) == "Literal":
        inner = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        return "choice", tuple(str(_plain(one)) for one in inner)
    kind = _KINDS.get(_last_name(annotation)) or ast.unparse(annotation)
    return kind, ("true", "false") if kind == "bool" else ()


def _default(value: ast.expr | None) -> tuple[Any, bool]:
    """The default, and whether there is none: of `= 3` or of `= Field(3, ...)`."""
    if isinstance(value, ast.Call) and _called(value) == "Field":
        named = [word.value for word in value.keywords if word.arg == "default"]
        value = next(iter([*value.args, *named]), None)
    if value is None or (isinstance(value, ast.Constant) and value.value is ...):
        return None, True
    return _plain(value), False


def _plain(value: ast.expr | None) -> Any:  # noqa: ANN401  constants have many types
    """A constant as JSON has it; any other expression as it is written."""
    if value is None:
        return None
    if isinstance(value, ast.Call) and _called(value) == "Decimal" and len(value.args) == 1:
        return str(_plain(value.args[0]))
    try:
        return ast.literal_eval(value)
    except ValueError:
        return ast.unparse(value)


def _bounds(keywords: Mapping[str, ast.expr], *, whole: bool) -> Bounds:
    found = {
        name: _number(keywords[name]) for name in ("gt", "ge", "lt", "le", "multiple_of") if name in keywords
    }
    low, high = found.get("ge"), found.get("le")
    low_is_open = low is None and found.get("gt") is not None
    high_is_open = high is None and found.get("lt") is not None
    if low_is_open and (above := found["gt"]) is not None:
        low = above + whole
    if high_is_open and (below := found["lt"]) is not None:
        high = below - whole
    step = found.get("multiple_of")
    return Bounds(low, high, step, low_is_open and not whole, high_is_open and not whole)


def _number(value: ast.expr) -> Decimal | None:
    plain = _plain(value)
    try:
        return Decimal(str(plain))
    except ArithmeticError:
        return None


def _called(call: ast.Call) -> str:
    return _last_name(call.func)


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
