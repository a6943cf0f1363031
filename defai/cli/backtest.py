"""`defai backtest`: run strategies over recorded history, headless."""

import asyncio
import re
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from defai.cli.history_options import history_options, request_from
from defai.cli.strategy_folder import fleet_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defai.backtest.request import BacktestRequest
    from defai.strategy.registry import LoadedStrategy

_SUSPECT: Final = re.compile(rb"(?<!self)(?<!cls)\._|getattr\(|vars\(")
"""Sources without any of these reach for nothing private, and need not be looked at closely."""


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
    "--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of the (first) strategy."
)
@fleet_option
@history_options
@click.option(
    "--starts",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    help="Repeat from so many shifted starts, for mean and standard error.",
)
@click.option(
    "--shift",
    "shift_s",
    type=click.IntRange(min=1),
    metavar="SECONDS",
    help="From start to start.  [default: an hour, or the step where that is longer]",
)
@click.option(
    "--compare-flows", is_flag=True, help="Run again with the other flow, so that the difference shows."
)
@click.option(
    "--no-baselines",
    "baselines",
    flag_value=False,
    default=True,
    help="Leave out hold, full range and static band.",
)
@click.option(
    "--isolate", is_flag=True, help="Run each strategy in a process of its own, without network and files."
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="A new directory that the whole run is written to."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    *,
    strategies: tuple[str, ...],
    parameters: tuple[str, ...],
    out: Path | None,
    as_json: bool,
    **options: Any,  # noqa: ANN401  fields of the request, of their own types
) -> None:
    """Run strategies over recorded history: same agents, guard and records as live, only the world differs."""
    from defai.backtest.run_files import check_out  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.parameters import parse_parameters  # noqa: PLC0415  the same

    if out is not None:
        check_out(out)
    request = request_from(strategies, {**options, "parameters": parse_parameters(parameters)})
    _run(request, out, as_json=as_json)


def _run(request: "BacktestRequest", out: Path | None, *, as_json: bool) -> None:
    from defai.backtest.figures import figures  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.backtest.past_runs import note_runs  # noqa: PLC0415  the same
    from defai.backtest.record import record_of  # noqa: PLC0415  the same
    from defai.backtest.report import page, text  # noqa: PLC0415  the same
    from defai.backtest.request import perform  # noqa: PLC0415  the same
    from defai.backtest.run_files import write_run  # noqa: PLC0415  the same
    from defai.cli.output import print_json  # noqa: PLC0415  the same
    from defai.cli.progress import LifeProgress  # noqa: PLC0415  the same
    from defai.strategy.registry import load  # noqa: PLC0415  the same

    progress = LifeProgress(quiet=as_json)
    try:
        result = asyncio.run(perform(request, progress.say, progress.reached))
    finally:
        progress.end()
    table = figures(result, request.lvr_interval_s, hourly=True)
    if out is not None:
        record = record_of(request, result, table)
        write_run(out, record, page(record))
    loaded = [load(reference, isolate=request.isolate or None) for reference in request.strategies]
    lost = note_runs(loaded, table, out)
    for line in chain.from_iterable(map(_reaches, loaded)):
        click.echo(line, err=True)
    if lost:
        click.echo(f"This run is not listed with its strategy: {lost}.", err=True)
    if as_json:
        print_json(table)
        return
    click.echo(text(table))
    click.echo(f"{result.seconds:.2f} s" + (f", written to {out}" if out else ""))


def _reaches(loaded: "LoadedStrategy") -> "Iterator[str]":
    """Warnings of what it reads that is private, where it has run in this process: all of the history is here."""
    if loaded.protection or not _SUSPECT.search(loaded.source):
        return
    from defai.testing.checking.reading import private_reaches  # noqa: PLC0415  loads on use, so that --help is quick

    for found in private_reaches(loaded.source):
        yield (
            f"warning: {loaded.origin}:{found.line}: {found.sentence}: in this process that may know what is "
            "yet to come. With --isolate it cannot."
        )
