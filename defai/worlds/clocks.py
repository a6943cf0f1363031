"""Clocks: real time, and time that does not pass."""

import asyncio
import time


class RealClock:
    """The machine's monotonic clock."""

    def monotonic(self) -> float:
        """Seconds from some fixed moment."""
        return time.monotonic()

    async def sleep_until(self, moment: float) -> None:
        """Wait for a moment of `monotonic`."""
        await asyncio.sleep(max(0.0, moment - time.monotonic()))


class LockStepClock:
    """For worlds in which the next block comes as soon as everyone has acted."""

    def monotonic(self) -> float:
        """Seconds from some fixed moment."""
        return time.monotonic()

    async def sleep_until(self, moment: float) -> None:  # noqa: ARG002  nobody waits in lock-step
        """Let others run, and go on."""
        await asyncio.sleep(0)
