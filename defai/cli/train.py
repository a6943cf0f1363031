"""`defai train`: a model for a strategy, with its card."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from defai.session.history import HistoryRecipe
    from defai.strategy.registry import LoadedStrategy


@click.command("train")
@click.option("-s", "--strategy", "reference", required=True, help="A strategy's name, or file.py:Class.")
@click.option(
    "--source",
    default="generated",
    show_default=True,
    help="What to train on: `generated`, history the market simulation makes.",
)
@click.option(
    "--blocks", type=click.IntRange(500, 1_000_000), default=4_000, show_default=True, help="How much of it."
)
@click.option(
    "--block-seconds", type=click.IntRange(1, 86_400), default=60, show_default=True, help="Time in a block."
)
@click.option("--seed", type=click.IntRange(min=0), help="Of the history.  [default: the demo's]")
@click.option(
    "--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of the strategy."
)
@click.option("--models", "folder", type=click.Path(path_type=Path), help="Where models are kept.")
@click.option("--json", "as_json", is_flag=True, help="Print the card as one JSON object.")
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
) -> None:
    """Train the model that a strategy asks for, measure it beside its baselines, and keep it with its card."""
    from defai.cli.parameters import parse_parameters  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.errors import ConfigError  # noqa: PLC0415  the same
    from defai.session.history import TRAINING_SEED, HistoryRecipe  # noqa: PLC0415  the same
    from defai.strategy.registry import load  # noqa: PLC0415  the same

    if source != "generated":
        raise ConfigError(f"'{source}' cannot be trained on yet.", "There is: generated.")
    strategy = load(reference, parse_parameters(parameters))
    if strategy.strategy.target() is None:
        raise ConfigError(f"The strategy '{strategy.name}' forecasts nothing, so there is no model to train.")
    recipe = HistoryRecipe(
        blocks=blocks, seed=TRAINING_SEED if seed is None else seed, block_seconds=block_seconds
    )
    asyncio.run(_train(strategy, recipe, folder, as_json=as_json))


async def _train(
    strategy: "LoadedStrategy", recipe: "HistoryRecipe", folder: "Path | None", *, as_json: bool
) -> None:
    from pydantic import TypeAdapter  # noqa: PLC0415  loads on use, so that --help is quick

    from defai.cli.output import print_json  # noqa: PLC0415  the same
    from defai.models.card import ModelCard, summary  # noqa: PLC0415  the same
    from defai.models.registry import ModelRegistry  # noqa: PLC0415  the same
    from defai.session.history import generate_history  # noqa: PLC0415  the same
    from defai.session.run_directory import models_folder  # noqa: PLC0415  the same
    from defai.session.training import model_key, train_for  # noqa: PLC0415  the same

    click.echo(f"making history: {recipe}", err=True)
    histories = await generate_history(recipe)
    click.echo(f"training the model of {strategy.name}", err=True)
    model = await asyncio.to_thread(train_for, strategy, histories, str(recipe))
    place = folder or models_folder()
    digest = ModelRegistry(place).save(model, key=model_key(strategy, recipe))
    if as_json:
        print_json(TypeAdapter(ModelCard).dump_python(model.card, mode="json"))
        return
    click.echo(summary(model.card))
    click.echo(f"kept in {place / digest}")
