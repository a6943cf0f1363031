"""`defai lookahead-analysis`: does a strategy decide upon what it cannot know?"""

from pathlib import Path

import click

LOOKS_AHEAD = 1
"""The exit code where something was found."""


@click.command("lookahead-analysis")
@click.option("-s", "--strategy", required=True, help="A strategy's name, or file.py:Class.")
@click.option(
    "--source",
    type=click.Path(path_type=Path),
    required=True,
    help="The history: a file or a folder, as for backtest.",
)
@click.option(
    "--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of the strategy."
)
@click.option(
    "--points",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Random points that the history is cut at.",
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the points.")
@click.option("--balance", "balances", multiple=True, metavar="10000USDC", help="What the agent starts with.")
@click.option("--timerange", default="-", metavar="YYYYMMDD-YYYYMMDD", help="Both days included.")
@click.option("--numeraire", metavar="SYMBOL", help="The token that counts as money.")
@click.option("--pool", "traded", metavar="USDC:6/WETH:18@500", help="What a pool trades that we don't know.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    *,
    strategy: str,
    source: Path,
    parameters: tuple[str, ...],
    points: int,
    seed: int,
    balances: tuple[str, ...],
    timerange: str,
    numeraire: str | None,
    traded: str | None,
    as_json: bool,
) -> int:
    """Cut the history at random points; a decision before a cut that changes with it has seen the future.

    Exit code 1 where one has.
    """
    from defai.backtest.lookahead import LookaheadRequest, analyse, text  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.backtest.request import BacktestRequest, parse_balances  # noqa: PLC0415  the same
    from defai.cli.output import print_json  # noqa: PLC0415  the same
    from defai.cli.parameters import parse_parameters  # noqa: PLC0415  the same

    backtest = BacktestRequest(
        strategies=(strategy,),
        source=source,
        parameters=parse_parameters(parameters),
        balances=parse_balances(balances),
        timerange=timerange,
        numeraire=numeraire,
        traded=traded,
    )
    report = analyse(LookaheadRequest(backtest=backtest, points=points, seed=seed, quiet=as_json))
    if as_json:
        print_json(report.to_json())
    else:
        click.echo(text(report))
    return LOOKS_AHEAD if report.looks_ahead else 0
