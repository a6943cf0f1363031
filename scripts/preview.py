"""Open the terminal on a made-up session that goes on by itself: for looking at the screens while they are built."""

import argparse
import asyncio
import threading

from defai.domain.stream import AgentStateChanged, BlockArrived, SessionEnded, SetupProgressed
from defai.testing.stream import demo_stream
from defai.tui.app import DefaiApp
from defai.tui.bridge import EventQueue


class MadeUpSession:
    """Plays the demo stream from a thread of its own, as a session would, and heeds its control.

    Args:
        queue: where the events go.
        agents: how many agents.
        block_time_s: seconds between blocks.
    """

    def __init__(self, queue: EventQueue, agents: int, block_time_s: float) -> None:
        self._queue, self._agents, self._block_time_s = queue, agents, block_time_s
        self._stopped = threading.Event()

    def play(self) -> None:
        """Put the events in, a block at a time, until asked to stop."""
        events = demo_stream(blocks=1_000_000, agents=self._agents)
        for event in events:
            if isinstance(event, BlockArrived | SetupProgressed) and self._stopped.wait(self._block_time_s):
                break
            self._queue.put_threadsafe(event)
        self._queue.put_threadsafe(SessionEnded("It ended as asked.", "", 0))

    async def pause(self, agent: str) -> None:
        """Say that it is paused; the stream's next step says otherwise."""
        self._queue.put_threadsafe(AgentStateChanged(agent, "paused", "by its owner"))

    async def resume(self, agent: str) -> None:
        """Say that it runs."""
        self._queue.put_threadsafe(AgentStateChanged(agent, "running", ""))

    async def halt_all(self) -> None:
        """Nothing to halt."""

    async def stop(self) -> None:
        """End the stream."""
        self._stopped.set()


async def main() -> int:
    """Run until the person leaves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=4)
    parser.add_argument("--block-time", type=float, default=1.0, help="seconds")
    options = parser.parse_args()
    queue = EventQueue()
    session = MadeUpSession(queue, options.agents, options.block_time)
    thread = threading.Thread(target=session.play)
    thread.start()
    app = DefaiApp(lambda: queue, session, dropped=lambda: queue.dropped)
    try:
        await app.run_async()
    finally:
        await session.stop()
        thread.join()
    return app.return_code or 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
