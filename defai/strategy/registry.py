"""Finding strategies: by `file.py:Class`, by a name in a strategies folder, or by an installed entry point.

Names are listed by reading files' syntax trees, so that listing imports nothing; a file is imported when one of its
strategies is asked for. A file that cannot be read is reported by name, and the rest are there all the same.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint
from inspect import isabstract
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from defai.errors import ConfigError, NotFoundError, did_you_mean
from defai.strategy.api import API_VERSION, Strategy
from defai.strategy.declared import Declared, declared_in, uncollected
from defai.strategy.importing import Found, entry_points, import_file, import_plugin, plugin_file
from defai.strategy.parameters import Parameter

ENTRY_POINTS: Final = "defai.strategies"
ISOLATE_VARIABLE: Final = "DEFAI_ISOLATE"
"""With any text in it strategies are loaded in processes of their own, here and in the workers that are started."""
FOLDER_VARIABLE: Final = "DEFAI_STRATEGIES_DIR"
"""Names a folder of strategies, ahead of ./strategies; `strategies_dir` of the settings says the same."""


@dataclass(frozen=True, slots=True)
class StrategyName:
    """A strategy that can be asked for.

    Attributes:
        name: what it is called: its file's name, or the class's in snake_case where a file has several.
        origin: the file, or the entry point's value.
        problem: why it cannot be used; empty where nothing speaks against it yet.
        installed: whether it comes from an installed package, not from a file of a strategies folder.
        file: where its source stands; empty where that is not known without importing it.
        parameters: as its file declares them.
        forecasts: whether its file says that it has a target, and so wants a model.
    """

    name: str
    origin: str
    class_name: str
    summary: str
    problem: str = ""
    installed: bool = False
    file: str = ""
    parameters: tuple[Parameter, ...] = ()
    forecasts: bool = False


@dataclass(frozen=True, slots=True)
class LoadedStrategy:
    """A strategy with its parameters, and the source its digest is made of.

    Attributes:
        protection: what protects from its code, in words, where it runs in a process of its own; else empty.
    """

    name: str
    strategy: Strategy
    source: bytes = field(repr=False)
    origin: str
    protection: str = ""


def strategies_folder() -> Path:
    """The folder that strategies are looked for in first."""
    return strategies_folders()[0]


def shipped_folder() -> Path:
    """The folder that came with defai: baselines are taken from there, whatever an author calls his own."""
    package = Path(__file__).resolve().parent
    beside = package.parent.parent / "strategies"
    return beside if beside.is_dir() else package / "bundled"


def strategies_folders(first: Path | None = None) -> tuple[Path, ...]:
    """The configured folder, then ./strategies, then the one that came with defai, which the demo runs anywhere."""
    configured, here = first or os.environ.get(FOLDER_VARIABLE), Path.cwd() / "strategies"
    places = [Path(configured).absolute()] if configured else []
    places += [here] if here.is_dir() else []
    return tuple(dict.fromkeys([*places, shipped_folder()]))


def list_names(folder: Path | None = None, *, first: Path | None = None) -> list[StrategyName]:
    """Every strategy there is to ask for, by name, without importing one of them.

    A folder's files are looked at, and NAME/NAME.py of the folders in it. Where a name is there twice, the author's own
    file comes before one of defai's, and that before a plugin.

    Args:
        folder: look there alone, and among the installed plugins; the usual places by default.
        first: a folder to look in ahead of the usual places.
    """
    folders = strategies_folders(first) if folder is None else (folder,)
    found: dict[str, StrategyName] = {}
    with uncollected():
        for path in (path for place in folders for path in _files_in(place)):
            for name in _names_in(path):
                found.setdefault(name.name, name)
        for point in entry_points(group=ENTRY_POINTS):
            found.setdefault(point.name, _plugin_name(point))
    return sorted(found.values(), key=lambda entry: entry.name)


def load(
    reference: str,
    parameters: Mapping[str, Any] | None = None,
    folder: Path | None = None,
    *,
    first: Path | None = None,
    isolate: bool | None = None,
) -> LoadedStrategy:
    """Load a strategy and give it its parameters.

    Args:
        reference: `path/to/file.py:Class`, `path/to/file.py` where the file has one, or a name that `list_names` lists.
        parameters: values for its fields; the rest keep their defaults.
        folder: where names are looked for; the usual places by default.
        first: a folder where names are looked for ahead of the usual places.
        isolate: run its code in a process of its own; see `defai.strategy.isolation`. Where nothing is said,
            `ISOLATE_VARIABLE` does.

    Raises:
        NotFoundError: where there is no such file, class or name.
        ConfigError: where the file cannot be imported, was written for another version of the API, or a parameter
            does not fit.
    """
    path, class_name = split_reference(reference)
    if isolation_wanted() if isolate is None else isolate:
        return _load_isolated(locate(reference, folder, first=first), parameters or {})
    if path is None:
        found, name = _find_named(reference, list_names(folder, first=first)), reference
    else:
        class_name = _declared_class(path, class_name)
        found, name = import_file(path, class_name), snake_case(class_name)
    refuse_other_version(found.cls.__name__, found.cls.api_version, found.origin)
    return LoadedStrategy(name, _instantiate(found.cls, parameters or {}), found.source, found.origin)


@dataclass(frozen=True, slots=True)
class Located:
    """Where a strategy is, found without importing it.

    Attributes:
        file: its source.
        reference: what finds it from any folder.
        name: what it is called.
    """

    file: Path
    reference: str
    name: str
    origin: str


def isolation_wanted() -> bool:
    """Whether strategies are to be loaded in processes of their own where nothing else is said."""
    return bool(os.environ.get(ISOLATE_VARIABLE))


def locate(reference: str, folder: Path | None = None, *, first: Path | None = None) -> Located:
    """Find a strategy; arguments as for `load`.

    Raises:
        NotFoundError: where there is no such file, class or name.
        ConfigError: where its source cannot be read without importing it.
    """
    path, class_name = split_reference(reference)
    if path is not None:
        class_name = _declared_class(path, class_name)
        return Located(path, f"{path.resolve()}:{class_name}", snake_case(class_name), str(path))
    entry = _usable(reference, list_names(folder, first=first))
    if not entry.file:
        raise ConfigError(f"The source of the installed strategy '{reference}' is not found unimported.")
    path = Path(entry.file)
    where = reference if entry.installed else f"{path.resolve()}:{entry.class_name}"
    return Located(path, where, reference, entry.origin)


def _load_isolated(place: Located, parameters: Mapping[str, Any]) -> LoadedStrategy:
    """As `load`, but that its file is imported by a process of its own only."""
    from defai.strategy.isolation.process import Place  # noqa: PLC0415  few want it
    from defai.strategy.isolation.remote import isolated  # noqa: PLC0415  the same

    strategy = isolated(Place(place.reference, (str(place.file.resolve()),)), parameters)
    protection = strategy.in_force
    refuse_other_version(type(strategy).__name__, type(strategy).api_version, place.origin)
    return LoadedStrategy(place.name, strategy, place.file.read_bytes(), place.origin, protection)


def split_reference(reference: str) -> tuple[Path | None, str | None]:
    """The file and the class that a reference names; no file where it is a name, no class where it names none."""
    if reference.endswith(".py"):
        return Path(reference), None
    path_text, _, class_name = reference.rpartition(":")
    return (Path(path_text), class_name) if path_text.endswith(".py") else (None, None)


def refuse_other_version(class_name: str, version: object, origin: str) -> None:
    """Refuse a strategy that was written for another version of the API.

    Raises:
        ConfigError: where it was.
    """
    problem = _version_problem(class_name, version)
    if problem:
        raise ConfigError(
            f"{origin}: {problem}.", "Install the defai it was written for, or another version of it."
        )


def snake_case(name: str) -> str:
    """VolatilityBand -> volatility_band."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _version_problem(class_name: str, version: object) -> str:
    if version == API_VERSION:
        return ""
    return f"{class_name} was written for version {version} of the strategy API, and this defai offers {API_VERSION}"


