"""What lies in fixtures/ is what MANIFEST.toml says: nothing else, and not a byte different."""

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def listed(fixtures: Path) -> dict[str, dict[str, Any]]:
    entries = tomllib.loads((fixtures / "MANIFEST.toml").read_text())["files"]
    return {entry["path"]: entry for entry in entries}


def test_every_file_is_listed_and_every_listed_file_is_there(
    fixtures: Path, listed: dict[str, dict[str, Any]]
) -> None:
    there = {path.relative_to(fixtures).as_posix() for path in fixtures.rglob("*") if path.is_file()}
    assert there == {*listed, "MANIFEST.toml"}


def test_files_are_what_they_were(fixtures: Path, listed: dict[str, dict[str, Any]]) -> None:
    assert listed
    for path, entry in listed.items():
        content = (fixtures / path).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (entry["size"], entry["sha256"]), path


def test_every_entry_says_where_it_is_from_and_how_to_make_it_again(
    listed: dict[str, dict[str, Any]],
) -> None:
    targets = re.findall(
        r"^([a-z-]+):.*##", (Path(__file__).parents[2] / "Makefile").read_text(), re.MULTILINE
    )
    for entry in listed.values():
        assert set(entry) == {"path", "source", "first_block", "last_block", "sha256", "size", "command"}
        assert entry["source"]
        assert 0 < entry["first_block"] <= entry["last_block"]
        assert entry["command"].removeprefix("make ") in targets


def test_fixtures_are_small_and_hold_nobodys_bytecode(
    fixtures: Path, listed: dict[str, dict[str, Any]]
) -> None:
    assert sum(entry["size"] for entry in listed.values()) < 1_000_000
    for path in listed:
        assert not re.search(r"[0-9a-fA-F]{65}", (fixtures / path).read_text()), path
