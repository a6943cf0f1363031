"""Finding strategies: by `file.py:Class`, by a name in the strategies folder, or by an installed entry point.

Names are listed by reading files' syntax trees, so that listing imports nothing; a file is imported when one of its
strategies is asked for. A file that cannot be read is reported by name, and the rest are there all the same.
"""

import ast
import hashlib
import importlib.util
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.abc import SourceLoader
from importlib.metadata import EntryPoint, entry_points
from inspect import getsource, isabstract
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from defai.errors import ConfigError, NotFoundError, did_you_mean
from defai.strategy.api import Strategy

ENTRY_POINTS = "defai.strategies"


@dataclass(frozen=True, slots=True)
class StrategyName:
    """A strategy that can be asked for.

    Attributes:
        name: what it is called: its file's name, or the class's in snake_case where a file has several.
        origin: the file, or the entry point's value.
        problem: why its file cannot be read; empty where it can.
        installed: whether it comes from an installed package, not from a file of a strategies folder.
    """

    name: str
    origin: str
    class_name: str
    summary: str
    problem: str = ""
    installed: bool = False


@dataclass(frozen=True, slots=True)
class LoadedStrategy:
    """A strategy with its parameters, and the source its digest is made of."""

    name: str
    strategy: Strategy
    source: bytes = field(repr=False)
    origin: str


def strategies_folder() -> Path:
    """The folder that strategies are looked for in first: ./strategies, else the one that came with defai."""
    return _strategies_folders()[0]


def shipped_folder() -> Path:
    """The folder that came with defai: baselines are taken from there, whatever an author calls his own."""
    package = Path(__file__).resolve().parent
    beside = package.parent.parent / "strategies"
    return beside if beside.is_dir() else package / "bundled"


def _strategies_folders() -> tuple[Path, ...]:
    """The author's own folder before the one that came with defai, whose strategies the demo runs anywhere."""
    shipped, here = shipped_folder(), Path.cwd() / "strategies"
    return (here, shipped) if here.is_dir() and here != shipped else (shipped,)


def list_names(folder: Path | None = None) -> list[StrategyName]:
    """Every strategy there is to ask for, by name, without importing one of them.

    Where a name is there twice, the author's own file comes before one of defai's, and that before a plugin.
    """
    folders = _strategies_folders() if folder is None else (folder,)
    files = (path for place in folders for path in sorted(place.glob("*.py")))
    found: dict[str, StrategyName] = {}
    for name in (name for path in files for name in _names_in(path)):
        found.setdefault(name.name, name)
    for point in entry_points(group=ENTRY_POINTS):
        class_name = point.value.partition(":")[2]
        plugin = StrategyName(point.name, point.value, class_name, "installed plugin", installed=True)
        found.setdefault(point.name, plugin)
    return sorted(found.values(), key=lambda entry: entry.name)


def load(
    reference: str, parameters: Mapping[str, Any] | None = None, folder: Path | None = None
) -> LoadedStrategy:
    """Load a strategy and give it its parameters.

    Args:
        reference: `path/to/file.py:Class`, or a name that `list_names` lists.
        parameters: values for its fields; the rest keep their defaults.
        folder: where names are looked for; the usual places by default.

    Raises:
        NotFoundError: where there is no such file, class or name.
        ConfigError: where the file cannot be imported or a parameter does not fit.
    """
    path_text, _, class_name = reference.rpartition(":")
    is_file = path_text.endswith(".py")
    cls, source, origin = (
        _load_file(Path(path_text), class_name) if is_file else _load_named(reference, folder)
    )
    name = snake_case(class_name or cls.__name__) if is_file else reference
    return LoadedStrategy(name, _instantiate(cls, parameters or {}), source, origin)


