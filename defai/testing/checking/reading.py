"""What a strategy's source gives away: what it must not use, and names that are not there."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Final

from defai.domain import intents
from defai.errors import did_you_mean
from defai.strategy.api import Context, Strategy
from defai.strategy.pool_view import PoolView
from defai.testing.checking.findings import Finding

_TIME: Final = "The block's time is ctx.timestamp."
_DRAW: Final = "ctx.rng draws, the same for whoever decides again."
_NOTHING: Final = "A decision may depend on its context alone."
_REMEMBER: Final = "Read it from ctx.outcomes, ctx.positions and the pools' history."
_CHANGING: Final = frozenset(
    {
        *(
            "append",
            "add",
            "update",
            "extend",
            "insert",
            "pop",
            "popitem",
            "clear",
            "setdefault",
            "remove",
            "discard",
        )
    }
)
_MODULES: Final[Mapping[str, str]] = {
    "time": _TIME,
    **dict.fromkeys(("random", "secrets", "uuid"), _DRAW),
    **dict.fromkeys(
        (
            *("os", "io", "sys", "pathlib", "shutil", "tempfile", "glob", "pickle", "shelve", "sqlite3"),
            *("socket", "ssl", "http", "urllib", "requests", "httpx", "aiohttp", "web3", "ftplib", "smtplib"),
            *("subprocess", "multiprocessing", "threading", "asyncio", "concurrent", "signal", "ctypes"),
            *("gc", "inspect", "importlib", "builtins", "logging", "atexit", "weakref", "contextvars"),
        ),
        _NOTHING,
    ),
}
_TYPES_ONLY: Final = {("random", "Random")}
"""Imported for annotations: nothing can be done with it but to seed one, which is pure."""
_BUILTINS: Final[Mapping[str, str]] = {
    "print": "Say it in the reason, or in on_outcome.",
    "id": "What it gives differs from process to process.",
    "hash": "What it gives for text differs from process to process.",
    **dict.fromkeys(
        (
            "open",
            "input",
            "exec",
            "eval",
            "compile",
            "__import__",
            "globals",
            "breakpoint",
            "setattr",
            "delattr",
        ),
        _NOTHING,
    ),
}
_NOW: Final = frozenset({"now", "utcnow", "today"})
_INTENTS: Final = {
    name: {field.name for field in fields(getattr(intents, name))}
    for name in (
        *("Hold", "Swap", "OpenPosition", "IncreaseLiquidity", "DecreaseLiquidity"),
        *("CollectFees", "ClosePosition", "Rebalance", "Batch"),
    )
}


def read_source(source: bytes, cls: type[Strategy]) -> list[Finding]:
    """What is wrong with a strategy's file, by its syntax tree.

    Args:
        source: the file.
        cls: the strategy in it.
    """
    tree = ast.parse(source)
    node = next(one for one in tree.body if isinstance(one, ast.ClassDef) and one.name == cls.__name__)
    return [*_impure(tree), *_memory(node), *_changed_globals(tree), *_unknown_names(tree, node, cls)]


def private_reaches(source: bytes) -> list[Finding]:
    """Where a file reads what is private of what it is given, which in a session may know what is yet to come.

    Raises:
        SyntaxError: where it is not Python.
    """
    found: list[Finding] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            found += (one for one in _reached(node) if one.hint == _NOTHING)
        elif isinstance(node, ast.Call):
            found += _named_reach(node)
    return found


def _impure(tree: ast.Module) -> Iterator[Finding]:
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                for alias in node.names:
                    yield from _imported(alias.name, "", node.lineno)
            case ast.ImportFrom(module=str(module)):
                for alias in node.names:
                    yield from _imported(module, alias.name, node.lineno)
            case ast.Global():
                yield Finding("purity", f"changes the global {', '.join(node.names)}", _NOTHING, node.lineno)
            case ast.Call():
                yield from _called(node)
            case ast.Attribute():
                yield from _reached(node)


def _called(call: ast.Call) -> Iterator[Finding]:
    match call.func:
        case ast.Name(id=name) if name in _BUILTINS:
            yield Finding("purity", f"calls {name}()", _BUILTINS[name], call.lineno)
        case ast.Attribute(attr=name) if name in _NOW:
            yield Finding("purity", f"asks the clock: {name}()", _TIME, call.lineno)
    yield from _named_reach(call)


def _named_reach(call: ast.Call) -> Iterator[Finding]:
    """What is reached for by a name in a text: a private one, or one that is not known before it runs."""
    match call:
        case ast.Call(func=ast.Name(id="getattr"), args=[owner, ast.Constant(value=str(name)), *_]):
            if _is_private(name) and not _is_own(owner):
                yield Finding("purity", f"reaches for {name}, which is private", _NOTHING, call.lineno)
        case ast.Call(func=ast.Name(id="getattr"), args=[owner, _, *_]) if not _is_own(owner):
            yield Finding("purity", "reaches by getattr() for whatever a name says", _NOTHING, call.lineno)
        case ast.Call(func=ast.Name(id="vars"), args=[owner]) if not _is_own(owner):
            yield Finding("purity", "calls vars()", _NOTHING, call.lineno)


def _reached(node: ast.Attribute) -> Iterator[Finding]:
    if node.attr == "random" and isinstance(node.value, ast.Name) and node.value.id in {"np", "numpy"}:
        yield Finding("purity", "draws from numpy.random", _DRAW, node.lineno)
    elif _is_private(node.attr) and not _is_own(node.value):
        yield Finding("purity", f"reaches for {node.attr}, which is private", _NOTHING, node.lineno)


def _imported(module: str, name: str, line: int) -> Iterator[Finding]:
    top = module.split(".", maxsplit=1)[0]
    if top in _MODULES and (module, name) not in _TYPES_ONLY:
        yield Finding("purity", f"imports {module}", _MODULES[top], line)


def _is_private(name: str) -> bool:
    return name.startswith("_") and name not in {"__name__", "__doc__"}


def _is_own(value: ast.expr) -> bool:
    """Whether something is asked of the strategy itself, or of what it derives from."""
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id == "super"
    return isinstance(value, ast.Name) and value.id in {"self", "cls"}


def _changed_globals(tree: ast.Module) -> Iterator[Finding]:
    """Lists, dicts and sets of the module that its functions change."""
    names = set[str]()
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            names |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            names.add(statement.target.id)
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for node in ast.walk(function):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)):
                    changes = name in names and method in _CHANGING
                case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
                    changes = name in names
                case _:
                    continue
            if changes:
                yield Finding("purity", f"remembers something in {name}", _REMEMBER, node.lineno)


def _memory(node: ast.ClassDef) -> Iterator[Finding]:
    for inner in ast.walk(node):
        if (
            isinstance(inner, ast.Call)
            and isinstance(inner.func, ast.Name)
            and inner.func.id == "PrivateAttr"
        ):
            yield Finding("purity", "keeps a memory of its own in a PrivateAttr", _REMEMBER, inner.lineno)
        elif isinstance(inner, ast.Assign | ast.AugAssign):
            targets = inner.targets if isinstance(inner, ast.Assign) else [inner.target]
            for target in targets:
                if isinstance(target, ast.Attribute) and _is_own(target.value):
                    yield Finding(
                        "purity", f"remembers something in self.{target.attr}", _REMEMBER, inner.lineno
                    )


def _unknown_names(tree: ast.Module, node: ast.ClassDef, cls: type[Strategy]) -> Iterator[Finding]:
    own = [*dir(cls), *cls.model_fields]
    looks = {"self": (own, cls.__name__)}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            inside = any(function is inner for inner in ast.walk(node))
            known = (looks if inside else {}) | _context_names(function)
            yield from _unknown_attributes(function, known)
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _INTENTS:
            yield from _wrong_fields(call, call.func.id)


def _context_names(function: ast.FunctionDef) -> dict[str, tuple[list[str], str]]:
    found = {}
    for argument in function.args.args:
        if isinstance(argument.annotation, ast.Name) and argument.annotation.id == "Context":
            found[argument.arg] = (dir(Context), "the context")
        elif isinstance(argument.annotation, ast.Name) and argument.annotation.id == "PoolView":
            found[argument.arg] = (dir(PoolView), "a pool's view")
    return found


def _unknown_attributes(
    function: ast.FunctionDef, looks: Mapping[str, tuple[list[str], str]]
) -> Iterator[Finding]:
    for node in ast.walk(function):
        if not isinstance(node, ast.Attribute):
            continue
        if isinstance(node.value, ast.Name) and node.value.id in looks:
            known, what = looks[node.value.id]
        elif _is_main_pool(node.value, looks):
            known, what = dir(PoolView), "a pool's view"
        else:
            continue
        if node.attr not in known:
            yield Finding("types", f"{what} has no {node.attr}", did_you_mean(node.attr, known), node.lineno)


def _is_main_pool(value: ast.expr, looks: Mapping[str, tuple[list[str], str]]) -> bool:
    return (
        isinstance(value, ast.Attribute)
        and value.attr == "pool"
        and isinstance(value.value, ast.Name)
        and looks.get(value.value.id, ([], ""))[1] == "the context"
    )


def _wrong_fields(call: ast.Call, kind: str) -> Iterator[Finding]:
    known = _INTENTS[kind]
    given = {word.arg for word in call.keywords}
    for name in sorted(name for name in given if name is not None and name not in known):
        yield Finding("types", f"{kind} has no {name}", did_you_mean(name, sorted(known)), call.lineno)
    missing = sorted(known - {name for name in given if name})
    if missing and None not in given and not call.args:
        check = "reasons" if missing == ["reason"] else "types"
        yield Finding(check, f"{kind} is not given its {', '.join(missing)}", "", call.lineno)
    if call.args:
        yield Finding("types", f"{kind} takes its fields by name", "", call.lineno)
