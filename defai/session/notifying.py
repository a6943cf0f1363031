"""Telling people who are not looking: what needs them, by whichever service they chose, and no more often than helps.

Services are named by apprise URLs in `DEFAI_NOTIFY`, separated by white space. They hold secrets: they stand in no file
of ours, no argument, no log and no error.
"""

import logging
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final

from defai.agent.bus import Bus
from defai.domain.stream import (
    AgentStateChanged,
    ApprovalRequested,
    ModelSeen,
    SessionEnded,
    StreamEvent,
)
from defai.errors import ConfigError
from defai.harmless import harmless
from defai.redaction import protect, protect_parts, redacted

log = logging.getLogger(__name__)

SERVICES: Final = "DEFAI_NOTIFY"
AGAIN_AFTER_S: Final = 900.0
"""The same thing is said again after so long at the soonest."""
A_MINUTE: Final = 6
"""Messages a minute at most; of the others the next message says how many there were."""
LONGEST_TITLE: Final = 200
LONGEST_TEXT: Final = 1_000
_WAITING: Final = 32
_LAST_WORDS_S: Final = 5.0

Send = Callable[[str, str], bool]
"""Sends a title and a text; whether that worked."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is said; messages with the same key are about the same thing."""

    key: str
    title: str
    text: str


def message_of(event: StreamEvent) -> Message | None:
    """What an event has to say to somebody who is not looking; None for nearly all of them."""
    match event:
        case ApprovalRequested():
            text = f"{event.text}. Why: {event.reason}. {event.rule}."
            return Message(f"approval {event.digest}", f"{event.agent} waits for you", text)
        case AgentStateChanged(state="stopped"):
            return Message(
                f"stopped {event.agent} {event.reason}", f"{event.agent} has stopped", event.reason
            )
        case ModelSeen(drift=drift) if drift is not None and drift.reason:
            who = ", ".join(event.agents)
            return Message(f"drift {event.key}", f"{who} hold: their model drifted", drift.reason)
        case SessionEnded() if event.exit_code:
            return Message("ended", "The session has ended", f"{event.sentence} {event.hint}".strip())
        case _:
            return None


def fit(text: str, longest: int) -> str:
    """A text that may leave this machine: without secrets, on one line, and no longer than so many characters."""
    told = redacted(harmless(text))
    return told if len(told) <= longest else f"{told[: longest - 1]}…"


class Notifier:
    """Sends messages from a thread of its own; whoever publishes never waits.

    Args:
        send: sends one message.
        clock: seconds.
    """

    def __init__(self, send: Send, clock: Callable[[], float] = time.monotonic) -> None:
        self._send, self._clock = send, clock
        self._said: dict[str, float] = {}
        self._times: deque[float] = deque()
        self._left_out = 0
        self._queue: queue.Queue[Message | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._work, name="notifier", daemon=True)
        self._thread.start()

    def hear(self, event: StreamEvent) -> None:
        """Take in an event of the stream."""
        message = message_of(event)
        if message is None or not self._is_due(message):
            return
        more = f" ({self._left_out} more messages were left out.)" if self._left_out else ""
        title, text = fit(message.title, LONGEST_TITLE), fit(message.text, LONGEST_TEXT)
        try:
            self._queue.put_nowait(replace(message, title=title, text=text + more))
            self._left_out = 0
        except queue.Full:
            self._left_out += 1

    def close(self) -> None:
        """Send what waits, for a few seconds at most."""
        with suppress(queue.Full):
            self._queue.put_nowait(None)
        self._thread.join(_LAST_WORDS_S)

    def _is_due(self, message: Message) -> bool:
        now = self._clock()
        self._said = {key: at for key, at in self._said.items() if now - at < AGAIN_AFTER_S}
        if message.key in self._said:
            return False
        while self._times and now - self._times[0] >= 60:
            self._times.popleft()
        if len(self._times) >= A_MINUTE:
            self._left_out += 1
            return False
        self._said[message.key] = now
        self._times.append(now)
        return True

    def _work(self) -> None:
        while (message := self._queue.get()) is not None:
            try:
                sent = self._send(f"defai: {message.title}", message.text)
            except Exception:  # a service's client may raise anything; nobody's session ends for that
                log.exception("a notification could not be sent")
                continue
            if not sent:
                log.warning("a notification could not be sent: %s", message.title)


def notifier_of(environment: Mapping[str, str] | None = None) -> Notifier | None:
    """The notifier that the environment asks for; None where it asks for none.

    Raises:
        ConfigError: where one of the addresses names no service; which one is said by its place alone.
    """
    urls = (os.environ if environment is None else environment).get(SERVICES, "").split()
    if not urls:
        return None
    for url in urls:
        with suppress(ValueError):  # what is too short to be told from ordinary text names no service
            protect(url)
        protect_parts(url)
    import apprise  # noqa: PLC0415  takes a second; only for those who want to be told

    for talkative in ("apprise", "urllib3"):
        logging.getLogger(talkative).setLevel(logging.CRITICAL)  # they log addresses
    services = apprise.Apprise()
    for place, url in enumerate(urls, 1):
        if not services.add(url):
            raise ConfigError(
                f"Address {place} in {SERVICES} names no service that apprise knows.", "See docs/serving.md."
            )

    def send(title: str, text: str) -> bool:
        return bool(services.notify(title=title, body=text, body_format=apprise.NotifyFormat.TEXT))

    return Notifier(send)


@contextmanager
def notified(bus: Bus) -> Iterator[None]:
    """Notify whom the environment names of what a bus tells, while this lasts.

    Raises:
        ConfigError: as `notifier_of`.
    """
    notifier = notifier_of()
    if notifier is None:
        yield
        return
    bus.tap(notifier.hear)
    try:
        yield
    finally:
        notifier.close()
