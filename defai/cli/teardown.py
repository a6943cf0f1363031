"""`defai teardown`: end a session that serves."""

import time
from typing import Final

import click

from defai.cli.reaching import session_options

_POLL_S: Final = 0.1


@click.command("teardown")
@click.option(
    "--within", type=click.FloatRange(min=0), default=60.0, show_default=True, help="Seconds to wait."
)
@session_options
def command(*, within: float, url: str | None, as_json: bool) -> None:
    """End a session: what is under way is settled, holds are anchored, processes end.

    Waits until it has ended; exit code 5 where that takes too long, 3 where no session is serving.
    """
    from defai.cli.output import print_json  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.reaching import ask  # noqa: PLC0415  the same
    from defai.errors import TooSlowError  # noqa: PLC0415  the same
    from defai.server.places import find, places  # noqa: PLC0415  the same

    where, _ = find(url)
    ask(where, "stop")
    deadline = time.monotonic() + within
    while any(place.url == where for place in places()):
        if time.monotonic() > deadline:
            raise TooSlowError(
                f"The session at {where} has not ended within {within:g} s.", "It is asked to."
            )
        time.sleep(_POLL_S)
    if as_json:
        print_json({"url": where, "ended": True})
    else:
        click.echo(f"{where} has ended; everything is settled.")
