"""`defai contest`: a strategy against every way to provide liquidity without forecasting, day by day."""

from typing import Any

import click

from defai.cli.design_options import day_of
from defai.cli.history_options import history_options, request_from
from defai.cli.isolation_option import isolate_option


@click.command("contest")
@click.option("-s", "--strategy", default="pool_timing", show_default=True, help="A name, or file.py:Class.")
@click.option(
    "--param",
    "axes",
    multiple=True,
    metavar="NAME=1,2,3",
    help="Values of a parameter; of several, the best combination is chosen, and how many there were is said.",
)
@click.option(
    "--against",
    multiple=True,
    metavar="NAME",
    help="A row of the table that it is measured by, as `hold` or `volatility-scaled`.  [default: all]",
)
@click.option("--test-from", required=True, metavar="YYYYMMDD", help="The first day that is tested.")
@click.option(
    "--train-until", metavar="YYYYMMDD", help="Nothing from this day on is trained on.  [default: the test]"
)
@click.option(
    "--retrain-days",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="How long a model serves until another one is trained that knows more; 0: all the time.",
)
@click.option("--starts", type=click.IntRange(2, 1_000), default=12, show_default=True, help="Runs a day.")
@click.option(
    "--shift", "shift_s", type=click.IntRange(60), default=3_600, show_default=True, help="Between them."
)
@history_options
@click.option(
    "--workers", type=click.IntRange(1, 1_024), help="Processes of ours.  [default: as many as cores]"
)
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the table as Markdown.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with every run.")
@isolate_option
def command(
    *,
    strategy: str,
    axes: tuple[str, ...],
    against: tuple[str, ...],
    test_from: str,
    train_until: str | None,
    retrain_days: int,
    starts: int,
    shift_s: int,
    workers: int | None,
    as_markdown: bool,
    as_json: bool,
    **options: Any,  # noqa: ANN401  fields of the request, of their own types
) -> None:
    """Let a strategy and those who don't forecast compete on each day of minute bars, from shifted starts.

    Holding, the whole range, bands of every width left alone or re-centred, and one as wide as volatility: after gas
    and swap costs, delta-hedged. Models are trained on what the time range has before the test.
    """
    from defai.backtest.contest.contest import ContestRequest, hold_contest  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.backtest.contest.text import contest_text, markdown  # noqa: PLC0415  the same
    from defai.backtest.sweep.place import Place  # noqa: PLC0415  the same
    from defai.backtest.sweep.space import parse_axes  # noqa: PLC0415  the same
    from defai.cli.output import print_json  # noqa: PLC0415  the same
    from defai.cli.progress import RunProgress  # noqa: PLC0415  the same
    from defai.cli.sweep import cores  # noqa: PLC0415  the same

    progress = RunProgress(quiet=as_json)
    options["trained_on"] = options["trained_on"] or "-"  # for --model-param's sake; it is the test that cuts
    found = hold_contest(
        ContestRequest(
            request=request_from([strategy], options),
            axes=parse_axes(axes),
            test_from=day_of(test_from) or 0,
            train_until=day_of(train_until),
            retrain_days=retrain_days,
            starts=starts,
            shift_s=shift_s,
            against=against,
        ),
        Place(workers=workers or cores()),
        progress.say,
        progress,
    )
    if as_json:
        print_json(found)
    else:
        click.echo(markdown(found) if as_markdown else contest_text(found))
