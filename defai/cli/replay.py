"""`defai replay`: a finished run, played back in the terminal."""

from pathlib import Path

import click

from defai.cli.terminal import opened, require_terminal
from defai.errors import NotFoundError


@click.command("replay")
@click.argument("run", metavar="[DIRECTORY]", type=click.Path(path_type=Path), required=False)
@click.option(
    "--speed", type=float, default=4.0, show_default=True, metavar="BLOCKS", help="Blocks a second, at first."
)
def command(*, run: Path | None, speed: float) -> int:
    """Play a run back in the terminal; the newest one where no directory is named.

    It opens at the first decision; the slider goes back to where the market began. Nothing is run again and nothing is
    changed: what was told then is told once more.
    """
    if run is not None:
        _require_journal(run)
    require_terminal(f"{(run or Path('RUN')) / 'events.jsonl'} can be read without one.")
    with opened(f"reading {run.resolve().name}" if run else "reading the newest run") as doing:
        return _play(run, speed, doing)


def _require_journal(run: Path) -> None:
    if not (run / "events.jsonl").is_file():
        raise NotFoundError(f"There is no journal in {run}.", "Name the directory of a run.")


def _play(run: Path | None, speed: float, opening: str) -> int:
    import asyncio  # noqa: PLC0415  the first words stand before all this is imported

    from defai.session.player import Player  # noqa: PLC0415  the same
    from defai.session.run_directory import newest_run  # noqa: PLC0415  the same
    from defai.tui.app import run as show  # noqa: PLC0415  the same

    where = run or newest_run()
    _require_journal(where)

    async def play() -> int:
        player = Player(where, speed)
        return await show(player.events, player, opening=opening)

    return asyncio.run(play())
