"""What a person can do to a running session. The terminal and the event server are handed one of these."""

from typing import Protocol


class Control(Protocol):
    """Steers a session. Safe to call from any thread; each call returns once the session has taken the wish."""

    async def pause(self, agent: str) -> None:
        """Let an agent decide nothing until it is resumed; its positions stay as they are."""

    async def resume(self, agent: str) -> None:
        """Let a paused or stopped agent decide again."""

    async def halt_all(self) -> None:
        """Pause every agent."""

    async def stop(self) -> None:
        """End the session: what is under way is settled, holds are anchored, processes end."""