def snake_case(name: str) -> str:
    """VolatilityBand -> volatility_band."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _names_in(path: Path) -> list[StrategyName]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError, OSError) as error:
        return [StrategyName(path.stem, str(path), "", "", f"{type(error).__name__}: {error}")]
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and _extends_strategy(node)]
    return [
        StrategyName(
            name=path.stem if len(classes) == 1 else snake_case(node.name),
            origin=str(path),
            class_name=node.name,
            summary=(ast.get_docstring(node) or "").split("\n")[0],
        )
        for node in classes
    ]


def _extends_strategy(node: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id == "Strategy" for base in node.bases)


def _load_named(name: str, folder: Path | None) -> tuple[type[Strategy], bytes, str]:
    names = list_names(folder)
    for entry in names:
        if entry.name == name:
            if entry.problem:
                raise ConfigError(f"The strategy file {entry.origin} cannot be read: {entry.problem}.")
            if entry.installed:
                return _load_plugin(entry_points(group=ENTRY_POINTS)[name])
            return _load_file(Path(entry.origin), entry.class_name)
    known = [entry.name for entry in names if not entry.problem]
    hint = did_you_mean(name, known) or f"There are: {', '.join(known) or 'none'}."
    raise NotFoundError(f"There is no strategy called '{name}'.", hint)


def _load_plugin(point: EntryPoint) -> tuple[type[Strategy], bytes, str]:
    try:
        cls = point.load()
    except (Exception, SystemExit) as error:
        raise ConfigError(
            f"The installed strategy '{point.name}' ({point.value}) cannot be imported: "
            f"{type(error).__name__}: {error}."
        ) from error
    if not (isinstance(cls, type) and issubclass(cls, Strategy)):
        raise ConfigError(f"The installed strategy '{point.name}' ({point.value}) is no Strategy.")
    return cls, getsource(sys.modules[cls.__module__]).encode(), point.value


def _load_file(path: Path, class_name: str) -> tuple[type[Strategy], bytes, str]:
    if not path.is_file():
        raise NotFoundError(f"There is no strategy file {path}.")
    source = path.read_bytes()
    module = _import_file(path, source)
    cls = getattr(module, class_name, None)
    if not (isinstance(cls, type) and issubclass(cls, Strategy)):
        known = [name for name, value in vars(module).items() if _is_strategy(value, module)]
        raise NotFoundError(
            f"{path} has no strategy class called '{class_name}'.",
            did_you_mean(class_name, known) or f"It has: {', '.join(known) or 'none'}.",
        )
    return cls, source, str(path)


def _is_strategy(value: object, module: ModuleType) -> bool:
    return isinstance(value, type) and issubclass(value, Strategy) and value.__module__ == module.__name__


class _SourceAsRead(SourceLoader):
    """Compiles the very bytes that a strategy's digest is made of.

    The usual loader reads the file once more, and trusts bytecode of another version of it that was written within the
    same second at the same length.
    """

    def __init__(self, path: Path, source: bytes) -> None:
        self._path = str(path)
        self._source = source

    def get_filename(self, fullname: str) -> str:  # noqa: ARG002  it loads one file
        """Where the source was read."""
        return self._path

    def get_data(self, path: str) -> bytes:  # noqa: ARG002  the same
        """The source as it was read."""
        return self._source


def _import_file(path: Path, source: bytes) -> ModuleType:
    name = (
        f"defai_strategy_{path.stem}_{hashlib.sha256(str(path.resolve()).encode() + source).hexdigest()[:12]}"
    )
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path, loader=_SourceAsRead(path, source))
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise ConfigError(
            f"The strategy file {path} cannot be imported: {type(error).__name__}: {error}."
        ) from error
    return module


def _instantiate(cls: type[Strategy], parameters: Mapping[str, Any]) -> Strategy:
    fields = tuple(cls.model_fields)
    for key in parameters:
        if key not in fields:
            raise ConfigError(
                f"{cls.__name__} has no parameter '{key}'.",
                did_you_mean(key, fields) or f"It has: {', '.join(fields) or 'none'}.",
            )
    if isabstract(cls):
        raise ConfigError(
            f"{cls.__name__} is not a whole strategy: it has no {' and no '.join(sorted(cls.__abstractmethods__))}."
        )
    try:
        return cls(**parameters)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"{cls.__name__}: parameter '{where}': {first['msg']}, not {first['input']!r}."
        ) from error
