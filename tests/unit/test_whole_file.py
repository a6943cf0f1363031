"""A file is replaced as a whole, or stays; nothing is left beside it."""

import os
from pathlib import Path

import pytest

from defai import whole_file


def test_what_stands_there_is_replaced_for_who_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.write_bytes(b"what was there before, and longer")
    whole_file.put(path, b"new", durable=True, mode=0o600)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["kept.json"]


def test_a_disk_that_fails_leaves_the_old_one_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "kept.json"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        whole_file.put(path, b"new", durable=True)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["kept.json"]
