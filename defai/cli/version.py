"""`defai version`: which versions are at work."""

import platform
from importlib.metadata import PackageNotFoundError, version

import click

from defai import __version__
from defai.cli.output import print_json

PACKAGES = ("lightgbm", "numpy", "pandas", "textual", "web3")


@click.command("version")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(*, as_json: bool) -> None:
    """Say which versions are at work."""
    found = {
        "defai": __version__,
        "python": platform.python_version(),
        **{name: _of(name) for name in PACKAGES},
    }
    if as_json:
        print_json({**found, "platform": platform.platform()})
        return
    for name, number in found.items():
        click.echo(f"{name:<10} {number or '-'}")
    click.echo(f"{'platform':<10} {platform.platform()}")


def _of(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
