"""What an author's feature is known by: the text of its function, and of all it uses of the same file."""

import hashlib
import inspect
from collections.abc import Callable, Iterator
from textwrap import dedent
from types import CodeType, FunctionType
from typing import Any, Final

from defai.errors import ConfigError

_CONSTANTS: Final = (int, float, str, bytes, tuple, frozenset)


def code_digest(function: Callable[..., Any]) -> str:
    """sha256 over the source of a function and, name by name, of the functions and constants of its file it uses.

    Raises:
        ConfigError: where the source can't be read.
    """
    parts: dict[str, str] = {}
    _collect(function, parts)
    text = "\n".join(f"{name}\n{parts[name]}" for name in sorted(parts))
    return hashlib.sha256(text.encode()).hexdigest()


def _collect(function: Callable[..., Any], parts: dict[str, str]) -> None:
    if function.__name__ in parts:
        return
    parts[function.__name__] = dedent(_source(function))
    code, scope = function.__code__, function.__globals__
    for name in _names(code):
        used = scope.get(name)
        if isinstance(used, FunctionType) and used.__code__.co_filename == code.co_filename:
            _collect(used, parts)
        elif name in scope and isinstance(used, _CONSTANTS):
            parts[name] = repr(used)


def _source(function: Callable[..., Any]) -> str:
    """The text that was compiled, where the module's loader has kept it; the file may have been changed since."""
    scope = function.__globals__
    keep = getattr(scope.get("__loader__"), "get_source", None)
    text = keep(scope["__name__"]) if keep else None
    try:
        if text is None:
            return inspect.getsource(function)
        lines = text.splitlines(keepends=True)
        return "".join(inspect.getblock(lines[function.__code__.co_firstlineno - 1 :]))
    except (OSError, TypeError) as error:
        raise ConfigError(
            f"The source of the feature function {function.__name__} can't be read.",
            "Write it in a file: its text is part of what a model is trained on.",
        ) from error


def _names(code: CodeType) -> Iterator[str]:
    """Names that a function looks up, those inside it included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