def _files_in(folder: Path) -> Iterator[Path]:
    """A folder's files, and the file of each folder in it that bears its name."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.endswith(".py"):
            yield Path(entry.path)
        elif not entry.name.startswith((".", "_")) and entry.is_dir():
            inner = Path(entry.path) / f"{entry.name}.py"
            if inner.is_file():
                yield inner


def _names_in(path: Path) -> list[StrategyName]:
    try:
        classes = declared_in(path.read_bytes())
    except (SyntaxError, ValueError, OSError) as error:
        problem = f"{type(error).__name__}: {error}"
        return [StrategyName(path.stem, str(path), "", "", problem, file=str(path))]
    return [
        _name(path.stem if len(classes) == 1 else snake_case(one.class_name), str(path), path, one)
        for one in classes
    ]


def _name(name: str, origin: str, path: Path, declared: Declared, *, installed: bool = False) -> StrategyName:
    version = declared.api_version
    return StrategyName(
        name=name,
        origin=origin,
        class_name=declared.class_name,
        summary=declared.summary,
        problem=_version_problem(declared.class_name, version) if version is not None else "",
        installed=installed,
        file=str(path),
        parameters=declared.parameters,
        forecasts=declared.forecasts,
    )


def _plugin_name(point: EntryPoint) -> StrategyName:
    """A plugin as its file declares it, where that is found without importing anything."""
    class_name = point.value.partition(":")[2]
    bare = StrategyName(point.name, point.value, class_name, "installed plugin", installed=True)
    path = plugin_file(point)
    if path is None:
        return bare
    try:
        classes = declared_in(path.read_bytes())
    except (SyntaxError, ValueError, OSError) as error:
        return replace(bare, problem=f"{type(error).__name__}: {error}", file=str(path))
    for declared in classes:
        if declared.class_name == class_name:
            return _name(point.name, point.value, path, declared, installed=True)
    return replace(bare, file=str(path))


def _find_named(name: str, names: Sequence[StrategyName]) -> Found:
    entry = _usable(name, names)
    if entry.installed:
        return import_plugin(entry_points(group=ENTRY_POINTS)[name])
    return import_file(Path(entry.origin), entry.class_name)


def _usable(name: str, names: Sequence[StrategyName]) -> StrategyName:
    for entry in names:
        if entry.name == name:
            if entry.problem:
                what = f"The strategy file {entry.file}" if entry.file else f"The strategy '{name}'"
                raise ConfigError(f"{what} cannot be used: {entry.problem}.")
            return entry
    known = [entry.name for entry in names if not entry.problem]
    hint = did_you_mean(name, known) or f"There are: {', '.join(known) or 'none'}."
    raise NotFoundError(f"There is no strategy called '{name}'.", hint)


def _declared_class(path: Path, class_name: str | None) -> str:
    """The class that is meant: the one that is named, or the only one of the file; before anything is imported.

    Raises:
        NotFoundError: where there is no such file, or no strategy in it.
        ConfigError: where it cannot be read, was written for another version of the API, or none is named of several.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no strategy file {path}.")
    try:
        declared = {one.class_name: one for one in declared_in(path.read_bytes())}
    except (SyntaxError, ValueError, OSError) as error:
        raise ConfigError(
            f"The strategy file {path} cannot be used: {type(error).__name__}: {error}."
        ) from error
    if class_name is None and len(declared) > 1:
        raise ConfigError(
            f"{path} has several strategies.", f"Name one of them: {path}:{next(iter(declared))}."
        )
    if class_name is None and not declared:
        raise NotFoundError(
            f"{path} has no strategy in it.", "A strategy is a class that derives from Strategy."
        )
    name = next(iter(declared)) if class_name is None else class_name
    if name in declared and declared[name].api_version is not None:
        refuse_other_version(name, declared[name].api_version, str(path))
    return name


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
