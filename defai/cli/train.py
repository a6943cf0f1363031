"""`defai train`: a model for a strategy, with its card."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from defai.cli.design_options import design_from, design_options, rows_of
from defai.cli.isolation_option import isolate_option

if TYPE_CHECKING:
    from defai.models.study import Design
    from defai.models.trained import TrainedModel
    from defai.session.history import HistoryRecipe
    from defai.strategy.registry import LoadedStrategy

GENERATED = "generated"


@click.command("train")
@click.option("-s", "--strategy", "reference", required=True, help="A strategy's name, or file.py:Class.")
@click.option(
    "--source",
    default=GENERATED,
    show_default=True,
    help="What to train on: `generated`, history the market simulation makes; else bars or prices.",
)
@click.option(
    "--blocks", type=click.IntRange(500, 1_000_000), default=4_000, show_default=True, help="How much of it."
)
@click.option(
    "--block-seconds", type=click.IntRange(1, 86_400), default=60, show_default=True, help="Time in a block."
)
@click.option("--seed", type=click.IntRange(min=0), help="Of generated history, else of the trees.")
@click.option(
    "--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of the strategy."
)
@design_options
@click.option("--models", "folder", type=click.Path(path_type=Path), help="Where models are kept.")
@click.option("--json", "as_json", is_flag=True, help="Print the card as one JSON object.")
@isolate_option
def command(
    *,
    reference: str,
    source: str,
    blocks: int,
    block_seconds: int,
    seed: int | None,
    parameters: tuple[str, ...],
    folder: Path | None,
    as_json: bool,
    **options: Any,  # noqa: ANN401  those of the design
) -> None:
    """Train the model that a strategy asks for, measure it beside its baselines, and keep it with its card.

    A model of generated history is the one that a fleet takes. One of your own data is taken by the agent that names it
    in the fleet's file, `model = "0x12ab"` or its identifier, and by `defai backtest --model`.
    """
    from defai.cli.output import require_folder  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.parameters import parse_parameters  # noqa: PLC0415  the same
    from defai.errors import ConfigError  # noqa: PLC0415  the same
    from defai.session.history import TRAINING_SEED, HistoryRecipe  # noqa: PLC0415  the same
    from defai.strategy.registry import load  # noqa: PLC0415  the same

    strategy = load(reference, parse_parameters(parameters))
    if strategy.strategy.target() is None:
        raise ConfigError(f"The strategy '{strategy.name}' forecasts nothing, so there is no model to train.")
    require_folder(folder)
    if source != GENERATED:
        model = _train_on_file(strategy, Path(source), options["timerange"], design_from(options, seed or 0))
        _keep(model, folder, None, as_json=as_json)
        return
    recipe = HistoryRecipe(
        blocks=blocks, seed=TRAINING_SEED if seed is None else seed, block_seconds=block_seconds
    )
    design = design_from(options, 0) if _said(options) else None
    model, key = asyncio.run(_train(strategy, recipe, design))
    _keep(model, folder, key if design is None else None, as_json=as_json)


def _said(options: Mapping[str, Any]) -> bool:
    """Whether the design is another than the one that fleets are given."""
    context = click.get_current_context()
    default = click.core.ParameterSource.DEFAULT
    return any(
        context.get_parameter_source(name) is not default
        for name in options
        if name not in {"workers", "timerange"}
    )


def _train_on_file(
    strategy: "LoadedStrategy", source: Path, timerange: str, design: "Design"
) -> "TrainedModel":
    """Walk forward over a file's rows, and train on all of them."""
    from defai.errors import ConfigError  # noqa: PLC0415  loads on use
    from defai.models.walking import study, trained_model  # noqa: PLC0415  the same

    target, pools = strategy.strategy.target(), strategy.strategy.pools()
    if target is None or len(pools) > 1:
        raise ConfigError(
            f"The strategy '{strategy.name}' looks at {len(pools)} pools; a file holds one.",
            "Use --source generated.",
        )
    read = rows_of(source, timerange)
    click.echo(f"walking forward over {read.label}: {target.name}", err=True)
    done = study(read.histories, feature_names=strategy.strategy.features(), target=target, design=design)
    return trained_model(done, source=read.label)


async def _train(
    strategy: "LoadedStrategy", recipe: "HistoryRecipe", design: "Design | None"
) -> "tuple[TrainedModel, str | None]":
    from defai.session.history import generate_history  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.session.training import model_key, train_for  # noqa: PLC0415  the same

    click.echo(f"making history: {recipe}", err=True)
    histories = await generate_history(recipe)
    click.echo(f"training the model of {strategy.name}", err=True)
    model = await asyncio.to_thread(train_for, strategy, histories, str(recipe), design)
    return model, model_key(strategy, recipe)


def _keep(model: "TrainedModel", folder: "Path | None", key: "str | None", *, as_json: bool) -> None:
    from defai.cli.output import print_json  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.models.card import summary  # noqa: PLC0415  the same
    from defai.models.registry import ModelRegistry  # noqa: PLC0415  the same
    from defai.session.run_directory import models_folder  # noqa: PLC0415  the same

    place = folder or models_folder()
    digest = ModelRegistry(place).save(model, key=key)
    if as_json:
        print_json(model.card.to_json())
        return
    click.echo(summary(model.card))
    click.echo(f"kept in {place / digest}")
