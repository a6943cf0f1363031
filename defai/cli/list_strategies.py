"""`defai list-strategies`: what can be named in a configuration."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from defai.cli.strategy_folder import fleet_option
from defai.harmless import harmless

_LONGEST: Final = 40

if TYPE_CHECKING:
    from defai.backtest.past_runs import PastRun
    from defai.strategy.parameters import Parameter
    from defai.strategy.registry import StrategyName


@click.command("list-strategies")
@click.argument("names", nargs=-1)
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Where to look.  [default: ./strategies, and our own]"
)
@fleet_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(*, names: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """List the strategies that can be named in a configuration, without importing one of them.

    With NAMES, say all there is to know of these: their parameters with unit and bounds, and their last backtest.
    """
    from defai.backtest.past_runs import last_runs, origin_of  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.output import print_json  # noqa: PLC0415  the same
    from defai.errors import NotFoundError  # noqa: PLC0415  the same
    from defai.strategy.registry import list_names, strategies_folder  # noqa: PLC0415  the same

    if folder is not None and not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}.")
    entries = _chosen(list_names(folder), names)
    runs = last_runs()
    with_runs = [(entry, runs.get(origin_of(entry.origin, installed=entry.installed))) for entry in entries]
    if as_json:
        listed = [_to_json(entry, run) for entry, run in with_runs]
        print_json({"folder": folder or strategies_folder(), "strategies": listed})
        return
    if not entries:
        click.echo(f"There is no strategy in {folder or strategies_folder()}.")
    for entry, run in with_runs:
        _say(entry, run, whole=bool(names))


def _chosen(entries: "list[StrategyName]", names: tuple[str, ...]) -> "list[StrategyName]":
    from defai.errors import NotFoundError, did_you_mean  # noqa: PLC0415  loads on use, so that --help is quick

    by_name = {entry.name: entry for entry in entries}
    for name in names:
        if name not in by_name:
            hint = did_you_mean(name, list(by_name)) or f"There are: {', '.join(by_name) or 'none'}."
            raise NotFoundError(f"There is no strategy called '{name}'.", hint)
    return [by_name[name] for name in names] if names else entries


def _to_json(entry: "StrategyName", run: "PastRun | None") -> dict[str, Any]:
    return {
        "name": entry.name,
        "class_name": entry.class_name,
        "summary": entry.summary,
        "origin": entry.origin,
        "file": entry.file,
        "installed": entry.installed,
        "problem": entry.problem,
        "parameters": [parameter.to_json() for parameter in entry.parameters],
        "last_backtest": None
        if run is None
        else run.to_json() | {"source_changed": _has_changed(entry, run)},
    }


def _has_changed(entry: "StrategyName", run: "PastRun") -> bool | None:
    """Whether the strategy's source is another one since; None where it cannot be read."""
    from defai.backtest.past_runs import digest_of  # noqa: PLC0415  loads on use, so that --help is quick

    try:
        return digest_of(Path(entry.file).read_bytes()) != run.source_sha256 if entry.file else None
    except OSError:
        return None


def _say(entry: "StrategyName", run: "PastRun | None", *, whole: bool) -> None:
    name = click.style(f"{entry.name:<22}", bold=True)
    click.echo(
        f"{name} {click.style(harmless(entry.problem), fg='red') if entry.problem else harmless(entry.summary)}"
    )
    if whole:
        click.echo(_line("from", _place(entry)))
        for parameter in entry.parameters:
            click.echo(_line(parameter.name, _parameter_text(parameter)))
    elif entry.parameters:
        click.echo(_line("", click.style(", ".join(_short(one) for one in entry.parameters), dim=True)))
    if run is not None:
        click.echo(_line("last backtest" if whole else "", click.style(_run_text(entry, run), fg="cyan")))
    elif whole:
        click.echo(_line("last backtest", "none yet"))


def _line(head: str, text: str) -> str:
    return f"{f'  {head}':<22} {text}"


def _place(entry: "StrategyName") -> str:
    place = Path(entry.origin)
    here = Path.cwd()
    if entry.installed:
        return f"{entry.origin}, an installed plugin"
    return str(place.relative_to(here) if place.is_relative_to(here) else place)


def _short(parameter: "Parameter") -> str:
    return parameter.name if parameter.is_required else f"{parameter.name}={parameter.default}"


def _parameter_text(parameter: "Parameter") -> str:
    value = "must be given" if parameter.is_required else str(parameter.default)
    unit = f" {parameter.unit}" if parameter.unit else ""
    allowed = f" ({parameter.allowed()})" if parameter.allowed() else ""
    return f"{value}{unit}{allowed}" + (f"  {parameter.description}" if parameter.description else "")


def _run_text(entry: "StrategyName", run: "PastRun") -> str:
    gain = run.final_usd / run.initial_usd - 1 if run.initial_usd else 0.0
    held = run.hodl_usd / run.initial_usd - 1 if run.initial_usd else 0.0
    days = (run.last_time - run.first_time) / 86_400
    changed = ", before the file was changed" if _has_changed(entry, run) else ""
    kept = f", in {run.out}" if run.out and Path(run.out).is_dir() else ""
    over = f"{days:,.1f} days of {_shortened(Path(run.history).name)}"
    return f"{run.time[:10]}: {gain:+.2%} (hold {held:+.2%}) over {over}{kept}{changed}"


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST // 2]}…{name[-_LONGEST // 2 :]}"
