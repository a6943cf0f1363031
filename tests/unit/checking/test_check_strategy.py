"""The rules that strategies are held to: what breaks each of them is found, with its line; what keeps them passes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from defai.cli.check_strategy import command
from defai.strategy.registry import list_names, load, shipped_folder
from defai.testing.checking import CHECKS, check_strategy, report_text
from defai.testing.checking.__main__ import Asker
from defai.testing.checking.checks import _sandwiched
from defai.testing.checking.guards import Watch
from defai.testing.checking.reading import read_source
from defai.testing.checking.scenes import edges, series

HEAD = """
from defai.strategy.api import Annotated, Context, Field, Hold, Intent, Strategy, Swap
{before}

class Tried(Strategy):
    '''Tried.'''

    width: Annotated[int, Field(ge=1, le=9, description="of it")] = 3

    def decide(self, ctx: Context) -> Intent:
"""
LINE = HEAD.count("\n") + 1


def source(body: str, before: str = "") -> str:
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    return HEAD.format(before=before) + lines


def written(folder: Path, body: str, before: str = "") -> str:
    path = folder / "tried.py"
    path.write_text(source(body, before), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("body", "check", "sentence", "hint"),
    [
        ("return Hold(reson='x')", "types", "Hold has no reson", "reason"),
        ("return Hold()", "reasons", "Hold is not given its reason", ""),
        ("return Hold('why')", "types", "Hold takes its fields by name", ""),
        ("return Hold(reason=str(ctx.pols))", "types", "the context has no pols", "pools"),
        ("return Hold(reason=str(ctx.pool.tik))", "types", "a pool's view has no tik", "tick"),
        ("return Hold(reason=str(self.widht))", "types", "Tried has no widht", "width"),
        ("print(1)", "purity", "calls print()", "reason"),
        ("open('x')", "purity", "calls open()", "context alone"),
        ("import os", "purity", "imports os", "context alone"),
        ("from time import time", "purity", "imports time", "ctx.timestamp"),
        ("import random", "purity", "imports random", "ctx.rng"),
        ("import datetime; datetime.datetime.now()", "purity", "asks the clock: now()", "ctx.timestamp"),
        ("import numpy as np; np.random.rand()", "purity", "draws from numpy.random", "ctx.rng"),
        ("global SEEN", "purity", "changes the global SEEN", "context alone"),
        ("SEEN.append(1)", "purity", "remembers something in SEEN", "ctx.outcomes"),
        ("SEEN[0] = 1", "purity", "remembers something in SEEN", "ctx.outcomes"),
        ("self.width = 4", "purity", "remembers something in self.width", "ctx.outcomes"),
        ("ctx._stretch", "purity", "reaches for _stretch, which is private", "context alone"),
        (
            "getattr(ctx, '_stretch', None)",
            "purity",
            "reaches for _stretch, which is private",
            "context alone",
        ),
        (
            "getattr(ctx, ctx.pool.key.name)",
            "purity",
            "reaches by getattr() for whatever a name says",
            "context alone",
        ),
        ("vars(ctx)", "purity", "calls vars()", "context alone"),
        ("ctx.__class__", "purity", "reaches for __class__, which is private", "context alone"),
    ],
)
def test_what_the_source_gives_away_is_found_with_its_line(
    tmp_path: Path, body: str, check: str, sentence: str, hint: str
) -> None:
    loaded = load(written(tmp_path, body, "SEEN = []"))
    found = [one for one in read_source(loaded.source, type(loaded.strategy)) if one.sentence == sentence]
    assert [(one.check, one.line) for one in found] == [(check, LINE)]
    assert hint in found[0].hint


@pytest.mark.parametrize("name", [one.name for one in list_names(shipped_folder())])
def test_shipped_strategies_keep_the_rules_in_every_scene(name: str) -> None:
    loaded = load(name, folder=shipped_folder())
    assert read_source(loaded.source, type(loaded.strategy)) == []
    ask = Asker(loaded.strategy.decide, Watch(loaded.origin), twice=True)
    told = [
        *ask.all_of(series(loaded.strategy), attack=True),
        *ask.all_of(edges(loaded.strategy), attack=False),
    ]
    assert [
        one for one in told if "intent" not in one or not one["again"] or not one["intent"]["reason"]
    ] == []
    assert [one for one in ask.attacks if one.sandwiched < one.minimum <= one.undisturbed] == []


def test_one_that_keeps_the_rules_passes(tmp_path: Path) -> None:
    reference = written(tmp_path, "return Hold(reason=f'the tick is {ctx.pool.tick}')")
    result = CliRunner().invoke(command, [reference, "--json"], catch_exceptions=False, standalone_mode=False)
    report = json.loads(result.output)
    assert result.return_value == 0
    assert report["passed"] is True
    assert {check["status"] for check in report["checks"].values()} == {"passed"}
    assert list(report["checks"]) == list(CHECKS)
    assert report["not_checked"]


def test_what_only_running_shows_is_found(tmp_path: Path) -> None:
    body = """
