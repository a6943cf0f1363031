"""`defai hyperopt`: search for a strategy's parameters, and try the best where no trial has looked."""

from pathlib import Path
from typing import Any

import click

from defai.cli.history_options import history_options, request_from, work_options

_BATCH = 8


@click.command("hyperopt")
@click.option("-s", "--strategy", required=True, help="A strategy's name, or file.py:Class.")
@click.option(
    "--param",
    "axes",
    multiple=True,
    metavar="NAME=50:400",
    help="A range, 50:400:log, values to choose from, or the one to keep.  [default: the fields' own bounds]",
)
@click.option("--trials", type=click.IntRange(1, 100_000), default=50, show_default=True)
@click.option("--objective", default="sharpe_ratio", show_default=True, help="The figure that is sought.")
@click.option(
    "--test-share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.3,
    show_default=True,
    help="Of the history, at its end: no trial sees it, the best is tried on it.",
)
@click.option(
    "--batch",
    type=click.IntRange(1, 1_024),
    help="Trials asked for together; other batches, other trials.  [default: 8, or one a worker]",
)
@history_options
@work_options
def command(
    *,
    strategy: str,
    axes: tuple[str, ...],
    trials: int,
    objective: str,
    test_share: float,
    batch: int | None,
    no_baselines: bool,
    workers: int | None,
    scheduler: str | None,
    out: Path | None,
    as_json: bool,
    **options: Any,  # noqa: ANN401  fields of the request, of their own types
) -> int:
    """Search for the parameters that do best on the first part of a history, and try them on the rest."""
    from defai.backtest.sweep.place import Place  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.backtest.sweep.search import SearchRequest, search  # noqa: PLC0415  the same
    from defai.backtest.sweep.space import parse_axes  # noqa: PLC0415  the same
    from defai.cli.output import print_json  # noqa: PLC0415  the same
    from defai.cli.progress import RunProgress  # noqa: PLC0415  the same
    from defai.cli.standings import search_text  # noqa: PLC0415  the same
    from defai.cli.sweep import cores, finish  # noqa: PLC0415  the same

    progress = RunProgress(quiet=as_json)
    count = workers or cores()
    found = search(
        SearchRequest(
            request=request_from([strategy], options),
            axes=parse_axes(axes),
            objective=objective,
            trials=trials,
            test_share=test_share,
            batch=batch or (max(_BATCH, count) if scheduler is None else _BATCH),
            baselines=not no_baselines,
        ),
        Place(out=out, workers=count, scheduler=scheduler),
        progress.say,
        progress,
    )
    if as_json:
        print_json(found)
    else:
        click.echo(search_text(found))
    return finish(found)
