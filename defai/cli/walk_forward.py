"""`defai walk-forward`: how good a forecast is on what it has not seen, beside every baseline, with its card."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from defai.cli.design_options import design_from, design_options, rows_of
from defai.cli.isolation_option import isolate_option
from defai.models.targets import Kind

if TYPE_CHECKING:
    from defai.backtest.sources.histories import TrainingSource
    from defai.models.targets import Target

GENERATED = "generated"
_PARAMETER_HINT = (
    "--target-parameter is the band's half-width in ticks for survival and fees, costs in ticks for net_return, the"
    " fee in pips for fee_lvr; the others have none."
)


@click.command("walk-forward")
@click.option("--source", default=GENERATED, show_default=True, help="Bars, prices, or `generated`.")
@click.option("-s", "--strategy", "reference", help="Take target and features from a strategy.")
@click.option("--target", "kind", type=click.Choice(get_args(Kind)), help="What to forecast.")
@click.option("--horizon", type=click.IntRange(1, 10_000), default=12, show_default=True, help="Rows ahead.")
@click.option(
    "--target-parameter",
    type=click.IntRange(1, 65_535),
    help="Half-width in ticks, costs in ticks or the fee in pips, as the target wants.",
)
@click.option(
    "--feature", "features", multiple=True, help="A feature by name.  [default: a set for the target]"
)
@design_options
@click.option("--blocks", type=click.IntRange(800, 1_000_000), default=4_000, help="Of generated history.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Write card.json and card.html here.")
@click.option("--models", "folder", type=click.Path(path_type=Path), help="Keep the model in this registry.")
@click.option("--json", "as_json", is_flag=True, help="Print the card as one JSON object.")
@isolate_option
def command(**options: Any) -> None:  # noqa: ANN401  options are click's
    """Train on the past and test on what follows, fold by fold, purged and embargoed; then show the card."""
    from defai.cli.output import print_json, require_folder  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.models.card import summary  # noqa: PLC0415  the same
    from defai.models.page import page  # noqa: PLC0415  the same
    from defai.models.registry import ModelRegistry  # noqa: PLC0415  the same
    from defai.models.walking import study, trained_model  # noqa: PLC0415  the same

    require_folder(options["out"])
    require_folder(options["folder"])
    target, names, source = _asked(options)
    design = design_from(options, options["seed"])
    click.echo(f"walking forward over {source.label}: {target.name}", err=True)
    done = study(source.histories, feature_names=names, target=target, design=design)
    model = trained_model(done, source=source.label)
    if options["out"] is not None:
        import json  # noqa: PLC0415  only to write a card

        options["out"].mkdir(parents=True, exist_ok=True)
        content = json.dumps(model.card.to_json(), indent=1, sort_keys=True)
        (options["out"] / "card.json").write_text(content + "\n", encoding="utf-8")
        (options["out"] / "card.html").write_text(page(model.card, done), encoding="utf-8")
    if options["folder"] is not None:
        ModelRegistry(options["folder"]).save(model)
    if options["as_json"]:
        print_json(model.card.to_json())
    else:
        click.echo(summary(model.card))


def _asked(options: dict[str, Any]) -> "tuple[Target, Sequence[str], TrainingSource]":
    """The target, the features and the rows that the options name."""
    from defai.errors import ConfigError  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.models.presets import default_features  # noqa: PLC0415  the same
    from defai.models.targets import Target  # noqa: PLC0415  the same

    names: Sequence[str] = options["features"]
    pools: Sequence[str] = ()
    target = None
    if options["reference"]:
        from defai.strategy.registry import load  # noqa: PLC0415  the same

        strategy = load(options["reference"]).strategy
        target, names, pools = strategy.target(), names or strategy.features(), strategy.pools()
    if options["kind"] or target is None:
        try:
            target = Target(
                options["kind"] or "volatility", options["horizon"], options["target_parameter"] or 0
            )
        except ValueError as error:
            raise ConfigError(f"{error}.".capitalize(), _PARAMETER_HINT) from error
    source = _rows(options, pools)
    return target, names or default_features(target, source.step_s, pool=source.pool), source


def _rows(options: dict[str, Any], pools: Sequence[str]) -> "TrainingSource":
    if options["source"] != GENERATED:
        return rows_of(Path(options["source"]), options["timerange"])
    import asyncio  # noqa: PLC0415  loads on use, so that --help is quick

    from defai.backtest.sources.histories import TrainingSource  # noqa: PLC0415  the same
    from defai.session.history import HistoryRecipe, generate_history  # noqa: PLC0415  the same

    recipe = HistoryRecipe(blocks=options["blocks"], block_seconds=60)
    made = asyncio.run(generate_history(recipe))
    chosen = {name: list(made[name]) for name in (pools or list(made)[:1])}
    return TrainingSource(chosen, str(recipe), pool=True, step_s=60)
