"""A new strategy's files: they load, pass and keep to the style, as they were written."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from defai.cli.new_strategy import command
from defai.config import Settings
from defai.errors import ConfigError
from defai.strategy.registry import load
from defai.strategy.scaffold import TEMPLATES, TemplateName, scaffold


def ran(*words: str, cwd: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=cwd, capture_output=True, text=True, timeout=600, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_files_pass_as_they_are(template: TemplateName, tmp_path: Path) -> None:
    new = scaffold("dip_buyer", template)
    assert new.write(tmp_path) == list(new.files)
    code, said = ran("pytest", "-q", "-p", "no:cacheprovider", "tests/test_dip_buyer.py", cwd=tmp_path)
    assert code == 0, said
    code, said = ran("ruff", "check", "--isolated", "--line-length", "120", ".", cwd=tmp_path)
    assert code == 0, said
    code, said = ran("ruff", "format", "--isolated", "--line-length", "120", "--check", ".", cwd=tmp_path)
    assert code == 0, said


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_fleet_names_the_strategy(template: TemplateName, tmp_path: Path) -> None:
    scaffold("dip_buyer", template).write(tmp_path)
    first, second = Settings.load(tmp_path / "dip_buyer.toml", environment={}).agents
    assert (first.name, first.strategy, second.strategy) == ("dip-buyer", "dip_buyer", "hold")
    loaded = load("dip_buyer", first.parameters, tmp_path / "strategies")
    assert type(loaded.strategy).__name__ == "DipBuyer"
    assert type(loaded.strategy).api_version == 1


def test_a_test_of_it_can_fail(tmp_path: Path) -> None:
    scaffold("dip_buyer", "blank").write(tmp_path)
    path = tmp_path / "strategies" / "dip_buyer.py"
    path.write_text(path.read_text().replace("reason=f", "reason='' and f"))
    code, said = ran("pytest", "-q", "-p", "no:cacheprovider", "tests/test_dip_buyer.py", cwd=tmp_path)
    assert (code, "1 failed" in said) == (1, True)


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "dip_buyer.md").write_text("mine")
    with pytest.raises(ConfigError, match=r"dip_buyer\.md is there already; nothing was written"):
        scaffold("dip_buyer").write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["dip_buyer.md"]
    assert (tmp_path / "dip_buyer.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("DipBuyer", "dip_buyer"),
        ("dip-buyer", "dip_buyer"),
        ("2x", "For instance"),
        ("class", "For instance"),
    ],
)
def test_a_name_that_is_none_is_refused_with_a_better_one(name: str, hint: str) -> None:
    with pytest.raises(ConfigError, match="can't name a strategy") as refused:
        scaffold(name)
    assert hint in refused.value.hint
    assert ("Python has that word" in refused.value.sentence) is (name == "class")


def test_the_command_says_what_it_wrote_and_refuses_a_name_that_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(command, ["dip_buyer", "--template", "swap"])
    assert done.exit_code == 0
    assert done.output.startswith("wrote strategies/dip_buyer.py\n")
    assert "defai check-strategy dip_buyer" in done.output
    for taken in ("dip_buyer", "momentum"):
        refused = CliRunner().invoke(command, [taken])
        assert isinstance(refused.exception, ConfigError)
        assert "already" in refused.exception.sentence
