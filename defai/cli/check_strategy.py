"""`defai check-strategy`: whether a strategy keeps to the rules."""

from pathlib import Path

import click

from defai.cli.isolation_option import isolate_option
from defai.cli.strategy_folder import fleet_option


@click.command("check-strategy")
@click.argument("strategy")
@click.option(
    "--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of the strategy."
)
@click.option("--folder", type=click.Path(path_type=Path), help="Where names are looked for.")
@fleet_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@isolate_option
def command(*, strategy: str, parameters: tuple[str, ...], folder: Path | None, as_json: bool) -> int:
    """Check STRATEGY, a name, FILE.py or FILE.py:CLASS: is it pure, does it say why, does it stand the edges?

    Exit code 1 where something is wrong.
    """
    from defai.cli.output import print_json  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.parameters import parse_parameters  # noqa: PLC0415  the same
    from defai.testing.checking import check_strategy, report_text  # noqa: PLC0415  the same

    report = check_strategy(strategy, parse_parameters(parameters), folder)
    if as_json:
        print_json(report.to_json())
    else:
        click.echo(report_text(report))
    return 0 if report.passed else 1
