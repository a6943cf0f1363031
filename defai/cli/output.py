"""How commands print what a program will read."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from tempfile import mkdtemp

import click

from defai.errors import DefaiError
from defai.harmless import harmless


def say(line: str, *, err: bool = False) -> None:
    """Print a line with what others wrote in it: strategies' reasons, strangers' records, names from the chain."""
    click.echo(harmless(line), err=err)


def require_folder(folder: Path | None) -> None:
    """See that a folder can be written to, or made, before somebody waits for what is to be written. It is not made.

    Raises:
        DefaiError: where it takes nothing, or cannot be made.
    """
    if folder is None:
        return
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    try:
        Path(mkdtemp(prefix=".", dir=there)).rmdir()
    except OSError as error:
        raise DefaiError(
            f"Nothing can be written to {folder}: {error.strerror}.", "Name another folder."
        ) from error


def print_json(result: Mapping[str, object]) -> None:
    """Print one JSON object on one line of standard output. Decimals and paths are written as strings."""
    text = json.dumps(result, default=_plain, ensure_ascii=False)
    if not text.isprintable():  # orders to a terminal, that JSON lets pass: they are written as escapes
        text = json.dumps(result, default=_plain)
    click.echo(text)


def _plain(value: object) -> str:
    if isinstance(value, Decimal | Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in printed JSON")
