"""`defai resume`: let a paused or stopped agent decide again."""

import click

from defai.cli.reaching import session_options


@click.command("resume")
@click.argument("agent", required=False)
@click.option("--all", "everyone", is_flag=True, help="Every agent.")
@session_options
def command(*, agent: str | None, everyone: bool, url: str | None, as_json: bool) -> None:
    """Let a paused or stopped agent decide again.

    Exit code 3 where no session is serving.
    """
    from defai.cli.output import print_json  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.reaching import ask, status  # noqa: PLC0415  the same

    if (agent is None) is not everyone:
        raise click.UsageError("Name an agent, or say --all.")
    names = [one["name"] for one in status(url)["agents"]] if everyone else [agent]
    for name in names:
        ask(url, "resume", agent=name)
    if as_json:
        print_json({"agent": agent, "all": everyone, "state": "running"})
    else:
        click.echo(f"{'all agents' if everyone else agent}: running")
