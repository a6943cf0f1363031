"""Importing a strategy's file, and finding an installed plugin's without importing it."""

import hashlib
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from importlib.abc import SourceLoader
from importlib.metadata import EntryPoint, EntryPoints
from inspect import getsource
from pathlib import Path
from types import ModuleType

from defai.errors import ConfigError, NotFoundError, did_you_mean
from defai.strategy.api import Strategy


@dataclass(frozen=True, slots=True)
class Found:
    """A strategy's class, the source that its digest is made of, and where it comes from."""

    cls: type[Strategy]
    source: bytes
    origin: str


def import_file(path: Path, class_name: str) -> Found:
    """Import a strategy's file.

    Raises:
        NotFoundError: where there is no such file, or no such class in it.
        ConfigError: where it cannot be imported.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no strategy file {path}.")
    source = path.read_bytes()
    module = _import(path, source)
    cls = getattr(module, class_name, None)
    if not (isinstance(cls, type) and issubclass(cls, Strategy)):
        known = [name for name, value in vars(module).items() if _is_strategy(value, module)]
        raise NotFoundError(
            f"{path} has no strategy class called '{class_name}'.",
            did_you_mean(class_name, known) or f"It has: {', '.join(known) or 'none'}.",
        )
    return Found(cls, source, str(path))


def import_plugin(point: EntryPoint) -> Found:
    """Import an installed strategy.

    Raises:
        ConfigError: where it cannot be imported, or is none.
    """
    try:
        cls = point.load()
    except (Exception, SystemExit) as error:
        raise ConfigError(
            f"The installed strategy '{point.name}' ({point.value}) cannot be imported: "
            f"{type(error).__name__}: {error}."
        ) from error
    if not (isinstance(cls, type) and issubclass(cls, Strategy)):
        raise ConfigError(f"The installed strategy '{point.name}' ({point.value}) is no Strategy.")
    return Found(cls, getsource(sys.modules[cls.__module__]).encode(), point.value)


def entry_points(group: str) -> EntryPoints:
    """What installed packages offer, as `importlib.metadata` says, which reads all of them anew at every question."""
    return _entry_points_of(group, tuple((place, _changed_at(place)) for place in sys.path))


@lru_cache(maxsize=4)
def _entry_points_of(group: str, _places: tuple[tuple[str, int], ...]) -> EntryPoints:
    return metadata.entry_points(group=group)


def _changed_at(place: str) -> int:
    """When something was last put into a folder or taken out of it; 0 where there is none."""
    try:
        return Path(place).stat().st_mtime_ns
    except OSError:
        return 0


def plugin_file(point: EntryPoint) -> Path | None:
    """The file of an entry point's module, found without importing anything; None where that takes an import."""
    top, *inner = point.module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if not inner:
        return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None
    return _below(spec.submodule_search_locations or (), inner)


def _below(places: Sequence[str], parts: Sequence[str]) -> Path | None:
    for place in places:
        path = Path(place).joinpath(*parts)
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
    return None


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


def _import(path: Path, source: bytes) -> ModuleType:
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
