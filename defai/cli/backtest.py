"""`defai backtest`: run strategies over recorded history, headless."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import click


@click.command("backtest")
@click.option(
    "-s",
    "--strategy",
    "strategies",
    multiple=True,
    required=True,
    help="A strategy's name, or file.py:Class; several of them share one market.",
)
@click.option(
    "--source",
    type=click.Path(path_type=Path),
    required=True,
    help="The history: a file or a folder; what kind it is shows in it.",
)
@click.option(
    "--flow",
    type=click.Choice(["amounts", "prices"]),
    default="amounts",
    show_default=True,
    help="What of a recorded swap stays as it was once we are in the pool.",
)
@click.option(
    "--balance", "balances", multiple=True, metavar="10000USDC", help="What each agent starts with."
)
@click.option(
    "--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of the (first) strategy."
)
@click.option("--limit", "limits", multiple=True, metavar="NAME=VALUE", help="A limit of the guard.")
@click.option(
    "--timerange",
    default="-",
    metavar="YYYYMMDD-YYYYMMDD",
    help="Both days included; either may be left out.",
)
@click.option(
    "--numeraire", metavar="SYMBOL", help="The token that counts as money.  [default: the pool's dollar]"
)
@click.option("--pool", "traded", metavar="USDC:6/WETH:18@500", help="What a pool trades that we don't know.")
@click.option(
    "--gas-gwei", type=Decimal, help="What gas costs.  [default: recorded base fees, where there are any]"
)
@click.option("--lvr-interval", type=click.IntRange(min=1), default=900, show_default=True, help="Seconds.")
@click.option(
    "--anchor-every",
    type=click.IntRange(1, 1_000_000),
    default=50,
    show_default=True,
    help="Holds to an anchor.",
)
@click.option("--no-baselines", is_flag=True, help="Leave out hold, full range and static band.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    *,
    strategies: tuple[str, ...],
    source: Path,
    flow: str,
    balances: tuple[str, ...],
    parameters: tuple[str, ...],
    limits: tuple[str, ...],
    timerange: str,
    numeraire: str | None,
    traded: str | None,
    gas_gwei: Decimal | None,
    lvr_interval: int,
    anchor_every: int,
    no_baselines: bool,
    as_json: bool,
) -> None:
    """Run strategies over recorded history: same agents, guard and records as live, only the world differs."""
    from defai.backtest.figures import figures  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.backtest.request import BacktestRequest, parse_balances, perform  # noqa: PLC0415  the same
    from defai.cli.output import print_json  # noqa: PLC0415  the same
    from defai.cli.parameters import parse_parameters  # noqa: PLC0415  the same

    request = BacktestRequest(
        strategies=strategies,
        source=source,
        parameters=parse_parameters(parameters),
        balances=parse_balances(balances),
        timerange=timerange,
        flow=flow,
        numeraire=numeraire,
        traded=traded,
        gas_gwei=gas_gwei,
        limits=parse_parameters(limits),
        baselines=not no_baselines,
        anchor_every=anchor_every,
        lvr_interval_s=lvr_interval,
    )
    result = asyncio.run(perform(request, _quiet if as_json else _say))
    table = figures(result, lvr_interval)
    if as_json:
        print_json(table)
    else:
        _print_table(table)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _quiet(text: str) -> None:
    """Nothing but the object is printed."""


_ROWS = (
    ("final", "final_usd", ",.2f"),
    ("hodl", "hodl_usd", ",.2f"),
    ("fees", "fees_usd", ",.2f"),
    ("impermanent loss", "impermanent_loss_usd", ",.2f"),
    ("LVR", "lvr_usd", ",.2f"),
    ("hedged PnL", "hedged_pnl_usd", ",.2f"),
    ("swap costs", "swap_cost_usd", ",.2f"),
    ("gas", "gas_usd", ",.2f"),
    ("in range", "in_range_ratio", ".1%"),
    ("max drawdown", "max_drawdown", ".2%"),
    ("Sharpe", "sharpe_ratio", ".2f"),
    ("mints", "mints", ",d"),
    ("swaps", "swaps", ",d"),
    ("decisions", "decisions", ",d"),
    ("denied", "denied", ",d"),
)


def _print_table(table: Mapping[str, Any]) -> None:
    runs = table.get("agents") or [table]
    columns = [(run["name"] if "name" in run else run["strategy"], run) for run in runs]
    columns += list(table["baselines"].items())
    click.echo(f"{', '.join(table['pools'])} · in {table['numeraire']} · {table['steps']:,} steps")
    click.echo(f"{table['source_kind']} · {table['fidelity']}")
    click.echo(f"{'':<18}" + "".join(f"{name[:14]:>16}" for name, _ in columns))
    for label, key, shape in _ROWS:
        cells = ("unmeasured" if run[key] is None else format(run[key], shape) for _, run in columns)
        click.echo(f"{label:<18}" + "".join(f"{cell:>16}" for cell in cells))
    for name, run in columns:
        if run["stopped"]:
            click.echo(f"{name} stopped: {run['stopped']}")
    click.echo(
        f"LVR and hedge every {table['lvr_interval_s']} s · decision digest {table['decision_digest']} · "
        f"{table['seconds']:.2f} s"
    )
