"""`--isolate` of commands that load strategies in many places, and in workers: one word to all of them."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def isolate_option(function: Command) -> Command:
    """While the command runs, strategies are loaded in processes of their own: here, and in whatever it starts."""
    option = click.option(
        "--isolate",
        is_flag=True,
        expose_value=False,
        callback=_isolating,
        help="Run strategies' code in processes of its own, without network and files.",
    )
    return option(function)


def _isolating(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from defai.strategy.registry import ISOLATE_VARIABLE  # noqa: PLC0415  loads on use, so that --help is quick

    stack = context.with_resource(ExitStack())
    before = os.environ.get(ISOLATE_VARIABLE)
    os.environ[ISOLATE_VARIABLE] = "1"
    if before is None:
        stack.callback(os.environ.pop, ISOLATE_VARIABLE, None)
