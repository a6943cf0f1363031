"""`defai list-strategies`: what can be named in a configuration."""

from pathlib import Path

import click


@click.command("list-strategies")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Where to look.  [default: ./strategies, else our own]"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(*, folder: Path | None, as_json: bool) -> None:
    """List the strategies that can be named in a configuration, without importing one of them."""
    from dataclasses import asdict  # noqa: PLC0415  loads on use, so that --help is quick

    from defai.cli.output import print_json  # noqa: PLC0415  the same
    from defai.errors import NotFoundError  # noqa: PLC0415  the same
    from defai.strategy.registry import list_names, strategies_folder  # noqa: PLC0415  the same

    if folder is not None and not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}.")
    names = list_names(folder)
    if as_json:
        print_json({"folder": folder or strategies_folder(), "strategies": [asdict(name) for name in names]})
        return
    if not names:
        click.echo(f"There is no strategy in {folder or strategies_folder()}.")
    for name in names:
        click.echo(f"{name.name:<22} {name.problem or name.summary}")
