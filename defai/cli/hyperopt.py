"""`defai hyperopt`: search for a strategy's parameters, and try the best where no trial has looked."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from defai.cli.history_options import history_options, request_from, work_options
from defai.cli.isolation_option import isolate_option

if TYPE_CHECKING:
    from defai.backtest.sweep.place import Place
    from defai.backtest.sweep.search import SearchRequest
    from defai.cli.progress import RunProgress

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
    "--folds",
    type=click.IntRange(1, 1_000),
    default=1,
    show_default=True,
    help="Tests that the test share is cut into, each after a search of its own on all before it.",
)
@click.option(
    "--batch",
    type=click.IntRange(1, 1_024),
    help="Trials asked for together; other batches, other trials.  [default: 8, or one a worker]",
)
@history_options
@work_options
@isolate_option
def command(
    *,
    strategy: str,
    axes: tuple[str, ...],
    trials: int,
    objective: str,
    test_share: float,
    folds: int,
    batch: int | None,
    no_baselines: bool,
    workers: int | None,
    scheduler: str | None,
    out: Path | None,
    as_json: bool,
    **options: Any,  # noqa: ANN401  fields of the request, of their own types
) -> int:
    """Search for the parameters that do best on the first part of a history, and try them on the rest.

    Parameters of the model are searched with them: --train-on 20220719-20220731 --model-param num_leaves=7:63
    --model-param learning_rate=0.02:0.2:log. With --folds the search is made anew ahead of each test.
    """
    from defai.backtest.sweep.place import Place  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.backtest.sweep.search import SearchRequest  # noqa: PLC0415  the same
    from defai.backtest.sweep.space import parse_axes  # noqa: PLC0415  the same
    from defai.cli.progress import RunProgress  # noqa: PLC0415  the same
    from defai.cli.sweep import cores  # noqa: PLC0415  the same

    progress = RunProgress(quiet=as_json)
    count = workers or cores()
    ranges = [pair for pair in options["model_parameters"] if _is_range(pair)]
    options["model_parameters"] = [pair for pair in options["model_parameters"] if pair not in ranges]
    asked = SearchRequest(
        request=request_from([strategy], options),
        axes=parse_axes(axes),
        model_axes=parse_axes(ranges),
        objective=objective,
        trials=trials,
        test_share=test_share,
        batch=batch or (max(_BATCH, count) if scheduler is None else _BATCH),
        baselines=not no_baselines,
    )
    return _search(
        asked, folds, Place(out=out, workers=count, scheduler=scheduler), progress, as_json=as_json
    )


def _search(
    asked: "SearchRequest", folds: int, place: "Place", progress: "RunProgress", *, as_json: bool
) -> int:
    from defai.backtest.sweep.nested import search_nested  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.backtest.sweep.search import search  # noqa: PLC0415  the same
    from defai.cli.output import print_json  # noqa: PLC0415  the same
    from defai.cli.standings import nested_text, search_text  # noqa: PLC0415  the same
    from defai.cli.sweep import finish  # noqa: PLC0415  the same

    if folds > 1:
        found, text = search_nested(asked, folds, place, progress.say, progress), nested_text
    else:
        found, text = search(asked, place, progress.say, progress), search_text
    if as_json:
        print_json(found)
    else:
        click.echo(text(found))
    return finish(found)


def _is_range(pair: str) -> bool:
    """Whether a parameter of the model has more than one value."""
    return any(sign in pair.partition("=")[2] for sign in ":,")
