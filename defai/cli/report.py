"""`defai report`: print a backtest's report again."""

from pathlib import Path

import click


@click.command("report")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object.")
def command(*, directory: Path, as_json: bool) -> None:
    """Print the report of a backtest from the DIRECTORY that `defai backtest --out` wrote."""
    from defai.backtest.report import text  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.backtest.run_files import PAGE, read_run  # noqa: PLC0415  the same
    from defai.cli.output import print_json  # noqa: PLC0415  the same

    record = read_run(directory)
    if as_json:
        print_json(record.figures)
        return
    click.echo(text(record.figures))
    click.echo(f"\nas a page: {directory / PAGE}")
