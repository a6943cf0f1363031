"""`-c FLEET` of commands that look at strategies: where that fleet's configuration says, as a session does."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def fleet_option(command: Command) -> Command:
    """Add `-c`: names of strategies are looked for first in the `strategies_dir` of a configuration."""
    return click.option(
        "-c",
        "--config",
        type=click.Path(path_type=Path),
        expose_value=False,
        callback=_look_first,
        help="A fleet's TOML file: its strategies_dir is looked into first.",
    )(command)


def _look_first(_: click.Context, __: click.Parameter, path: Path | None) -> None:
    """Say so to this process and to all that it starts: a check and a look-ahead analysis run others."""
    if path is None:
        return
    from defai.config import Settings  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.errors import ConfigError  # noqa: PLC0415  the same
    from defai.strategy.registry import FOLDER_VARIABLE  # noqa: PLC0415  the same

    folder = Settings.load(path).strategies_dir
    if folder is None:
        raise ConfigError(f"{path} has no strategies_dir.", "Leave -c out, or name the folder with --folder.")
    os.environ[FOLDER_VARIABLE] = str(folder.absolute())
