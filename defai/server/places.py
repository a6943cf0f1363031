"""Where a serving session can be found, and what lets one in: a file beside the user's state that nobody else reads.

The token stands in no argument, log or error: it is in this file, which is the user's alone, or in `DEFAI_TOKEN`.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from platformdirs import user_state_path

from defai import whole_file
from defai.errors import ConfigError, DefaiError, NotRunningError
from defai.redaction import protect

TOKEN: Final = "DEFAI_TOKEN"  # noqa: S105  the variable's name
_SHORTEST: Final = 16
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Place:
    """A session that serves.

    Attributes:
        token: empty where it is in the environment of whoever started it.
    """

    url: str
    pid: int
    run_directory: str | None
    token: str = ""


def folder() -> Path:
    """Where the files are."""
    return user_state_path("defai", appauthor=False) / "serving"


def new_token() -> str:
    """The token of the environment, else a new one.

    Raises:
        ConfigError: where the one of the environment could be guessed.
    """
    import secrets  # noqa: PLC0415  whoever only attaches makes none, and need not wait for the cryptography

    given = os.environ.get(TOKEN, "")
    if given and len(given) < _SHORTEST:
        raise ConfigError(
            f"{TOKEN} is too short to be safe.", f"Take {_SHORTEST} characters or more, or none at all."
        )
    token = given or secrets.token_urlsafe(32)
    protect(token)
    return token


@contextmanager
def announced(url: str, token: str, run_directory: str | None) -> Iterator[Path]:
    """Let a session be found while this lasts.

    Raises:
        DefaiError: where the file cannot be written.
    """
    kept = "" if os.environ.get(TOKEN) else token
    place = Place(url, os.getpid(), run_directory, kept)
    path = folder() / f"{urlsplit(url).port}.json"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        whole_file.put(path, json.dumps(asdict(place)).encode(), mode=0o600)
    except OSError as error:
        raise DefaiError(f"{path} cannot be written: {error.strerror}.", "Make room.") from error
    try:
        yield path
    finally:
        with suppress(OSError):
            if _read(path) == place:
                path.unlink()


def places() -> list[Place]:
    """Sessions that serve now, the newest last; files of processes that are gone are passed over."""
    if not folder().is_dir():
        return []
    files = sorted(folder().glob("*.json"), key=_age)
    return [place for place in map(_read, files) if place is not None and _is_alive(place.pid)]


def find(url: str | None) -> tuple[str, str]:
    """The address and the token of a session.

    Args:
        url: as a person writes it; None for the one that runs.

    Raises:
        NotRunningError: where none runs.
        ConfigError: where several do, the address leads elsewhere, or nobody knows its token.
    """
    running = places()
    if url is None:
        if not running:
            raise NotRunningError("No session is serving.", "Start one: defai demo --headless --serve")
        if len(running) > 1:
            raise ConfigError(
                "Several sessions are serving.", "Name one: " + ", ".join(place.url for place in running)
            )
        url = running[0].url
    url = canonical(url)
    token = os.environ.get(TOKEN) or next((place.token for place in running if place.url == url), "")
    if not token:
        if not any(place.url == url for place in running):
            raise NotRunningError(f"No session is serving at {url}.", "`defai status` lists those that are.")
        raise ConfigError(f"Nobody knows the token of {url}.", f"Set {TOKEN} as it was set there.")
    if len(token) < _SHORTEST:
        raise ConfigError(f"{TOKEN} is too short to be a session's token.", "Set it as it was set there.")
    protect(token)
    return url, token


def canonical(url: str) -> str:
    """An address as sessions announce it.

    Raises:
        ConfigError: where it is none, or not this machine's.
    """
    whole = url if "://" in url else f"ws://{url}"
    try:
        parts = urlsplit(whole)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if host is None or port is None:
        raise ConfigError(f"'{url}' is no address of a session.", "It looks like ws://127.0.0.1:8765.")
    if host not in _LOOPBACK:
        raise ConfigError(
            f"{host} is not this machine.", "Sessions serve the loopback interface only: use an ssh tunnel."
        )
    return f"ws://127.0.0.1:{port}"


def _read(path: Path) -> Place | None:
    try:
        return Place(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
