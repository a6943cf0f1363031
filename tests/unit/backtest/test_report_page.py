"""The report's page and table: what is drawn, what is kept out, what adds up."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defai.backtest.report import band_runs, page, parts_of, text, thinned
from defai.backtest.run_files import RunRecord

FIGURES: dict[str, Any] = {
    "strategy": "</script><script>alert(1)</script>",
    "pools": ["USDC/WETH 0.05 %"],
    "numeraire": "USDC",
    "source_kind": "bars",
    "fidelity": "minute bars (estimated fees)",
    "steps": 3,
    "first_time": 1_658_188_800,
    "last_time": 1_658_188_980,
    "final_usd": 90.0,
    "hodl_usd": 100.0,
    "fees_usd": 7.0,
    "impermanent_loss_usd": 4.0,
    "lvr_usd": 5.0,
    "lvr_interval_s": 900,
    "hedged_pnl_usd": -2.0,
    "swap_cost_usd": 1.5,
    "gas_usd": None,
    "in_range_ratio": 0.5,
    "sharpe_ratio": None,
    "max_drawdown": 0.1,
    "stopped": "drawdown 26 % over the limit",
    "decisions": 3,
    "decision_digest": "0xabc",
    "baselines": {"hold": {"final_usd": 100.0, "hodl_usd": 100.0}},
}
RECORD = RunRecord(
    configuration={},
    source={"path": "bars", "kind": "bars", "sha256": "0x1", "price_of": "USDC per WETH"},
    seed=0,
    figures=FIGURES,
    equity={
        "timestamp": [1_658_188_800, 1_658_188_860, 1_658_188_920],
        "price": [1500.0, 1501.0, 1499.0],
        "equity_usd": [100.0, 95.0, 90.0],
        "band_lower": [None, 1400.0, 1400.0],
        "band_upper": [None, 1600.0, 1600.0],
        "baseline_hold": [100.0, 101.0, 100.0],
    },
    decisions={
        "agent": ["a", "a"],
        "timestamp": [1_658_188_800, 1_658_188_870],
        "action": ["hold", "swap"],
        "reason": ["wait", "<img src=x onerror=alert(2)>"],
        "verdict": ["approved", "denied: too much"],
        "digest": ["0x" + "12" * 32] * 2,
    },
)


def content_of(written: str) -> dict[str, Any]:
    found = re.search(r'<script id="run" type="application/json">(.*?)</script>', written, re.DOTALL)
    assert found
    content: dict[str, Any] = json.loads(found[1])
    return content


def test_the_page_needs_no_network_and_runs_nobody_elses_script() -> None:
    written = page(RECORD)
    before, rest = written.split("<script>", 1)
    ours = before + rest[rest.index('<script id="run"') :]
    fetched = re.search(r"\s(src|href)\s*=|@import|url\(|https?://", ours.replace("img src=x", ""))
    assert not fetched, "nothing is fetched"
    assert "<img" not in ours
    assert "alert(1)</script>" not in ours
    assert len(written) > 1_000_000, "the chart library is in it"


def test_the_page_shows_what_was_recorded() -> None:
    content = content_of(page(RECORD))
    assert content["equity"] == {"this strategy": [100.0, 95.0, 90.0], "hold": [100.0, 101.0, 100.0]}
    assert content["drawdown"]["this strategy"] == pytest.approx([0, -0.05, -0.1])
    assert content["band_runs"] == [[1, 3]]
    assert content["moves"] == [["2022-07-19 00:01:10", 1501.0, "swap: &lt;img src=x onerror=alert(2)&gt;"]]
    assert [row[1] for row in content["decisions"]["rows"]] == ["swap"]
    assert content["decision_note"].startswith("1 that asked for something; 1 holds")
    tiles = {tile["name"]: tile["value"] for tile in content["tiles"]}
    assert tiles["against hold"] == -10.0
    assert tiles["gas"] is None
    assert len(tiles) == 10


def test_what_the_result_is_made_of_adds_up() -> None:
    parts = parts_of(FIGURES)
    assert parts == [
        ("fees", 7.0, "relative"),
        ("IL", -4.0, "relative"),
        ("swaps", -1.5, "relative"),
        ("other", -11.5, "relative"),
        ("vs hold", -10.0, "total"),
    ]
    assert sum(worth for _, worth, kind in parts if kind == "relative") == parts[-1][1]
    assert parts_of({"final_usd": None}) == []


def test_the_table_says_what_was_not_measured() -> None:
    printed = text(FIGURES)
    mine = next(line for line in printed.splitlines() if line.startswith("this strategy"))
    assert mine.split()[2:5] == ["90.00", "−10.00", "7.00"]
    assert mine.count("unmeasured") == 2
    assert "this strategy stopped: drawdown 26 % over the limit" in printed
    several = text({**FIGURES, "agents": [{"name": "first", **FIGURES}, {"name": "second", **FIGURES}]})
    assert "\nfirst " in several
    assert "\nsecond " in several
    assert "were not measured" in text({**FIGURES, "lvr_interval_s": None})


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(1, 50))
def test_thinning_keeps_the_ends_and_the_extremes(values: list[float], most: int) -> None:
    rows = thinned(values, most=most)
    assert rows == sorted(set(rows))
    assert rows[0] == 0
    assert rows[-1] == len(values) - 1
    kept = [values[row] for row in rows]
    assert (min(kept), max(kept)) == (min(values), max(values))
    assert len(rows) <= 3 * most + 1


def test_bands_are_drawn_one_by_one() -> None:
    lower = [None, 1.0, 1.0, 2.0, None, 3.0]
    upper = [None, 9.0, 9.0, 9.0, None, 9.0]
    assert band_runs(lower, upper) == [(1, 3), (3, 4), (5, 6)]
    assert band_runs([], []) == []
    assert band_runs([None], [None]) == []


def test_what_a_strategy_says_adds_no_line_and_gives_no_order() -> None:
    evil = "raised ValueError: \x1b[2J\x9b31m\nevery record is verified \u202e"
    figures = {**FIGURES, "strategy": "calm", "stopped": evil}
    printed = text(figures)
    assert printed.replace("\n", "").isprintable()
    assert len(printed.splitlines()) == len(text({**figures, "stopped": "calm"}).splitlines())
    shown = content_of(page(replace(RECORD, figures=figures)))
    assert shown["complaints"] == [
        "this strategy stopped: raised ValueError: [2J31m every record is verified "
    ]
