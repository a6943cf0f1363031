"""`defai models`: trained models on disk and on the chain, their cards, and who replaced whom."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from defai.cli.group import Group

Command = TypeVar("Command", bound=Callable[..., Any])


def _folder(function: Command) -> Command:
    return click.option("--models", "folder", type=click.Path(path_type=Path), help="Where models are kept.")(
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(function)
    )


def _chain(function: Command) -> Command:
    for option in (
        click.option("--rpc", envvar="DEFAI_MODELS_RPC", help="URL of a node of the chain."),
        click.option("--registry", envvar="DEFAI_MODEL_REGISTRY", help="Address of the ModelRegistry."),
    ):
        function = option(function)
    return function


@click.group("models", cls=Group)
def command() -> None:
    """List, show, compare, register, verify, prune and roll back trained models."""


@command.command("list")
@_folder
def list_models(*, folder: Path | None, as_json: bool) -> None:
    """List the models, those that are used or named first, with whether each beats its baseline."""
    from defai.cli.modelling import listed, registry_at  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.output import print_json  # noqa: PLC0415  the same

    registry = registry_at(folder)
    rows = sorted(listed(registry), key=lambda row: not (row["keys"] or row["identifier"]))
    if as_json:
        print_json({"folder": registry.folder, "models": rows})
        return
    if not rows:
        click.echo(f"There is no model in {registry.folder}. `defai train -s STRATEGY` makes one.")
    width = max((len(row["target"]) for row in rows if not row["refused"]), default=0)
    for row in rows:
        verdict = "beats its baseline" if row["beats_baseline"] else "does not beat its baseline"
        used = f"called {row['identifier']}  " if row["identifier"] else ""
        used += f"used for {', '.join(row['keys'])}" if row["keys"] else ""
        short = f"{row['digest'][:10]}…{row['digest'][-4:]}"
        click.echo(row["refused"] or f"{short}  {row['target']:<{width}}  {verdict:<26}  {used}".rstrip())


@command.command("show")
@click.argument("digest")
@_folder
def show(*, digest: str, folder: Path | None, as_json: bool) -> None:
    """Show the card of a model, by its digest, the digest's beginning, or its identifier."""
    from pydantic import TypeAdapter  # noqa: PLC0415  loads on use, so that --help is quick

    from defai.cli.modelling import registry_at  # noqa: PLC0415  the same
    from defai.cli.output import print_json  # noqa: PLC0415  the same
    from defai.models.card import ModelCard, summary  # noqa: PLC0415  the same

    registry = registry_at(folder)
    card = registry.load(registry.named(digest)).card
    if as_json:
        print_json(TypeAdapter(ModelCard).dump_python(card, mode="json"))
    else:
        click.echo(summary(card))


@command.command("compare")
@click.argument("first")
@click.argument("second")
@_folder
def compare(*, first: str, second: str, folder: Path | None, as_json: bool) -> None:
    """Lay two cards beside each other: what they were trained on, and how good each was beside its baselines.

    Metrics of different histories say little of who is better; where they differ, this says so.
    """
    from defai.cli.modelling import compared, print_compared, registry_at  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.output import print_json  # noqa: PLC0415  the same

    registry = registry_at(folder)
    cards = [registry.load(registry.named(digest)).card for digest in (first, second)]
    table = compared(*cards)
    if as_json:
        print_json(table)
    else:
        print_compared(table)


@command.command("register")
@click.argument("digest")
@_folder
@_chain
@click.option("--deploy", is_flag=True, help="Deploy a registry first.")
@click.option("--parent", help="The registered model that it replaces, named like the other.")
@click.option(
    "--card-uri", default="", help="Where its card is; the card's digest goes on the chain in any case."
)
@click.option(
    "--keystore",
    type=click.Path(path_type=Path),
    help="Who pays; the passphrase comes from DEFAI_KEYSTORE_PASSPHRASE or standard input. "
    "Without one, the key is that in DEFAI_MODELS_KEY.",
)
def register(
    *,
    digest: str,
    folder: Path | None,
    rpc: str | None,
    registry: str | None,
    deploy: bool,
    parent: str | None,
    card_uri: str,
    keystore: Path | None,
    as_json: bool,
) -> None:
    """Put a model on the chain as contract code: sealed under its digest, run by the EVM, read back by anyone."""
    from defai.cli.modelling import Shelf, registered, registry_at  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.output import print_json  # noqa: PLC0415  the same
    from defai.models.registry import is_digest  # noqa: PLC0415  the same

    kept = registry_at(folder)
    model = kept.load(kept.named(digest))
    shelf = Shelf.of(rpc, registry, deploy=deploy)
    if parent and not is_digest(parent):
        parent = kept.named(parent)
    done = asyncio.run(registered(shelf, model, parent, card_uri, keystore))
    if as_json:
        print_json(done)
    else:
        click.echo(f"model #{done['model_id']} of the registry at {done['registry']}: {done['digest']}")


