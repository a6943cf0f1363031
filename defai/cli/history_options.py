"""Options of every command that runs a strategy over history: they are the fields of a `BacktestRequest`."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from defai.cli.amounts import Amount

if TYPE_CHECKING:
    from defai.backtest.forecasters import ModelChoice
    from defai.backtest.request import BacktestRequest

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS: Final = (
    click.option(
        "--source",
        type=click.Path(path_type=Path),
        required=True,
        help="The history: a file or a folder; what kind it is shows in it.",
    ),
    click.option(
        "--timerange",
        default="-",
        metavar="YYYYMMDD-YYYYMMDD",
        help="Both days included; either may be left out.",
    ),
    click.option(
        "--balance",
        "balances",
        multiple=True,
        metavar="10000USDC",
        help="What each agent starts with; given again for another token.  [default: 30,000 dollars, half in each]",
    ),
    click.option(
        "--limit",
        "limits",
        multiple=True,
        metavar="NAME=VALUE",
        help="A limit of the guard, as in a fleet's file: max_trade_usd=5000.",
    ),
    click.option(
        "--flow",
        type=click.Choice(["amounts", "prices"]),
        default="amounts",
        show_default=True,
        help="What of a recorded swap stays as it was once we are in the pool.",
    ),
    click.option(
        "--numeraire",
        metavar="SYMBOL",
        help="The token that counts as money.  [default: the pool's dollar]",
    ),
    click.option(
        "--pool", "traded", metavar="USDC:6/WETH:18@500", help="What a pool trades that we don't know."
    ),
    click.option(
        "--gas-gwei",
        type=Amount(),
        help="What gas costs.  [default: recorded base fees, where there are any]",
    ),
    click.option(
        "--base-fees",
        type=click.Path(path_type=Path),
        help="CSV or parquet with a timestamp and a base fee, instead.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=1,
        show_default=True,
        help="Of what is made up around prices, and of a search.",
    ),
    click.option(
        "--liquidity",
        "liquidity_usd",
        type=Amount(Decimal(1)),
        default=Decimal(10_000_000),
        show_default=True,
        metavar="USD",
        help="Of others, around prices.",
    ),
    click.option(
        "--step",
        "step_s",
        type=click.IntRange(min=1),
        metavar="SECONDS",
        help="From block to block around prices; it divides the file's.  [default: the file's]",
    ),
    click.option(
        "--lvr-interval",
        "lvr_interval_s",
        type=click.IntRange(min=1),
        default=900,
        show_default=True,
        help="Seconds.",
    ),
    click.option(
        "--model", "digest", metavar="DIGEST", help="The kept model to forecast by.  [default: a fleet's]"
    ),
    click.option("--models", "models_folder", type=click.Path(path_type=Path), help="Where models are kept."),
    click.option(
        "--train-on",
        "trained_on",
        metavar="YYYYMMDD-YYYYMMDD",
        help="Train the model on these rows of the source instead; the run begins after them.",
    ),
    click.option(
        "--model-param",
        "model_parameters",
        multiple=True,
        metavar="NAME=VALUE",
        help="Of that training: LightGBM's, rounds, folds, half_life_days, train_period_days.",
    ),
    click.option(
        "--anchor-every",
        type=click.IntRange(1, 1_000_000),
        help="Holds to an anchor.  [default: about a day's]",
    ),
)

_WORK_OPTIONS: Final = (
    click.option("--no-baselines", is_flag=True, help="Leave out hold, full range and static band."),
    click.option(
        "--workers", type=click.IntRange(1, 1_024), help="Processes of ours.  [default: as many as cores]"
    ),
    click.option(
        "--scheduler", metavar="tcp://HOST:PORT", help="A dask scheduler whose workers do it instead."
    ),
    click.option(
        "--out",
        type=click.Path(path_type=Path),
        help="Keep plan and results here; said again, it goes on where it was.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
)


def work_options(command: _Command) -> _Command:
    """Give a command the options that say who does the work, and where what comes of it is kept."""
    return _with(_WORK_OPTIONS, command)


def history_options(command: _Command) -> _Command:
    """Give a command the options that say which history, whose money and which costs."""
    return _with(_OPTIONS, command)


def _with(options: Sequence[Callable[[_Command], _Command]], command: _Command) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command


def request_from(strategies: Sequence[str], options: Mapping[str, Any]) -> "BacktestRequest":
    """The request that the options make, of some strategies.

    Raises:
        ConfigError: for a balance or a limit that is none.
    """
    from defai.backtest.request import BacktestRequest, parse_balances  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.parameters import parse_parameters  # noqa: PLC0415  the same

    plain = dict(options)
    return BacktestRequest(
        strategies=tuple(strategies),
        model=_model_choice(plain),
        **{
            **plain,
            "balances": parse_balances(options["balances"]),
            "limits": parse_parameters(options["limits"]),
        },
    )


def _model_choice(options: dict[str, Any]) -> "ModelChoice":
    """What the options say of models; they are taken out of them.

    Raises:
        ConfigError: where they contradict each other.
    """
    from defai.backtest.forecasters import ModelChoice  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.parameters import parse_parameters  # noqa: PLC0415  the same
    from defai.errors import ConfigError  # noqa: PLC0415  the same

    digest, folder, rows = (options.pop(name, None) for name in ("digest", "models_folder", "trained_on"))
    parameters = parse_parameters(options.pop("model_parameters", ()))
    if digest is not None and rows is not None:
        raise ConfigError("Either --model or --train-on: both can't be.")
    if parameters and rows is None:
        raise ConfigError("There is nothing that --model-param is of.", "Say --train-on YYYYMMDD-YYYYMMDD.")
    return ModelChoice(digest=digest, folder=folder, trained_on=rows, parameters=parameters)
