"""`defai audit`: read the records of a contract, explain them, and verify them from the chain alone."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict, TypeVar, Unpack

import click

from defai.cli.group import Group
from defai.cli.isolation_option import isolate_option
from defai.domain.decisions import Action

Command = TypeVar("Command", bound=Callable[..., Any])


class PlaceOptions(TypedDict):
    """What `_place_options` gives a command."""

    rpc: str | None
    contract: str | None
    run: Path | None
    from_block: int | None


def _place_options(function: Command) -> Command:
    """Where the records are: an RPC URL and a contract, or a run's directory that has both."""
    for option in (
        click.option("--rpc", envvar="DEFAI_AUDIT_RPC", help="URL of a node of the chain."),
        click.option("--contract", envvar="DEFAI_AUDIT_CONTRACT", help="Address of the DecisionAudit."),
        click.option(
            "--run",
            type=click.Path(path_type=Path),
            help="A run's directory: takes both addresses, and nothing else, from it.",
        ),
        click.option("--from-block", type=click.IntRange(min=0), help="Where the contract was created."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
    ):
        function = option(function)
    return function


def _means_options(function: Command) -> Command:
    for option in (
        click.option(
            "--strategies",
            type=click.Path(path_type=Path, exists=True, file_okay=False),
            multiple=True,
            help="Folder with the strategies' sources.  [default: ./strategies, and our own]",
        ),
        click.option(
            "--models",
            type=click.Path(path_type=Path),
            help="Folder of models, for those that are in no registry.",
        ),
    ):
        function = option(function)
    return function


@click.group("audit", cls=Group)
def command() -> None:
    """Read, explain and verify the records of every decision. Only the chain is asked."""


@command.command("list")
@_place_options
@click.option("--agent", help="Only this agent's: its name or number.")
@click.option(
    "--action",
    type=click.Choice([*(action.name.lower() for action in Action), "anchor"]),
    help="Only this action; anchor for batches of what moved nothing.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Only the newest so many.")
def list_records(
    *,
    agent: str | None,
    action: str | None,
    limit: int | None,
    as_json: bool,
    **place: Unpack[PlaceOptions],
) -> None:
    """List the records, and the anchors of what moved nothing."""
    from defai.cli.auditing import Place, gathered, print_rows, rows_of  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.output import print_json  # noqa: PLC0415  the same

    evidence = asyncio.run(gathered(Place.of(**place)))
    rows = rows_of(evidence, agent=agent, action=action, limit=limit)
    if as_json:
        print_json({"contract": evidence.domain.contract, "records": rows})
    else:
        print_rows(rows)


@command.command("show")
@click.argument("decision", metavar="ID")
@_place_options
@_means_options
@isolate_option
def show(
    decision: str,
    *,
    strategies: tuple[Path, ...],
    models: Path | None,
    as_json: bool,
    **place: Unpack[PlaceOptions],
) -> None:
    """Explain a decision: what was forecast and why, what the guard said, what came of it.

    ID is a record's number, or AGENT:SEQUENCE for any decision, holds included.
    """
    from defai.cli.auditing import Place, explained, print_explanation  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.output import print_json  # noqa: PLC0415  the same

    explanation = asyncio.run(explained(Place.of(**place), decision, strategies, models))
    if as_json:
        print_json(explanation.to_json())
    else:
        print_explanation(explanation)


@command.command("verify")
@click.argument("decision", metavar="[ID]", required=False)
@_place_options
@_means_options
@click.option("--agent", help="Every decision of this agent: its name or number.")
@click.option("--all", "everything", is_flag=True, help="Every decision of every agent.")
@click.option("--respond", metavar="HASH", help="Answer this ERC-8004 validation request with the result.")
@click.option(
    "--keystore",
    type=click.Path(path_type=Path),
    help="The validator's key; the passphrase comes from DEFAI_KEYSTORE_PASSPHRASE or standard input.",
)
@isolate_option
def verify(
    decision: str | None,
    *,
    agent: str | None,
    everything: bool,
    strategies: tuple[Path, ...],
    models: Path | None,
    respond: str | None,
    keystore: Path | None,
    as_json: bool,
    **place: Unpack[PlaceOptions],
) -> int:
    """Climb the ladder: integrity, data, model, decision, execution. Exit code 1 where a rung breaks.

    ID is a record's number, or AGENT:SEQUENCE for any decision, holds included.
    """
    from defai.cli.auditing import Place, answered, print_reports, results_json, verified  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.output import print_json  # noqa: PLC0415  the same

    if (decision is not None) + (agent is not None) + everything != 1:
        raise click.UsageError("Say what to verify: an ID, --agent or --all.")
    where = Place.of(**place)
    evidence, reports = asyncio.run(verified(where, decision, agent, strategies, models))
    answer = None
    if respond is not None:
        answer = asyncio.run(answered(where, evidence, reports, respond, keystore))
    if as_json:
        print_json(results_json(evidence, reports, answer))
    else:
        print_reports(evidence, reports, in_full=decision is not None)
        if answer is not None:
            click.echo(f"answered request {respond} with {answer['response']} in {answer['transaction']}")
    return int(any(report.broken for report in reports))


@command.command("export")
@_place_options
@click.option("--agent", help="Only this agent's: its name or number.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="A .jsonl or .parquet file; JSON lines on standard output without it.",
)
def export(*, agent: str | None, out: Path | None, as_json: bool, **place: Unpack[PlaceOptions]) -> None:
    """Write every record with its payload, and every anchor: JSON lines, or parquet."""
    from defai.cli.auditing import Place, exported, gathered  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.output import require_folder  # noqa: PLC0415  the same

    require_folder(out.parent if out else None)
    evidence = asyncio.run(gathered(Place.of(**place)))
    count = exported(evidence, agent, out)
    if out is not None and not as_json:
        click.echo(f"{count:,} rows in {out}")
