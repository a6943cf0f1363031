"""Every code block of the documentation works, and prints what the page says it prints."""

import os
from pathlib import Path

import pytest

from tests.documents.pages import READ, ROOT, RUN, Block, Session, blocks, commands, refused, unlike
from tests.homes import set_home

PAGES = [
    path
    for path in (ROOT / "README.md", ROOT / "contracts" / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if blocks(path)
]
OWN_MODELS = {ROOT / "docs" / "verify.md"}
"""What they print comes from models as a user's machine trains them, which takes a while."""
REAL_DATA = Path(os.environ.get("DEFAI_REAL_DATA", ROOT.parent / "shared" / "data"))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", [page for page in PAGES if page not in OWN_MODELS], ids=named)
def test_a_page_does_what_it_says(page: Path, tmp_path: Path, trained_home: Path) -> None:
    assert trained_home.is_dir()
    followed(page, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("page", sorted(OWN_MODELS), ids=named)
def test_a_page_does_what_it_says_to_the_last_number(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_home(monkeypatch, tmp_path / "home")
    followed(page, tmp_path)


def followed(page: Path, folder: Path) -> None:
    """Run a page's blocks in order; those that read the real data only where it is."""
    environment = {"DEFAI_REAL_DATA": str(REAL_DATA)}
    with Session(folder, environment) as session:
        for block in blocks(page):
            if "DEFAI_REAL_DATA" in block.text and block.language == "console" and not REAL_DATA.is_dir():
                continue
            wrong = session.follow(block)
            assert not wrong, f"{named(page)}, line {block.line}: {wrong}"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_block_says_what_it_is(page: Path) -> None:
    assert [block.line for block in blocks(page) if block.language not in {*RUN, *READ}] == []


def test_what_differs_is_told() -> None:
    assert unlike(["a 1", "b"], ["a 1", "c"])
    assert unlike(["a"], ["a", "b"])
    assert not unlike(["took … s", "…", "end"], ["took 1.2 s", "x", "y", "end"])


def test_commands_are_told_from_what_they_print() -> None:
    assert list(commands("$ one \\\n  two\nout\n$ three\n")) == [("one two", ["out"]), ("three", [])]


def test_an_option_that_is_not_there_is_told() -> None:
    assert "no --nonsense" in refused("defai backtest -s hold --nonsense")
    assert refused("defai backtest -s hold --source x") == ""


def test_a_block_that_fails_is_told(tmp_path: Path) -> None:
    with Session(tmp_path, {}) as session:
        assert session.follow(Block(1, "console", "", "$ echo hello\nhullo\n"))
        assert not session.follow(Block(1, "console", "", "$ echo hello\nhello\n"))
        with pytest.raises(ZeroDivisionError):
            session.follow(Block(1, "python", "", "1 / 0\n"))
