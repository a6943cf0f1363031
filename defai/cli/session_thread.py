"""A session in a thread of its own, behind the terminal; as a `Control` it hands everything over to its loop."""

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from defai.agent.passing_on import AcrossLoops
from defai.domain.stream import SessionEnded, StreamEvent
from defai.errors import DefaiError, NotRunningError

if TYPE_CHECKING:
    from defai.agent.control import Control
    from defai.session.session import Session
    from defai.session.steering import Steering

JOIN_SECONDS: Final = 10.0


class SessionThread(AcrossLoops, threading.Thread):
    """Runs a session to its end.

    Args:
        make: makes the session; asked in the thread.
        put: told every event, on the session's thread.
    """

    def __init__(self, make: "Callable[[], Session]", put: Callable[[StreamEvent], None]) -> None:
        threading.Thread.__init__(self, name="session", daemon=True)
        self._make = make
        self._put = put
        self._loop = asyncio.new_event_loop()
        self._session: Session | None = None
        self._steering: Steering | None = None
        self._running: asyncio.Future[Any] | None = None
        self._unwanted = False

    def run(self) -> None:
        """Run the session to its end; the last event says how it ended."""
        try:
            self._loop.run_until_complete(self._main())
        except asyncio.CancelledError:
            self._put(SessionEnded("The session was stopped while it was set up.", "", 0))
        except DefaiError as error:
            self._put(SessionEnded(error.sentence, error.hint, error.exit_code))
        except Exception as error:  # a defect; the screen says so and the log keeps it
            import logging  # noqa: PLC0415  only on the way out

            logging.getLogger(__name__).exception("the session failed")
            sentence = f"This is a defect in defai, not a mistake of yours: {type(error).__name__}: {error}"
            self._put(SessionEnded(sentence, "The log has the details; `defai doctor` says where it is.", 1))
        finally:
            self._loop.run_until_complete(_end_calls())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def stop(self) -> None:
        """End the session: settle where it runs, drop everything where it is still being set up."""
        self.ask_to_stop()

    def ask_to_stop(self) -> None:
        """As `stop`, from any thread and without waiting."""
        self._unwanted = True
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._leave)

    def end(self) -> None:
        """End the thread, by force after a while; the chain ends with the process in any case."""
        self._unwanted = True
        if not self.is_alive():
            return
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel)
        self.join(JOIN_SECONDS)

    async def _main(self) -> None:
        session = self._make()
        from defai.session.steering import Steering  # noqa: PLC0415  heavy: the screen paints first

        session.bus.tap(self._put)
        self._session, self._steering = session, Steering(session)
        self._running = asyncio.ensure_future(session.run())
        if self._unwanted:
            self._running.cancel()
        await self._running

    def _leave(self) -> None:
        if self._session is not None and self._session.is_set_up:
            self._session.request_stop()
        else:
            self._cancel()

    def _cancel(self) -> None:
        if self._running is not None:
            self._running.cancel()

    def _there(self) -> "tuple[asyncio.AbstractEventLoop, Control]":
        if self._steering is None or self._loop.is_closed():
            raise NotRunningError("The session is not there yet, or not any more.")
        return self._loop, self._steering


async def _end_calls() -> None:
    """End what is still being asked: nobody may wait for it for ever, and no process of it may be left."""
    calls = asyncio.all_tasks() - {asyncio.current_task()}
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
