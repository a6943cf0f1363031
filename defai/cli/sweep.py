"""`defai sweep`: a strategy over a grid of parameters and windows, on many workers."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from defai.cli.history_options import history_options, request_from, work_options
from defai.cli.isolation_option import isolate_option

INTERRUPTED = 130


@click.command("sweep")
@click.option("-s", "--strategy", required=True, help="A strategy's name, or file.py:Class.")
@click.option(
    "--param",
    "axes",
    multiple=True,
    metavar="NAME=1,2,3",
    help="Values of a parameter, or a range with its step: 50:400:50.",
)
@click.option(
    "--window", "windows", multiple=True, metavar="FROM..TO", help="A window, 2023-01-01..2023-01-31."
)
@click.option(
    "--windows",
    "slices",
    type=click.IntRange(1, 10_000),
    default=1,
    metavar="N",
    help="Cut the history into N equal windows.",
)
@click.option(
    "--objective", default="final_usd", show_default=True, help="The figure that tells the best run."
)
@history_options
@work_options
@isolate_option
def command(
    *,
    strategy: str,
    axes: tuple[str, ...],
    windows: tuple[str, ...],
    slices: int,
    objective: str,
    no_baselines: bool,
    workers: int | None,
    scheduler: str | None,
    out: Path | None,
    as_json: bool,
    **options: Any,  # noqa: ANN401  fields of the request, of their own types
) -> int:
    """Run a strategy with every combination of parameters in every window, and say which did best."""
    from defai.backtest.sweep.grid import SweepRequest, sweep  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.backtest.sweep.place import Place  # noqa: PLC0415  the same
    from defai.backtest.sweep.space import parse_axes  # noqa: PLC0415  the same
    from defai.cli.output import print_json  # noqa: PLC0415  the same
    from defai.cli.progress import RunProgress  # noqa: PLC0415  the same
    from defai.cli.standings import sweep_text  # noqa: PLC0415  the same

    progress = RunProgress(quiet=as_json)
    found = sweep(
        SweepRequest(
            request=request_from([strategy], options),
            axes=parse_axes(axes),
            windows=windows,
            slices=slices,
            objective=objective,
            baselines=not no_baselines,
        ),
        Place(out=out, workers=workers or cores(), scheduler=scheduler),
        progress.say,
        progress,
    )
    if as_json:
        print_json(found)
    else:
        click.echo(sweep_text(found))
    return finish(found)


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def finish(found: Mapping[str, Any]) -> int:
    """The exit code of a sweep or a search; where it was interrupted, a person is told what is kept."""
    if not found["interrupted"]:
        return 0
    where = f"they are in {found['out']}: say the same again to go on" if found["out"] else "nothing is kept"
    click.echo(f"Stopped; {found['done']:,} of {found['runs']:,} runs are done, and {where}.", err=True)
    return INTERRUPTED
