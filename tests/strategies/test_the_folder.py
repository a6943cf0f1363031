"""The folder of strategies: short files, each by itself, each with a test; the engine knows none of them."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from defai.config import Settings
from defai.strategy.registry import load
from tests.unit.backtest.minute_scenes import minute_file

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "strategies").glob("*.py"))
LONGEST = 80
OWN = '''
from defai.strategy.api import Context, Hold, Intent, Strategy


class Mine(Strategy):
    """An author's own."""

    def decide(self, ctx: Context) -> Intent:
        return Hold(reason=f"tick {ctx.pool.tick}")
'''


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_strategy_is_short_says_when_it_works_and_has_a_test(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") < LONGEST
    said = type(load(path.stem, folder=path.parent).strategy).__doc__ or ""
    assert "Works " in said, "when it works"
    assert "Loses" in said or "arns nothing" in said, "when it does not"
    assert (Path(__file__).parent / f"test_{path.stem}.py").is_file()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_strategy_needs_no_other(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    outside = {module.partition(".")[0] for module in {*modules, *names} if module} - set(
        sys.stdlib_module_names
    )
    assert outside == {"defai"}


def test_the_example_of_eleven_agents_has_everybody_who_acts() -> None:
    agents = Settings.load(ROOT / "examples" / "eleven.toml", environment={}).agents
    assert len(agents) == 11
    assert {agent.strategy for agent in agents} == {path.stem for path in FILES} - {
        "full_range",
        "pool_timing",
    }
    for agent in agents:
        load(agent.strategy, agent.parameters, ROOT / "strategies")


def test_nothing_in_the_engine_imports_a_strategy() -> None:
    found = [
        (path.name, line.strip())
        for path in (ROOT / "defai").rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip().startswith(("import strategies", "from strategies"))
    ]
    assert found == []


def test_without_the_folder_everything_else_goes_on(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "defai", tmp_path / "copy" / "defai")
    place = tmp_path / "elsewhere"
    place.mkdir()
    (place / "mine.py").write_text(OWN, encoding="utf-8")
    bars = minute_file(tmp_path / "bars", 40).parent
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "copy"), "HOME": str(tmp_path)}

    def defai(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "defai", *words]
        return subprocess.run(
            command, cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=600
        )

    listed = defai("list-strategies", "--json")
    assert (listed.returncode, json.loads(listed.stdout)["strategies"]) == (0, [])
    run = defai("backtest", "-s", "mine.py:Mine", "--source", str(bars))
    assert run.returncode == 0, run.stderr
    assert "40 decisions" in run.stdout
    assert "the baseline hold is not there" in run.stderr
    missing = defai("backtest", "-s", "volatility_band", "--source", str(bars))
    assert missing.returncode == 2
    assert "There is no strategy called 'volatility_band'." in missing.stderr
