"""Reaching a session that serves, from a command of its own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--url", metavar="URL", help="Which session.  [default: the one that serves]"),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
)


def session_options(command: _Command) -> _Command:
    """Give a command the options that say which session."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def ask(url: str | None, method: str, **arguments: Any) -> Any:  # noqa: ANN401  what the method takes and gives
    """Ask a session one thing.

    Raises:
        NotRunningError: where none serves, or nobody answers.
    """
    import asyncio  # noqa: PLC0415  loads on use, so that --help is quick

    from defai.server.client import ask_once  # noqa: PLC0415  the same
    from defai.server.places import find  # noqa: PLC0415  the same

    return asyncio.run(ask_once(lambda: find(url), method, **arguments))


def status(url: str | None) -> dict[str, Any]:
    """What a session says of itself.

    Raises:
        NotRunningError: where none serves, or nobody answers.
    """
    from defai.server.places import find  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.server.standing import status_of  # noqa: PLC0415  the same

    where, token = find(url)
    return {"url": where, **status_of(where, token)}


def digest_of(waiting: Sequence[Mapping[str, Any]], name: str) -> str:
    """The digest of a decision that waits, by the beginning of it or by its agent's name.

    Raises:
        NotFoundError: where none waits, or more than one is meant.
    """
    from defai.errors import NotFoundError  # noqa: PLC0415  loads on use, so that --help is quick

    wanted = name if name.startswith("0x") else f"0x{name}"
    meant = [one["digest"] for one in waiting if one["agent"] == name or one["digest"].startswith(wanted)]
    if len(meant) != 1:
        found = "Nothing" if not meant else "More than one decision"
        raise NotFoundError(f"{found} of '{name}' waits for you.", "`defai approvals list` shows what waits.")
    return str(meant[0])
