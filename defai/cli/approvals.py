"""`defai approvals`: what waits for the owner, and the owner's answer."""

from pathlib import Path

import click

from defai.cli.group import Group
from defai.cli.reaching import session_options


@click.group("approvals", cls=Group)
def command() -> None:
    """List, approve and reject decisions that wait for the owner. Exit code 3 where no session is serving."""


@command.command("list")
@session_options
def list_waiting(*, url: str | None, as_json: bool) -> None:
    """List what waits."""
    from defai.cli.answering_requests import print_request, waiting  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.output import print_json  # noqa: PLC0415  the same

    session = waiting(url)
    if as_json:
        print_json({"url": session.url, "chain_id": session.chain_id, "approvals": session.requests})
        return
    for request in session.requests:
        print_request(request, session.now)
    if not session.requests:
        click.echo("Nothing waits for you.")


@command.command("approve")
@click.argument("decision", metavar="AGENT|DIGEST")
@click.option(
    "--keystore",
    type=click.Path(path_type=Path),
    help="The owner's key, encrypted; its passphrase comes from DEFAI_KEYSTORE_PASSPHRASE, or is asked for.",
)
@click.option("--key-stdin", is_flag=True, help="Read the owner's key from a line of standard input.")
@click.option("--signature", metavar="HEX", help="The owner's signature, made elsewhere.")
@click.option(
    "--typed-data", is_flag=True, help="Print what the owner signs, for a wallet elsewhere; approve nothing."
)
@click.option("--yes", is_flag=True, help="Don't ask.")
@session_options
def approve(
    *,
    decision: str,
    keystore: Path | None,
    key_stdin: bool,
    signature: str | None,
    typed_data: bool,
    yes: bool,
    url: str | None,
    as_json: bool,
) -> None:
    """Let a decision that waits be carried out, with the owner's signature under this very decision (EIP-712).

    Says what follows, and asks once. The key is that of --keystore, --key-stdin or DEFAI_OWNER_KEY, and stays in this
    process; on a local chain with throwaway keys the session can sign by itself.
    """
    from defai.cli.answering_requests import (  # noqa: PLC0415  loads on use, so that --help is quick
        Pen,
        confirm,
        print_request,
        tell,
        waiting,
    )
    from defai.cli.output import print_json  # noqa: PLC0415  the same

    pen = Pen(keystore, key_stdin, signature)
    session = waiting(url)
    request = session.named(decision)
    if typed_data:
        print_json(session.typed_data(request))
        return
    print_request(request, session.now, err=True)
    signed = pen.sign(session, request)
    click.echo(f"  signed   {signed.words}", err=True)
    if not yes:
        confirm(request["agent"])
    tell(url, request, "approved", as_json=as_json, method="approve", signature=signed.signature)


@command.command("reject")
@click.argument("decision", metavar="AGENT|DIGEST")
@click.option("--why", default="", help="The reason; it is kept.")
@session_options
def reject(*, decision: str, why: str, url: str | None, as_json: bool) -> None:
    """Drop a decision that waits. It stays on record as one that moved nothing."""
    from defai.cli.answering_requests import tell, waiting  # noqa: PLC0415  loads on use, so that --help is quick

    request = waiting(url).named(decision)
    tell(url, request, "rejected", as_json=as_json, method="reject", reason=why)
