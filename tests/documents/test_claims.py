"""What the documents show is true: code runs, settings load, links lead somewhere, commands and targets exist."""

import re
from pathlib import Path

import pytest

from defai.cli.main import COMMANDS
from defai.config import Settings
from defai.strategy import registry

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))
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
            r"\]\(([^)\s#]+\.md)#([^)\s]+)\)", document.read_text(encoding="utf-8")
        ):
            headings = re.findall(
                r"^#+ (.+)$", (document.parent / target).read_text(encoding="utf-8"), re.MULTILINE
            )
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_targets_that_are_named_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE))
    assert set(re.findall(r"(?:`|^    )make ([a-z-]+)", text, re.MULTILINE)) <= targets
    assert set(re.findall(r"(?:`|bin/)defai ([a-z-]+)", text)) - {"-"} <= {*COMMANDS, "--help", "--version"}
