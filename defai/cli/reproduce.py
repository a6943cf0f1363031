"""`defai reproduce`: run a backtest again and compare."""

import asyncio
from pathlib import Path

import click


@click.command("reproduce")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(*, directory: Path, as_json: bool) -> int:
    """Run the backtest of a DIRECTORY again, and compare its source, its decisions and every figure.

    Ends with 0 where all of it is the same, with 1 where anything differs.
    """
    from defai.backtest.reproduction import reproduce  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.output import print_json  # noqa: PLC0415  the same
    from defai.cli.progress import LifeProgress  # noqa: PLC0415  the same

    progress = LifeProgress(quiet=as_json)
    try:
        found = asyncio.run(reproduce(directory, progress.say, progress.reached))
    finally:
        progress.end()
    if as_json:
        print_json(
            {
                "same": found.same,
                "decision_digest": found.digest,
                "decisions": found.decisions,
                "differences": list(found.differences),
                "versions": list(found.versions),
            }
        )
        return int(not found.same)
    for line in found.versions:
        click.echo(f"another version: {line}")
    if found.same:
        click.echo(f"The same: {found.decisions:,} decisions, digest {found.digest}, and every figure.")
    else:
        click.echo(f"Not the same in {len(found.differences)} places:")
        for line in found.differences:
            click.echo(f"  {line}")
    return int(not found.same)
