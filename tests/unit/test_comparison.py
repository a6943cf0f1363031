"""The comparison with peers: page and files agree, lines are counted, ours does what it says."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from defai.domain.intents import Hold, Rebalance, Swap
from defai.strategy.registry import load
from tests.strategies.scenes import after, band, both

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", name="compare")
def compare_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compare_peers", ROOT / "scripts" / "compare_peers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    path, known = sys.path.copy(), set(sys.modules)
    sys.modules["compare_peers"] = module
    try:
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - known:
            if name in {"compare_peers", "bench_crossover", "peers", "figures"}:
                del sys.modules[name]


def test_the_page_holds_the_files_and_their_lines_as_they_are(compare: ModuleType) -> None:
    text = compare.PAGE.read_text(encoding="utf-8")
    assert compare.page_with(text, {}) == text, "python scripts/compare_peers.py --no-run"
    assert compare.page_with(text.replace("Crossover", "Crossing"), {}) == text, "another source is put right"
    files = {path.name for path in compare.SNIPPETS.glob("*.py")}
    assert files == {peer.file for peer in compare.PEERS}


def test_the_page_says_of_each_whether_it_was_run(compare: ModuleType) -> None:
    text = compare.PAGE.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and ".py` |" in line]
    assert len(rows) == len(compare.PEERS)
    assert all("| run: " in row or "| not run" in row for row in rows)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (
            '"""Said."""\n\nimport os  # why\n\n\nclass A:\n    """Said."""\n\n    b = (\n        1\n    )\n',
            5,
        ),
        ("# nothing\n\n", 0),
        ('x = """one\ntwo"""\n', 2),
    ],
)
def test_lines_are_counted_without_what_is_said_about_them(
    compare: ModuleType, text: str, count: int
) -> None:
    assert compare.lines_of_code(text) == count


def test_our_files_do_what_they_say(compare: ModuleType) -> None:
    crossover = load(f"{compare.SNIPPETS / 'crossover_defai.py'}:Crossover", {"fast": 2, "slow": 4}).strategy
    assert isinstance(crossover.decide(after([200_310, 200_310, 200_310])), Hold)
    assert isinstance(crossover.decide(after([200_300] * 3 + [200_310])), Swap)
    recentre = load(f"{compare.SNIPPETS / 'recentre_defai.py'}:Recentre").strategy
    ctx = both()
    assert isinstance(recentre.decide(ctx), Rebalance)
    inside = replace(ctx, positions=(band(ctx.pool.tick - 10, ctx.pool.tick + 10),))
    assert isinstance(recentre.decide(inside), Hold)
