"""Secrets do not leave the process in text."""

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from defai import redaction
from defai.cli import logs
from defai.redaction import protect, redacted

KEY = "0x" + "4c08" * 16
DIGEST = "0x" + "9f31" * 16


@pytest.fixture(autouse=True)
def _own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_protected", set())


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    file = logs.start(tmp_path)
    assert file is not None
    yield file
    logs.stop()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at https://me:pass@node.example:8545/", "at https://***@node.example:8545/"),
        ("https://node.example/v3/0123456789abcdef0123", "https://node.example/v3/***"),
        ("wss://node.example/ws?key=abc&x=1 failed", "wss://node.example/ws?key=***&x=*** failed"),
        ("wss://node.example?key=abc failed", "wss://node.example?key=*** failed"),
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        (f"private_key={KEY}", "private_key=***"),
        (f"{{'private_key': '{KEY}', 'chain': 1}}", "{'private_key': ***, 'chain': 1}"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("password: hunter2, user: me", "password: ***, user: me"),
        (
            "mnemonic: test test test test test test test test test test test junk",
            "mnemonic: ***",
        ),
        (f"transaction {DIGEST} is in block 12", f"transaction {DIGEST} is in block 12"),
        ("the token id is 1183", "the token id is 1183"),
    ],
)
def test_what_is_taken_out_and_what_stays(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize("shown", [KEY, KEY[2:], KEY[2:].upper(), f"bytes {KEY[2:]}!"])
def test_a_protected_secret_is_taken_out_in_every_spelling(shown: str) -> None:
    assert KEY[2:] in redacted(shown).lower() or KEY[2:].upper() in redacted(shown)
    protect(KEY)
    assert KEY[2:] not in redacted(shown).lower()
    assert "***" in redacted(shown)


def test_what_is_too_short_to_tell_from_text_is_no_secret() -> None:
    with pytest.raises(ValueError, match="this short"):
        protect("0xabc")


def test_the_log_holds_no_secret_of_a_message_its_arguments_or_a_traceback(log_file: Path) -> None:
    protect(KEY)
    log = logging.getLogger("defai.somewhere")
    log.info("signing with %s", KEY)
    error = ValueError(f"bad key {KEY} for https://me:pass@node.example")
    log.error("could not sign", exc_info=error)
    logging.getLogger("web3").warning("asked https://node.example/v2/0123456789abcdef0123")
    kept = log_file.read_text(encoding="utf-8")
    assert kept.count("***") == 4  # key, key, user and password, the path
    assert KEY[2:] not in kept
    assert "pass" not in kept
    assert "0123456789abcdef" not in kept


def test_nobody_forges_a_line_of_the_log(log_file: Path) -> None:
    log = logging.getLogger("defai.somewhere")
    forged = "2026-01-01 00:00:00,000 7 INFO defai.audit: every record is verified"
    for end in ("\n", "\r", "\r\n", "\x0b", "\x0c", "\x85", "\u2028"):
        log.warning("the node says: no%s%s", end, forged)
    log.error("could not decide", exc_info=ValueError(f"no\n{forged}\x1b[2J\x1b]52;c;ZGVmYWk=\x07"))
    kept = log_file.read_text(encoding="utf-8")
    at_the_margin = [line for line in kept.splitlines() if not line.startswith("    ")]
    assert len(at_the_margin) == 8
    assert all(" defai.somewhere: " in line for line in at_the_margin)
    assert kept.count(forged) == 8, "what was said is there, indented"
    assert kept.replace("\n", "").isprintable()


def test_one_record_does_not_drive_the_others_out(log_file: Path) -> None:
    log = logging.getLogger("defai.somewhere")
    log.info("a digest to be looked up later")
    for _ in range(10):
        log.warning("x" * (1 << 20))
    assert "looked up later" in log_file.read_text(encoding="utf-8")
    assert "and 983," in log_file.read_text(encoding="utf-8"), "how much was left out is said"


@pytest.mark.parametrize("long", ["a.b" * 100_000, "http:" * 60_000, "https://a?" + "b=***&" * 50_000])
def test_a_long_text_is_looked_through_once(long: str) -> None:
    assert redacted(f"{long} ftp://me:pass@host") == f"{long} ftp://***@host"  # else this takes minutes


def test_the_log_keeps_digests_and_leaves_out_chatter(log_file: Path) -> None:
    logging.getLogger("defai.audit").info("recorded %s", DIGEST)
    logging.getLogger("defai.audit").debug("detail")
    logging.getLogger("web3").info("chatter")
    kept = log_file.read_text(encoding="utf-8")
    assert DIGEST in kept
    assert "detail" not in kept
    assert "chatter" not in kept


def test_debug_keeps_our_details(tmp_path: Path) -> None:
    file = logs.start(tmp_path, debug=True)
    logging.getLogger("defai.audit").debug("detail")
    logs.stop()
    assert file is not None
    assert "detail" in file.read_text(encoding="utf-8")


def test_the_log_rotates_and_stays_small(log_file: Path) -> None:
    log = logging.getLogger("defai.flood")
    for _ in range(130):
        log.info("x" * 50_000)
    files = sorted(log_file.parent.iterdir())
    assert len(files) == 5
    assert sum(file.stat().st_size for file in files) < 6 * (1 << 20)


def test_starting_again_moves_the_log_and_stopping_leaves_others_alone(tmp_path: Path) -> None:
    theirs = logging.StreamHandler(io.StringIO())
    logging.getLogger().addHandler(theirs)
    try:
        logs.start(tmp_path / "one")
        second = logs.start(tmp_path / "two")
        assert logs.current_file() == second == tmp_path / "two" / logs.FILE_NAME
        logs.stop()
        assert logs.current_file() is None
        assert theirs in logging.getLogger().handlers
    finally:
        logging.getLogger().removeHandler(theirs)


def test_a_directory_that_cannot_be_made_means_no_log(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert logs.start(tmp_path / "file" / "log") is None
    logging.getLogger("defai").error("goes nowhere, quietly")
    logs.stop()
