"""`defai new-strategy`: the first files of a strategy of one's own."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from defai.strategy.scaffold import TemplateName


@click.command("new-strategy")
@click.argument("name")
@click.option(
    "--template",
    type=click.Choice(["lp", "swap", "blank"]),
    default="lp",
    show_default=True,
    help="What it starts from: liquidity in a band, trades, or nothing.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where strategies/ and tests/ are.  [default: here]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(*, name: str, template: "TemplateName", folder: Path, as_json: bool) -> None:
    """Write the first files of a strategy: NAME.py, a test, a fleet and a page. They work as they are."""
    from defai.cli.output import print_json  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.errors import ConfigError  # noqa: PLC0415  the same
    from defai.strategy.registry import list_names  # noqa: PLC0415  the same
    from defai.strategy.scaffold import scaffold  # noqa: PLC0415  the same

    new = scaffold(name, template)
    taken = next((entry for entry in list_names() if entry.name == name), None)
    if taken is not None:
        raise ConfigError(
            f"There is a strategy called '{name}' already: {taken.origin}.", "Choose another name."
        )
    paths = new.write(folder)
    if as_json:
        print_json({"name": name, "class_name": new.class_name, "template": template, "files": paths})
        return
    for path in paths:
        click.echo(f"wrote {folder / path}")
    where = "" if folder == Path() else f"cd {folder}; "
    click.echo(f"\nNext: {where}defai check-strategy {name}; {name}.md has the other commands.")
