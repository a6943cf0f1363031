"""A clock that stands still until a test moves it."""

import asyncio


class ManualClock:
    """Time as a test has it; a world takes it for its own.

    Args:
        moment: where it begins, in seconds.
    """

    def __init__(self, moment: float = 0.0) -> None:
        self._moment = moment
        self._moved = asyncio.Condition()
        self.waiting = 0

    def monotonic(self) -> float:
        """Seconds, as far as it was moved."""
        return self._moment

    async def sleep_until(self, moment: float) -> None:
        """Wait until it was moved to a moment, or beyond."""
        self.waiting += 1
        try:
            async with self._moved:
                await self._moved.wait_for(lambda: self._moment >= moment)
        finally:
            self.waiting -= 1

    async def advance(self, seconds: float) -> None:
        """Move it on, and let everyone run whose time has come.

        Raises:
            ValueError: for a step backwards.
        """
        if seconds < 0:
            raise ValueError("time does not run backwards")
        async with self._moved:
            self._moment += seconds
            self._moved.notify_all()
        await asyncio.sleep(0)
