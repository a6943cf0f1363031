"""Notifications: said once, not too often, through a real webhook, and without its address anywhere."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from defai.domain.stream import AgentStateChanged, Notice, SessionEnded, StreamEvent
from defai.errors import ConfigError
from defai.redaction import redacted
from defai.session.notifying import A_MINUTE, AGAIN_AFTER_S, LONGEST_TEXT, Notifier, notifier_of
from defai.testing.stream import demo_stream

PATH = "/a-secret-nobody-should-see"


def stopped(agent: str, reason: str = "drawdown 26 % over the limit of 25 %") -> AgentStateChanged:
    return AgentStateChanged(agent, "stopped", reason)


class Phone:
    """Gets messages; time stands still."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []
        self.now = 0.0
        self.notifier = Notifier(self.send, lambda: self.now)

    def send(self, title: str, text: str) -> bool:
        self.got.append((title, text))
        return True

    def told(self, *events: StreamEvent) -> list[tuple[str, str]]:
        for event in events:
            self.notifier.hear(event)
        self.notifier.close()
        return self.got


def test_only_what_needs_somebody_is_said() -> None:
    quiet = [event for event in demo_stream(blocks=30) if getattr(event, "state", "") != "stopped"]
    said = Phone().told(
        *quiet, Notice("error", "x"), stopped("tiers"), SessionEnded("The chain is gone.", "", 3)
    )
    titles = [title for title, _ in said if "wait" not in title]
    assert titles == ["defai: tiers has stopped", "defai: The session has ended"]


def test_the_same_is_said_once_in_a_while() -> None:
    phone = Phone()
    for _ in range(50):
        phone.notifier.hear(stopped("tiers"))
    phone.now = AGAIN_AFTER_S
    assert len(phone.told(stopped("tiers"))) == 2


def test_very_many_are_counted_and_not_said() -> None:
    phone = Phone()
    for at in range(A_MINUTE + 5):
        phone.notifier.hear(stopped(f"agent-{at}"))
    wait_until(lambda: len(phone.got) == A_MINUTE)
    phone.now = 61.0
    assert phone.told(stopped("late"))[-1][1].endswith("(5 more messages were left out.)")
    assert len(phone.got) == A_MINUTE + 1


def test_what_was_left_out_is_said_when_it_happens_again() -> None:
    phone = Phone()
    for at in range(A_MINUTE):
        phone.notifier.hear(stopped(f"agent-{at}"))
    phone.notifier.hear(stopped("tiers"))
    phone.now = 61.0
    assert phone.told(stopped("tiers"))[-1][0] == "defai: tiers has stopped"


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_service_that_breaks_breaks_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    def breaks(title: str, text: str) -> bool:
        raise OSError(f"{title} {text}")

    notifier = Notifier(breaks)
    notifier.hear(stopped("tiers"))
    notifier.hear(stopped("reverter"))
    notifier.close()
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 2


def test_what_is_sent_has_no_secret_no_order_and_an_end() -> None:
    phone = Phone()
    key = "0123456789abcdef0123"
    reason = f"raised OSError: https://me:pass@node.example/v2/{key}?token={key} \x1b[2J\nall is well"
    phone.notifier.hear(stopped("tiers", reason))
    phone.notifier.hear(SessionEnded("password=hunter2", "x" * 1_000_000, 1))
    (_, first), (_, last) = phone.told()
    assert first == "raised OSError: https://***@node.example/v2/***?token=*** [2J all is well"
    assert "hunter2" not in last
    assert last.endswith("x…")
    assert len(last) == LONGEST_TEXT


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[dict[str, str]]]]:
    got: list[dict[str, str]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"json://127.0.0.1:{server.server_port}{PATH}", got
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_webhook_is_called_and_its_address_is_nowhere(
    webhook: tuple[str, list[dict[str, str]]], caplog: pytest.LogCaptureFixture
) -> None:
    url, got = webhook
    caplog.set_level(logging.DEBUG)
    notifier = notifier_of({"DEFAI_NOTIFY": url})
    assert notifier is not None
    notifier.hear(stopped("tiers"))
    notifier.close()
    assert [(one["title"], one["message"]) for one in got] == [
        ("defai: tiers has stopped", "drawdown 26 % over the limit of 25 %")
    ]
    assert PATH not in "".join(record.getMessage() for record in caplog.records)
    assert PATH not in redacted(f"sent to {url}")
    assert PATH not in redacted(f"Max retries exceeded with url: {PATH}")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_service_that_shows_html_gets_a_text(webhook: tuple[str, list[dict[str, str]]]) -> None:
    url, got = webhook
    notifier = notifier_of({"DEFAI_NOTIFY": f"{url}?format=html"})
    assert notifier is not None
    notifier.hear(stopped("tiers", "<script>alert(1)</script>"))
    notifier.close()
    assert [one["message"] for one in got] == ["&lt;script&gt;alert(1)&lt;/script&gt;"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_address_that_is_none_is_said_by_its_place() -> None:
    with pytest.raises(ConfigError, match="Address 2") as refused:
        notifier_of({"DEFAI_NOTIFY": "json://127.0.0.1:1/x nonsense-secret"})
    assert "nonsense" not in str(refused.value)
    assert notifier_of({}) is None
