"""Having something typed out before it is done."""

import sys

import click

from defai.errors import ConfigError


def have_typed(phrase: str, purpose: str, refusal: ConfigError) -> None:
    """Have a phrase typed out, at a terminal or as a line of standard input.

    Args:
        phrase: what has to be typed.
        purpose: what that is for, in words that follow "Type 'PHRASE' to".
        refusal: raised where something else is typed.
    """
    click.echo(f"Type '{phrase}' to {purpose}: ", err=True, nl=False)
    typed = sys.stdin.readline().strip()
    if not sys.stdin.isatty():
        click.echo("", err=True)
    if typed != phrase:
        raise refusal
