"""`defai replay`: a finished run, played back in the terminal."""

import asyncio
from pathlib import Path

import click

from defai.cli.terminal import require_terminal
from defai.errors import NotFoundError


@click.command("replay")
@click.argument("run", metavar="[DIRECTORY]", type=click.Path(path_type=Path), required=False)
@click.option(
    "--speed", type=float, default=4.0, show_default=True, metavar="BLOCKS", help="Blocks a second, at first."
)
def command(*, run: Path | None, speed: float) -> int:
    """Play a run back in the terminal; the newest one where no directory is named.

    Nothing is run again and nothing is changed: what was told then is told once more.
    """
    from defai.session.player import Player  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.session.run_directory import newest_run  # noqa: PLC0415  the same
    from defai.tui.app import run as show  # noqa: PLC0415  the same

    where = run or newest_run()
    if not (where / "events.jsonl").is_file():
        raise NotFoundError(f"There is no journal in {where}.", "Name the directory of a run.")
    require_terminal(f"{where / 'events.jsonl'} can be read without one.")

    async def play() -> int:
        player = Player(where, speed)
        return await show(player.events, player)

    return asyncio.run(play())
