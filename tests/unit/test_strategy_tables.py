"""The tables of strategies: one command measures them, and the page has each, with everybody in it."""

import asyncio
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.unit.backtest.minute_scenes import minute_file

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", name="tables")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("measuring", ROOT / "scripts" / "measure_strategies.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    path = sys.path.copy()
    sys.modules["measuring"] = module
    try:
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path[:] = path
        sys.modules.pop("measuring", None)
        sys.modules.pop("strategy_windows", None)


def test_a_window_is_measured_beside_its_baselines(tables: ModuleType, tmp_path: Path) -> None:
    minute_file(tmp_path / "bars", 300)
    window = tables.Window(
        name="small",
        title="a few bars",
        source="bars",
        timerange="-",
        learn="-",
        learn_words="nothing",
        strategies={"just_recentre": {"half_width": 20}, "momentum": {}},
        gas={"gas_gwei": tables.CHEAP_GWEI},
        cheaply=True,
        starts=(3, 1_200),
    )
    done = asyncio.run(tables.measure(window, tmp_path))
    assert list(done.rows) == ["hold", "full_range", "static_band", "just_recentre", "momentum"]
    assert all(len(row.finals) == 3 for row in done.rows.values())
    moved = done.rows["just_recentre"]
    assert moved.table["mints"] > 1
    assert moved.cheap == pytest.approx(moved.table["final_usd"] - moved.table["hodl_usd"])
    text = tables.tables(done)
    assert text.startswith("bars: minute bars (estimated fees)")
    assert "| momentum | " in text
    assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1


def test_a_table_is_written_into_its_place_and_nowhere_else(tables: ModuleType) -> None:
    page = "a\n<!-- measured x -->\nold\n<!-- /measured x -->\n<!-- measured y -->\n<!-- /measured y -->\n"
    written = tables.page_with(page, "x", "| new |")
    assert written == page.replace("old", "\n| new |\n")
    with pytest.raises(ValueError, match="has no <!-- measured z -->"):
        tables.page_with(page, "z", "")


def test_the_page_has_every_window_that_is_measured_with_everybody_in_it(tables: ModuleType) -> None:
    text = tables.PAGE.read_text(encoding="utf-8")
    for window in tables.WINDOWS:
        place = text.split(f"<!-- measured {window.name} -->")[1].split(f"<!-- /measured {window.name} -->")[
            0
        ]
        if place.strip() == "unmeasured":
            continue
        for name in (*tables.BASELINES, *window.strategies):
            assert f"\n| {name}" in place, (window.name, name)
    assert text.count("unmeasured") < len(tables.WINDOWS)
    strategies = {path.stem for path in (ROOT / "strategies").glob("*.py")}
    assert all(f"`{name}`" in text for name in strategies)
