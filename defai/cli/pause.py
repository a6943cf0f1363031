"""`defai pause`: let an agent decide nothing until it is resumed; its positions stay as they are."""

import click

from defai.cli.reaching import session_options


@click.command("pause")
@click.argument("agent", required=False)
@click.option("--all", "everyone", is_flag=True, help="Every agent.")
@session_options
def command(*, agent: str | None, everyone: bool, url: str | None, as_json: bool) -> None:
    """Let an agent decide nothing until it is resumed; its positions stay as they are.

    Exit code 3 where no session is serving.
    """
    from defai.cli.output import print_json  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.reaching import ask  # noqa: PLC0415  the same

    if (agent is None) is not everyone:
        raise click.UsageError("Name an agent, or say --all.")
    if everyone:
        ask(url, "halt_all")
    else:
        ask(url, "pause", agent=agent)
    if as_json:
        print_json({"agent": agent, "all": everyone, "state": "paused"})
    else:
        click.echo(f"{'all agents' if everyone else agent}: paused")