@command.command("verify")
@click.argument("digests", nargs=-1)
@_folder
@_chain
@click.option("--rows", type=click.IntRange(min=0), default=200, show_default=True, help="Rows to forecast.")
def verify(
    *,
    digests: tuple[str, ...],
    folder: Path | None,
    rpc: str | None,
    registry: str | None,
    rows: int,
    as_json: bool,
) -> int:
    """Hold models against their digests, LightGBM's text and, with --rpc and --registry, the chain.

    Without digests, all models of the folder. Exit code 1 where one is not what its digest says.
    """
    from defai.cli.modelling import Shelf, print_findings, registry_at, verified  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.output import print_json  # noqa: PLC0415  the same

    kept = registry_at(folder)
    wanted = [kept.named(digest) for digest in digests] or list(kept.digests())
    shelf = Shelf.of(rpc, registry) if rpc or registry else None
    findings = asyncio.run(verified(kept, wanted, shelf, rows))
    if as_json:
        print_json({"models": findings})
    else:
        print_findings(findings)
    return int(any(finding["broken"] for finding in findings))


@command.command("prune")
@_folder
@click.option("--yes", is_flag=True, help="Remove them; without this they are only named.")
def prune(*, folder: Path | None, yes: bool, as_json: bool) -> None:
    """Remove the models that nothing is served by and that nothing could be rolled back to.

    Those with an identifier stay: a fleet's file may name them. One that a file names by its digest alone is not known.
    """
    from defai.cli.modelling import registry_at, unused  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.output import print_json  # noqa: PLC0415  the same

    registry = registry_at(folder)
    found = unused(registry)
    if yes:
        for digest in found:
            registry.remove(digest)
    if as_json:
        print_json({"folder": registry.folder, "removed": yes, "models": found})
        return
    for digest in found:
        click.echo(f"{'removed' if yes else 'unused'}  {digest}")
    if not found:
        click.echo(f"Every model in {registry.folder} is used or has a name.")
    elif not yes:
        click.echo("`defai models prune --yes` removes them.")


@command.command("history")
@click.argument("key")
@_folder
def history(*, key: str, folder: Path | None, as_json: bool) -> None:
    """Say which models a key stood for, one after the other, and why. `defai models list` names the keys."""
    from dataclasses import asdict  # noqa: PLC0415  loads on use, so that --help is quick

    from defai.cli.modelling import known_key, registry_at  # noqa: PLC0415  the same
    from defai.cli.output import print_json  # noqa: PLC0415  the same
    from defai.models.lineage import Lineage  # noqa: PLC0415  the same

    registry = registry_at(folder)
    switches = Lineage(registry).of(known_key(registry, key))
    if as_json:
        print_json({"key": key, "switches": [asdict(switch) for switch in switches]})
        return
    if not switches:
        click.echo(f"The model of {key} has never been replaced.")
    for switch in switches:
        click.echo(f"{switch.digest[:10]}…{switch.digest[-4:]}  {switch.reason}")


@command.command("rollback")
@click.argument("key")
@_folder
@click.option("--reason", default="rolled back by the operator", show_default=True, help="Why; it is kept.")
def rollback(*, key: str, folder: Path | None, reason: str, as_json: bool) -> None:
    """Let the model serve again that the present one replaced. `defai models list` names the keys."""
    from dataclasses import asdict  # noqa: PLC0415  loads on use, so that --help is quick

    from defai.cli.modelling import known_key, registry_at  # noqa: PLC0415  the same
    from defai.cli.output import print_json  # noqa: PLC0415  the same
    from defai.models.lineage import Lineage  # noqa: PLC0415  the same

    registry = registry_at(folder)
    back = Lineage(registry).roll_back(known_key(registry, key), reason)
    if as_json:
        print_json({"key": key, **asdict(back)})
    else:
        click.echo(
            f"{key} is served by {back.digest} again. A session that retrains or watches drift takes it with its "
            "next block, any other when it starts."
        )
