"""What the documents show is true: code runs, settings load, links lead somewhere, commands and targets exist."""

import re
from pathlib import Path

import pytest

from defai.cli.main import COMMANDS
from defai.config import Settings
from defai.strategy import registry
from scripts.build_docs import COMMANDS_PAGE, commands_page
from tests.documents.pages import refused

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))
OF_OTHER_PROGRAMS = {"--list", "--commands"}
"""Options of this project's scripts."""
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.+?)```", README, re.DOTALL)


def test_the_readmes_strategy_loads_and_takes_the_readmes_parameters(tmp_path: Path) -> None:
    folder = tmp_path / "strategies"
    folder.mkdir()
    (code,) = blocks("python")
    (folder / "buy_the_dip.py").write_text(code, encoding="utf-8")
    (fleet,) = blocks("toml")
    (tmp_path / "fleet.toml").write_text(fleet, encoding="utf-8")
    (agent,) = Settings.load(tmp_path / "fleet.toml", environment={}).agents
    loaded = registry.load(agent.strategy, agent.parameters, folder)
    assert loaded.strategy.model_dump() == {"dip_ticks": 150, "share": 0.2}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [target for target in targets if target and not (document.parent / target).exists()] == []


def test_links_within_documents_lead_to_a_heading() -> None:
    for document in DOCUMENTS:
        for target, anchor in re.findall(
            r"\]\(((?:[^)\s#]+\.md)?)#([^)\s]+)\)", document.read_text(encoding="utf-8")
        ):
            page = document.parent / target if target else document
            headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_targets_that_are_named_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE))
    assert set(re.findall(r"(?:`|^    )make ([a-z-]+)", text, re.MULTILINE)) <= targets
    assert set(re.findall(r"(?:`|bin/)defai ([a-z-]+)", text)) - {"-"} <= {*COMMANDS, "--help", "--version"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_options_that_are_named_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    lines = re.findall(r"^    (?:\.venv/bin/)?(defai .+)$", text.replace("\\\n", " "), re.MULTILINE)
    assert "".join(map(refused, lines)) == ""
    known = {*options_in(COMMANDS_PAGE.read_text(encoding="utf-8")), *OF_OTHER_PROGRAMS}
    assert options_in(text) - known == set()


def options_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*(?![\w-])", text))


def test_an_option_that_is_not_there_is_found() -> None:
    assert options_in("`--no-such-thing 3`, --- and a--b") == {"--no-such-thing"}


def test_the_page_of_commands_is_what_they_say() -> None:
    text = COMMANDS_PAGE.read_text(encoding="utf-8")
    assert text == commands_page(text), "run `python scripts/build_docs.py --commands`"


def test_variables_that_are_read_are_on_the_page_of_commands() -> None:
    page = COMMANDS_PAGE.read_text(encoding="utf-8")
    read = {
        name
        for path in (ROOT / "defai").rglob("*.py")
        for name in re.findall(r'"(DEFAI_[A-Z_]*[A-Z])"', path.read_text(encoding="utf-8"))
    }
    assert "DEFAI_TOKEN" in read
    assert {name for name in read if name not in page} == set()
