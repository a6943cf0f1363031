"""`defai models`: trained models and their cards."""

from pathlib import Path

import click


@click.group("models")
def command() -> None:
    """List and show trained models."""


@command.command("list")
@click.option("--models", "folder", type=click.Path(path_type=Path), help="Where models are kept.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_models(*, folder: Path | None, as_json: bool) -> None:
    """List the models, with whether each beats its baseline."""
    from defai.cli.output import print_json  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.models.registry import ModelRegistry  # noqa: PLC0415  the same
    from defai.session.run_directory import models_folder  # noqa: PLC0415  the same

    place = folder or models_folder()
    cards = ModelRegistry(place).list()
    if as_json:
        rows = [
            {"digest": card.model_digest, "target": card.target.name, "beats_baseline": card.beats_baseline}
            for card in cards
        ]
        print_json({"folder": place, "models": rows})
        return
    if not cards:
        click.echo(f"There is no model in {place}. `defai train -s STRATEGY` makes one.")
    for card in cards:
        verdict = "beats its baseline" if card.beats_baseline else "does not beat its baseline"
        click.echo(f"{card.model_digest[:10]}…{card.model_digest[-4:]}  {card.target.name:<34} {verdict}")


@command.command("show")
@click.argument("digest")
@click.option("--models", "folder", type=click.Path(path_type=Path), help="Where models are kept.")
@click.option("--json", "as_json", is_flag=True, help="Print the card as one JSON object.")
def show(*, digest: str, folder: Path | None, as_json: bool) -> None:
    """Show the card of a model; the first digits of its digest will do."""
    from pydantic import TypeAdapter  # noqa: PLC0415  loads on use, so that --help is quick

    from defai.cli.output import print_json  # noqa: PLC0415  the same
    from defai.errors import ConfigError, NotFoundError  # noqa: PLC0415  the same
    from defai.models.card import ModelCard, summary  # noqa: PLC0415  the same
    from defai.models.registry import ModelRegistry  # noqa: PLC0415  the same
    from defai.session.run_directory import models_folder  # noqa: PLC0415  the same

    place = folder or models_folder()
    registry = ModelRegistry(place)
    found = [known for known in registry.digests() if known.startswith(digest)]
    if not found:
        raise NotFoundError(f"There is no model {digest} in {place}.", "`defai models list` names them.")
    if len(found) > 1:
        raise ConfigError(f"{len(found)} models begin with {digest}.", "Give more digits.")
    card = registry.load(found[0]).card
    if as_json:
        print_json(TypeAdapter(ModelCard).dump_python(card, mode="json"))
    else:
        click.echo(summary(card))
