"""A run's directory: complete, and a full disk ends the writing, not the session."""

import json
from pathlib import Path

import pytest

from defai.audit.outbox import Outbox
from defai.audit.record import AuditDomain
from defai.config import Settings
from defai.domain.stream import ApprovalResolved, Notice
from defai.errors import ConfigError, DefaiError
from defai.session.run_directory import Journal, run_directory
from defai.testing.builders import draft
from defai.worlds.audit_logs import FileAuditLog

DOMAIN = AuditDomain(31337, "0x5FbDB2315678afecb367f032d93F642f64180aa3")
FULL = Path("/dev/full")
needs_full_disk = pytest.mark.skipif(not FULL.exists(), reason="only Linux has a device that is always full")


class FullDisk:
    """A file on a disk without room: writing is buffered, flushing fails."""

    def __init__(self) -> None:
        self._file = FULL.open("ab")
        self.write = self._file.write
        self.flush = self._file.flush

    def close(self) -> None:
        self._file.close()


def settings(tmp_path: Path) -> Settings:
    return Settings.demo({"run_dir": tmp_path / "runs" / "mine"}, environment={})


def test_everything_that_happened_is_kept(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    folder = run_directory(chosen)
    assert folder == tmp_path / "runs" / "mine"
    journal = Journal(folder, chosen)
    journal.event(Notice("info", "one"))
    assert journal.flush() == ""
    assert [json.loads(line)["sentence"] for line in (folder / "events.jsonl").read_text().splitlines()] == [
        "one"
    ]
    journal.event(Notice("info", "two"))
    journal.close({"blocks": 3})
    assert len((folder / "events.jsonl").read_text().splitlines()) == 2
    assert json.loads((folder / "summary.json").read_text()) == {"blocks": 3}
    about = json.loads((folder / "run.json").read_text())
    assert about["versions"]["defai"]
    assert about["settings"]["market"]["seed"] == chosen.market.seed


def test_what_a_person_was_asked_or_said_is_kept_at_once(tmp_path: Path) -> None:
    """The process may be killed a moment later: `flush` comes at the end of a block only."""
    journal = Journal(tmp_path, settings(tmp_path))
    journal.event(Notice("info", "one"))
    journal.event(ApprovalResolved("tiers", "0x1", "rejected", "the owner", "no", 7))
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert kinds == ["notice", "approval_resolved"]
    journal.close(None)


def test_without_a_name_a_run_gets_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder = run_directory(Settings.demo(environment={}))
    assert folder.is_dir()
    assert folder.is_relative_to(tmp_path / "defai" / "runs")


def test_a_folder_with_a_run_in_it_is_left_alone(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    folder = run_directory(chosen)
    journal = Journal(folder, chosen)
    journal.place({"rpc_url": "http://127.0.0.1:1"})
    journal.close(None)
    with pytest.raises(ConfigError, match="holds a run already"):
        run_directory(chosen)


def test_a_start_that_came_to_no_chain_does_not_stand_in_the_way(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    journal = Journal(run_directory(chosen), chosen)
    journal.event(Notice("info", "no node answers"))
    journal.close(None)
    again = Journal(run_directory(chosen), chosen)
    assert not again.is_old
    again.close(None)
    assert (tmp_path / "runs" / "mine" / "events.jsonl").read_bytes() == b""


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("in the way")
    with pytest.raises(DefaiError, match="cannot be made"):
        run_directory(settings(tmp_path))


@needs_full_disk
def test_a_full_disk_ends_the_writing_and_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, settings(tmp_path))
    journal._events.close()
    monkeypatch.setattr(journal, "_events", FullDisk())
    journal.event(Notice("info", "x"))
    assert "cannot be written any more: No space left on device" in journal.flush()
    assert journal.flush() == ""
    journal.event(Notice("info", "y" * 100_000))
    journal.close(None)
    assert journal.failed


@needs_full_disk
def test_a_large_event_fails_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path, settings(tmp_path))
    journal._events.close()
    monkeypatch.setattr(journal, "_events", FullDisk())
    journal.event(Notice("info", "x" * 1_000_000))
    assert journal.failed
    assert journal.flush() == journal.failed
    journal.close(None)


def test_a_summary_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    journal = Journal(tmp_path, settings(tmp_path))
    (tmp_path / "summary.json").mkdir()
    with pytest.raises(DefaiError, match=r"summary\.json cannot be written"):
        journal.close({})


async def test_decisions_are_in_the_file_before_anything_is_done(tmp_path: Path) -> None:
    log = FileAuditLog(DOMAIN, tmp_path / "decisions.jsonl")
    outbox = Outbox(3, DOMAIN)
    decision = outbox.seal(draft())
    await log.append("a", decision)
    (line,) = (tmp_path / "decisions.jsonl").read_text().splitlines()
    kept = json.loads(line)
    assert (kept["agent"], kept["digest"], kept["payload"]) == (
        "a",
        decision.digest,
        decision.payload.decode(),
    )
    log.close()


@needs_full_disk
async def test_a_decision_that_cannot_be_kept_stops_the_session() -> None:
    log = FileAuditLog(DOMAIN, FULL)
    with pytest.raises(DefaiError, match="No space left on device"):
        await log.append("a", Outbox(3, DOMAIN).seal(draft()))
    log.close()
