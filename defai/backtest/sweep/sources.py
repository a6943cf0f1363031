"""Sources as workers keep them: read once a process, known by what is in their files."""

import hashlib
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Final

from defai.backtest.ground import Ground
from defai.backtest.request import BacktestRequest, open_ground
from defai.errors import ConfigError, NotFoundError

_MOST_KEPT: Final = 3
"""Histories can be large, and runs come window by window."""
_KEPT: Final[OrderedDict[tuple[str, ...], Ground]] = OrderedDict()
_LOCK: Final = threading.Lock()


def digest_of(source: Path) -> str:
    """SHA-256 of a source's files, names and contents; hidden files are none.

    Raises:
        NotFoundError: where there is nothing at the path.
        ConfigError: where a file cannot be read.
    """
    digest = hashlib.sha256()
    for path in _files(source):
        digest.update(f"{path.relative_to(source.parent)}\0".encode())
        try:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    return digest.hexdigest()


def ground_for(request: BacktestRequest, source_digest: str) -> Ground:
    """The ground of a request: the one that was read before, as long as its files stay as they are.

    Args:
        request: what is asked for; runs that differ in parameters share a ground.
        source_digest: what the files have to be.

    Raises:
        DefaiError: where the source cannot be read.
        ConfigError: where it is another one.
    """
    key = (*_stamp(request.source), source_digest, *_read_with(request))
    with _LOCK:
        if key in _KEPT:
            _KEPT.move_to_end(key)
            return _KEPT[key]
        if digest_of(request.source) != source_digest:
            raise ConfigError(f"{request.source} is not what it was when the plan was made.")
        while len(_KEPT) >= _MOST_KEPT:
            _KEPT.popitem(last=False)
        _KEPT[key] = open_ground(request)
        return _KEPT[key]


def _read_with(request: BacktestRequest) -> tuple[str, ...]:
    """All of a request that its ground may depend on: everything but what the agents are."""
    agents = {"strategies", "parameters", "balances", "limits", "baselines", "compare_flows", "model"}
    names = (name for name in BacktestRequest.__slots__ if name not in agents)
    return tuple(f"{name}={getattr(request, name)}" for name in names)


def _stamp(source: Path) -> tuple[str, ...]:
    """Changes when a file does, without reading it."""
    stats = ((path, path.stat()) for path in _files(source))
    return tuple(f"{path}:{stat.st_size}:{stat.st_mtime_ns}" for path, stat in stats)


def _files(source: Path) -> list[Path]:
    if source.is_dir():
        return sorted(path for path in source.rglob("*") if path.is_file() and not path.name.startswith("."))
    if not source.exists():
        raise NotFoundError(f"There is no file or folder {source}.")
    return [source]
