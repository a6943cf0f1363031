"""`defai attach`: the terminal, on a session that runs elsewhere on this machine."""

import click

from defai.cli.terminal import opened, require_terminal


@click.command("attach")
@click.argument("url", required=False)
def command(*, url: str | None) -> int:
    """Show the terminal of a session that serves; leaving it lets the session go on.

    Where the connection breaks, the terminal says so and comes back by itself. URL can be left out where one session
    serves. The token is found by itself, or taken from DEFAI_TOKEN.
    """
    require_terminal("`defai status` says how the session stands.")
    from defai.server.places import find  # noqa: PLC0415  loads on use, so that --help is quick

    where, _ = find(url)  # before the screen: what is not there is said in a line
    with opened(f"connecting to {where}") as doing:
        from defai.cli.attaching import show  # noqa: PLC0415  the first words stand before all this is imported

        return show(url, doing)