state = next(COUNT)
CLOCK()
if ctx.block_number == 130:
    return Hold(reason=" ")
if not ctx.pool.state.liquidity:
    return Hold(reason=str(1 // ctx.pool.state.liquidity))
return Swap(pool=ctx.pool.key.address, zero_for_one=True, amount_in_raw=state * 10**13, reason=f"{state}")
"""
    before = "from itertools import count\nfrom time import time as CLOCK\nCOUNT = count(1)"
    report = check_strategy(written(tmp_path, body.strip(), before))
    found = {finding.check: finding for finding in report.findings}
    assert {"purity", "determinism", "reasons", "edges"} <= set(found)
    assert "not determined" in report.skipped["lookahead"]
    assert "no liquidity in the pool: decide raised ZeroDivisionError" in found["edges"].sentence
    assert found["edges"].line == LINE + before.count("\n") + 5
    assert any(one.sentence == "asks the clock: time.time()" for one in report.findings)
    text = report_text(report)
    assert "tried.py:" in text
    assert "FAIL  determinism" in text
    forging = replace(report.findings[0], sentence="raised ValueError: \x1b[2J\n  ok    all is well")
    forged = report_text(replace(report, findings=(forging,)))
    assert forged.replace("\n", "").isprintable()
    assert "\n  ok    all is well" not in forged


def test_one_that_answers_by_the_process_it_is_in_is_not_determined(tmp_path: Path) -> None:
    report = check_strategy(written(tmp_path, 'return Hold(reason=f\'{min({"a", "b"}, key=hash)}\')'))
    assert {finding.check for finding in report.findings} >= {"determinism", "lookahead"}


@pytest.mark.parametrize(
    ("undisturbed", "sandwiched", "words"),
    [(100, 100, ""), (100, 95, ""), (94, 94, "reverts unattacked"), (100, 94, "less than its least")],
)
def test_swaps_are_held_to_their_least(undisturbed: int, sandwiched: int, words: str) -> None:
    attack = {"scene": "s", "minimum": 95, "undisturbed": undisturbed, "sandwiched": sandwiched}
    found = [finding.sentence for finding in _sandwiched([attack])]
    assert len(found) == bool(words)
    assert all(words in sentence for sentence in found)


def test_one_that_never_answers_fails_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("defai.testing.checking.checks._CPU_S", 6)
    report = check_strategy(written(tmp_path, "while True: pass"))
    (finding,) = report.findings
    assert (finding.check, report.passed) == ("time", False)
    assert "had not decided in all scenes after 6 s of processor time" in finding.sentence
    assert set(report.skipped) == set(CHECKS) - {"types", "purity", "time"}


def test_an_unknown_pool_and_an_unknown_feature_are_answered_with_near_ones(tmp_path: Path) -> None:
    wrong_pool = source("return Hold(reason='x')") + "\n    def pools(self): return ('USDC/WETH 0.5 %',)\n"
    path = tmp_path / "pool.py"
    path.write_text(wrong_pool, encoding="utf-8")
    report = check_strategy(str(path))
    assert [one.sentence for one in report.findings] == ["there is no pool 'USDC/WETH 0.5 %'"]
    assert "USDC/WETH 0.05 %" in report.findings[0].hint
    assert "determinism" in report.skipped
