"""`defai approvals`: what waits for the owner, and the owner's answer."""

import time
from typing import Any

import click

from defai.cli.reaching import session_options


@click.group("approvals")
def command() -> None:
    """List, approve and reject decisions that wait for the owner. Exit code 3 where no session is serving."""


@command.command("list")
@session_options
def list_waiting(*, url: str | None, as_json: bool) -> None:
    """List what waits."""
    from defai.cli.output import print_json  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.reaching import status  # noqa: PLC0415  the same

    said = status(url)
    if as_json:
        print_json({"url": said["url"], "approvals": said["approvals"]})
        return
    for one in said["approvals"]:
        _print(one, said["timestamp"] or int(time.time()))
    if not said["approvals"]:
        click.echo("Nothing waits for you.")


@command.command("approve")
@click.argument("decision", metavar="AGENT|DIGEST")
@session_options
def approve(*, decision: str, url: str | None, as_json: bool) -> None:
    """Let a decision that waits be carried out."""
    _answer(url, decision, "approved", as_json=as_json)


@command.command("reject")
@click.argument("decision", metavar="AGENT|DIGEST")
@click.option("--why", default="", help="The reason; it is kept.")
@session_options
def reject(*, decision: str, why: str, url: str | None, as_json: bool) -> None:
    """Drop a decision that waits."""
    _answer(url, decision, "rejected", as_json=as_json, reason=why)


def _answer(
    url: str | None, decision: str, outcome: str, *, as_json: bool, reason: str | None = None
) -> None:
    from defai.cli.output import print_json  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.reaching import ask, digest_of, status  # noqa: PLC0415  the same

    digest = digest_of(status(url)["approvals"], decision)
    if reason is None:
        ask(url, "approve", digest=digest)
    else:
        ask(url, "reject", digest=digest, reason=reason)
    if as_json:
        print_json({"digest": digest, "outcome": outcome})
    else:
        click.echo(f"{digest}: {outcome}")


def _print(one: dict[str, Any], now: int) -> None:
    left = f" · expires in {max(0, one['expires_at'] - now)} s" if one["expires_at"] is not None else ""
    click.echo(f"{one['agent']}:{one['sequence']}  {one['text']}{left}")
    click.echo(f"  {one['digest']}")
    click.echo(f"  why      {one['reason']}")
    click.echo(f"  rule     {one['rule']}")
    costs = [
        f"{one[key]} USD {what}"
        for key, what in (("swap_cost_usd", "swapping"), ("gas_usd", "gas"))
        if one[key]
    ]
    if costs:
        click.echo(f"  costs    {', '.join(costs)} (estimated)")
    if one["foregone_usd_per_minute"]:
        click.echo(f"  waiting  forgoes about {one['foregone_usd_per_minute']} USD a minute (estimated)")
