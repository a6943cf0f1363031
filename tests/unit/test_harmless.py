"""What others wrote is printed as a text on one line, whatever it would have a terminal do."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from defai.cli.auditing import print_reports
from defai.cli.fetching import print_result
from defai.cli.output import print_json, say
from defai.cli.summary import narrate
from defai.domain.others_words import fit_to_show, made_harmless
from defai.domain.stream import AgentStateChanged, Notice
from defai.harmless import harmless
from defai.testing.stream import demo_stream

ORDERS = "buy\x1b[2J\x1b]52;c;ZGVmYWk=\x07 now\n✓ verified\x9b31m \u202eflip\u2066"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("σ 0.41 ▁▂▄▃ 日本", "σ 0.41 ▁▂▄▃ 日本"),
        ("a\tb\r\nc\u00a0d", "a b  c d"),
        (ORDERS, "buy[2J]52;c;ZGVmYWk= now ✓ verified31m flip"),
        ("", ""),
    ],
)
def test_what_cannot_be_seen_is_left_out(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_what_a_session_tells_is_printed_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    narrate(Notice("info", ORDERS, ORDERS))
    narrate(AgentStateChanged("a", "stopped", ORDERS))
    say(ORDERS)
    printed = capsys.readouterr()
    assert (printed.out + printed.err).replace("\n", "").isprintable()
    assert len((printed.out + printed.err).splitlines()) == 3, "nobody adds a line of his own"


def test_names_from_the_chain_are_printed_harmless(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Of tokens, and of agents that set out before ours looked."""
    manifest = {
        "pools": [{"name": ORDERS}],
        "chain_id": 1,
        "blocks": {"first": {"number": 1}, "last": {"number": 2}},
        "logs": {"total": 0},
        "opening": {"how": "read"},
        "verification": {"equal": True, "exact_swaps": 0, "swaps": 0, "block": 2},
    }
    print_result(tmp_path, manifest, 1.0, as_json=False)
    trail = SimpleNamespace(charter=SimpleNamespace(name=ORDERS))
    print_reports(cast("Any", SimpleNamespace(trails={1: trail})), [], in_full=False)
    printed = capsys.readouterr().out
    assert printed.count("verified31m flip") == 2
    assert printed.replace("\n", "").isprintable()


def test_json_for_a_terminal_gives_it_no_orders(capsys: pytest.CaptureFixture[str]) -> None:
    for told in ({"why": ORDERS}, {"why": "σ 0.41"}):
        print_json(told)
        printed = capsys.readouterr().out
        assert printed.removesuffix("\n").isprintable()
        assert json.loads(printed) == told
    assert "σ" in printed


def test_events_are_the_same_where_nothing_is_wrong_with_them() -> None:
    for event in demo_stream(blocks=20):
        assert fit_to_show(event) is event
        assert made_harmless(event) is event


def test_records_within_records_are_made_harmless() -> None:
    event = Notice("info", ORDERS, "calm")
    told: Any = made_harmless(({ORDERS: [event, 5]},))
    assert told == ({harmless(ORDERS): [Notice("info", harmless(ORDERS), "calm"), 5]},)
