"""Playing a finished run: what the keys and the slider ask of whoever plays it."""

from typing import cast

from textual.app import App

from defai.agent.control import PlayerControl
from defai.domain.stream import PlaybackMoved
from defai.tui.fleet import FleetState
from defai.tui.wishes import Wishes

SLOWEST, FASTEST = 0.25, 256.0
"""Blocks a second."""


class Playing(App[None]):
    """The part of the app that plays; nothing of it is offered where nothing is played back."""

    fleet: FleetState
    wishes: Wishes

    @property
    def playback(self) -> PlaybackMoved | None:
        """Where the playing is; None where a session runs by itself."""
        return self.fleet.playback

    @property
    def _player(self) -> PlayerControl:
        return cast("PlayerControl", self.wishes.control)

    def action_play(self) -> None:
        """Go on, or stand still."""
        if self.playback is not None:
            self.wishes.ask(self._player.hold() if self.playback.playing else self._player.play())

    def action_seek(self, by: int) -> None:
        """Go on or back by so many blocks."""
        if self.playback is not None:
            self.seek(self.playback.block_number + by)

    def seek(self, block: int) -> None:
        """Go to a block of the run."""
        if self.playback is not None:
            block = max(self.playback.first_block, min(self.playback.last_block, block))
            self.wishes.ask(self._player.seek(block))

    def action_speed(self, by: int) -> None:
        """Play at twice (1) or half (-1) the speed."""
        if self.playback is not None:
            speed = max(SLOWEST, min(FASTEST, self.playback.speed * 2.0**by))
            self.wishes.ask(self._player.set_speed(speed))
