from typing import Any, TypeAlias

from defai.domain.stream import Notice, PlaybackMoved
from defai.tui.widgets.playback_bar import PlaybackBar

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""


class Player:
    """Remembers what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []

    async def hold(self) -> None:
        self.asked.append(("hold", 0))

    async def seek(self, block_number: int) -> None:
        self.asked.append(("seek", block_number))

    async def set_speed(self, blocks_per_s: float) -> None:
        self.asked.append(("speed", blocks_per_s))


async def test_a_run_is_played_sought_and_sped_up(opened: Handed, theatre: Handed) -> None:
    played = Player()
    async with opened(control=played) as (stage, app, pilot):
        assert not app.screen.query_one(PlaybackBar).display
        stage.play([PlaybackMoved(1_100, 1_065, 1_165, 1_767_225_635, 4.0, playing=True, at_end=False)])
        told = "block 1,100 of 1,165 · 00:00:35 UTC · 4 blocks/s"
        text = await theatre.stands(app, pilot, told, "space stand still")
        assert "h halt all" not in text, "a run that is over has nobody to halt"
        assert "p pause" not in text, "nor to pause"
        assert "v verify" in text, "what is kept of it can be checked"
        await pilot.press("space", "comma", "full_stop", "greater_than_sign", "less_than_sign", "ctrl+right")
        await theatre.until(lambda: len(played.asked) == 6, pilot)
        wanted = [
            ("hold", 0),
            ("seek", 1_099),
            ("seek", 1_101),
            ("speed", 8.0),
            ("speed", 2.0),
            ("seek", 1_150),
        ]
        assert played.asked == wanted
        bar = app.screen.query_one(PlaybackBar)
        first, room = bar._rail
        await pilot.click(PlaybackBar, offset=(first + room - 1, 0))
        await theatre.until(lambda: len(played.asked) == 7, pilot)
        assert played.asked[-1] == ("seek", 1_165)


async def test_what_a_run_had_to_say_covers_nothing_while_it_is_played(
    opened: Handed, theatre: Handed
) -> None:
    async with opened("9") as (stage, app, pilot):
        at = PlaybackMoved(1_100, 1_065, 1_165, 1_767_225_635, 4.0, playing=True, at_end=False)
        stage.play([at, Notice("info", "All is as it was."), Notice("warning", "The disk is full.")])
        await theatre.told(app, pilot, "The disk is full.")
        await theatre.stands(app, pilot, "All is as it was.")
