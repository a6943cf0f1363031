"""Options of the commands that train: how a walk forward is made, and on which rows."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from defai.cli.amounts import Span

if TYPE_CHECKING:
    from defai.backtest.sources.histories import TrainingSource
    from defai.models.study import Design

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS: Final = (
    click.option(
        "--timerange",
        default="-",
        metavar="YYYYMMDD-YYYYMMDD",
        help="Rows of a file that are read; both days included.",
    ),
    click.option(
        "--train-until",
        metavar="YYYYMMDD",
        help="Nothing from this day on is trained on, whatever is tested.",
    ),
    click.option(
        "--test-from", metavar="YYYYMMDD", help="Where the first test begins.  [default: 40 % into it]"
    ),
    click.option("--identifier", default="", help="What the model is called."),
    click.option(
        "--train-period-days",
        type=Span(min=0, min_open=True),
        help="How far back training goes.  [default: all]",
    ),
    click.option(
        "--live-retrain-hours",
        type=Span(min=0),
        default=0.0,
        help="How long a model serves, instead of --folds.",
    ),
    click.option(
        "--folds", type=click.IntRange(1, 1_000), default=6, show_default=True, help="Test windows."
    ),
    click.option("--embargo", type=click.IntRange(min=0), help="Rows.  [default: the horizon]"),
    click.option(
        "--rounds", type=click.IntRange(1, 5_000), default=200, show_default=True, help="Trees at most."
    ),
    click.option("--fixed-rounds", is_flag=True, help="So many trees, without early stopping."),
    click.option(
        "--half-life-days",
        type=Span(min=0),
        help="Samples this old count half; 0: all alike.  [default: what suits the target]",
    ),
    click.option(
        "--model-training-parameter",
        "model_parameters",
        multiple=True,
        metavar="NAME=VALUE",
        help="One of LightGBM's (FreqAI's model_training_parameters).",
    ),
    click.option(
        "--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Folds at once."
    ),
)


def design_options(command: _Command) -> _Command:
    """Give a command the options that say how a walk forward is made."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def design_from(options: Mapping[str, Any], seed: int) -> "Design":
    """The design that the options make.

    Raises:
        ConfigError: for a day or a parameter that is none.
    """
    from defai.cli.parameters import parse_parameters  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.errors import ConfigError  # noqa: PLC0415  the same
    from defai.models.boosting import numbers_of  # noqa: PLC0415  the same
    from defai.models.study import Design  # noqa: PLC0415  the same

    if options["identifier"].startswith("0x"):
        raise ConfigError(
            f"A model is not called {options['identifier']}: so the digest of one begins.",
            "Choose another identifier.",
        )
    return Design(
        identifier=options["identifier"],
        train_period_days=options["train_period_days"],
        live_retrain_hours=options["live_retrain_hours"],
        folds=options["folds"],
        model_training_parameters=numbers_of(parse_parameters(options["model_parameters"])),
        rounds=options["rounds"],
        fixed_rounds=options["fixed_rounds"],
        embargo=options["embargo"],
        test_from=day_of(options["test_from"]),
        train_until=day_of(options["train_until"]),
        weight_half_life_days=options["half_life_days"],
        seed=seed,
        workers=options["workers"],
    )


def rows_of(source: Path, timerange: str) -> "TrainingSource":
    """The rows of a file or a folder.

    Raises:
        DefaiError: in a sentence, where there are none to train on.
    """
    from defai.backtest.sources.histories import read_training_source  # noqa: PLC0415  the same
    from defai.backtest.timeranges import parse_timerange  # noqa: PLC0415  loads on use, so that --help is quick

    return read_training_source(source, *parse_timerange(timerange))


def day_of(text: str | None) -> int | None:
    """When a day begins, UTC, in seconds since 1970; None for none.

    Raises:
        ConfigError: where the text is no day.
    """
    from defai.errors import ConfigError  # noqa: PLC0415  loads on use

    if text is None:
        return None
    try:
        return int(datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).timestamp())
    except ValueError as error:
        raise ConfigError(f"'{text}' is no day.", "Write it as YYYYMMDD.") from error
