"""The bench script: figures and promises, benches in processes of their own, and the README's table."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "bench.py"

README = """# it

<!-- figures: measured values only -->

| | measured |
|---|---|
| `make demo`, fresh clone to dashboard, downloads included | 100 s |
| something that is not measured any more | 5 s |

<!-- /figures -->

After.
"""


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_script"] = module
    path = sys.path.copy()
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path[:] = path
    return module


@pytest.fixture
def benches(bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of the script with no benches in it yet."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "bench").mkdir()
    script = tmp_path / "scripts" / "bench.py"
    script.write_text(SCRIPT.read_text())
    (tmp_path / "bench" / "figures.py").write_text((ROOT / "bench" / "figures.py").read_text())
    monkeypatch.setattr(bench, "CHECKOUT", tmp_path)
    monkeypatch.setattr(bench, "__file__", str(script))
    return tmp_path / "bench"


def test_every_bench_is_found_and_says_what_it_does(bench: ModuleType) -> None:
    found = bench.discover()
    assert {"amm", "crossover", "demo", "gas", "lockstep", "prediction", "reader", "signing", "start"} <= set(
        found
    )
    assert all(what.endswith(".") for what in found.values())


@pytest.mark.parametrize(
    ("parts", "ratio", "kept"),
    [
        ({"value": 2.0, "alternative": 10.0}, 5.0, None),
        ({"value": 10.0, "alternative": 2.0, "rate": True}, 5.0, None),
        ({"value": 2.0, "alternative": 10.0, "least_ratio": 5}, 5.0, True),
        ({"value": 2.0, "alternative": 10.0, "least_ratio": 6}, 5.0, False),
        ({"value": 2.0, "least_ratio": 1}, None, False),
        ({"value": 2.0, "most": 2}, None, True),
        ({"value": 2.1, "most": 2}, None, False),
        ({"value": 100.0, "alternative": 95.0, "within": 0.1}, 0.95, True),
        ({"value": 100.0, "alternative": 85.0, "within": 0.1}, 0.85, False),
        ({"value": 0.0, "alternative": 85.0}, None, None),
    ],
)
def test_promises(bench: ModuleType, parts: dict[str, float], ratio: float | None, kept: bool | None) -> None:
    figure = bench.Figure(what="it", unit="s", **parts)
    assert (figure.ratio, figure.kept) == (ratio, kept)
    assert bool(figure.wanted) == (kept is not None)


def test_a_bench_runs_by_itself(bench: ModuleType, benches: Path) -> None:
    code = (
        "from figures import Figure\ndef measure(): return [Figure(what='it', value=2, unit='s', most=3)]\n"
    )
    (benches / "bench_it.py").write_text(f'"""It."""\n{code}')
    outcome = bench.run("it")
    assert outcome.failure == ""
    assert [(figure.value, figure.kept) for figure in outcome.figures] == [(2, True)]


def test_a_bench_that_fails_says_why(bench: ModuleType, benches: Path) -> None:
    (benches / "bench_bad.py").write_text('"""Bad."""\ndef measure(): raise ValueError("no such thing")\n')
    outcome = bench.run("bad")
    assert outcome.failure == "ValueError: no such thing"
    assert "FAILED: ValueError: no such thing" in bench.table([outcome])


def test_a_bench_that_does_not_end_is_ended(bench: ModuleType, benches: Path) -> None:
    (benches / "bench_slow.py").write_text('"""Slow."""\nimport threading\nthreading.Event().wait()\n')
    assert bench.run("slow", patience_s=0.5).failure == "it took longer than 0.5 s"


def test_the_table_shows_figures_beside_their_alternatives(bench: ModuleType) -> None:
    figure = bench.Figure(
        what="reading", value=2, unit="ms", against="calls", alternative=1500, least_ratio=1000
    )
    shown = bench.table([bench.Outcome("reader", (figure,))])
    assert "2 ms" in shown
    assert "1,500 ms: calls" in shown
    assert "750x" in shown
    assert "at least 1000x MISSED" in shown


def test_a_peer_that_is_not_there_reads_unmeasured(bench: ModuleType) -> None:
    figure = bench.Figure(
        what="it", value=2, unit="s", against="peer 1.0 unmeasured: it can't be installed here"
    )
    assert "peer 1.0 unmeasured: it can't be installed here" in bench.table([bench.Outcome("it", (figure,))])


def test_the_readmes_table_is_written_anew(bench: ModuleType) -> None:
    figures = (
        bench.Figure(
            what="reading", value=2, unit="ms", against="calls", alternative=1500, headline=True, note="warm"
        ),
        bench.Figure(what="a detail", value=2, unit="ms", note="of no interest"),
    )
    swaps = bench.Figure(what="swaps", value=9, unit="a second", headline=True)
    outcomes = [bench.Outcome("gas", figures), bench.Outcome("kernel", (swaps,))]
    text = bench.readme_with(README, outcomes, "A machine, 2026-01-01")
    assert "| what is measured | ours | alternative | ratio | command |\n|---|---|---|---|---|" in text
    assert "| reading | 2 ms | 1,500 ms: calls | 750x | `make bench ARGS=gas` |" in text
    assert "| swaps | 9 a second | | | `make bench ARGS=kernel` |\n| reading |" in text
    assert "| `make demo`, fresh clone to dashboard, downloads included | 100 s | | | by hand |" in text
    assert "- reading: warm\n" in text
    assert "of no interest" not in text
    assert "A machine, 2026-01-01." in text
    assert "not measured any more" not in text
    assert "a detail" not in text
    assert text.startswith("# it\n\n<!-- figures: measured values only -->\n")
    assert text.endswith("\n<!-- /figures -->\n\nAfter.\n")
    assert bench.readme_with(text, outcomes, "A machine, 2026-01-01") == text


def test_the_readme_has_a_place_for_figures(bench: ModuleType) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    outcome = bench.Outcome("it", (bench.Figure(what="reading", value=2, unit="ms", headline=True),))
    written = bench.readme_with(text, [outcome], "A machine")
    assert "| reading |" in written
    assert all(f"| {label} |" in written for label in bench.BY_HAND)
    with pytest.raises(ValueError, match="no <!-- figures -->"):
        bench.readme_with("# nothing", [], "")


def test_an_unknown_bench_is_refused() -> None:
    ran = subprocess.run(
        [sys.executable, str(SCRIPT), "nope", "--json"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert "there is no bench called nope" in ran.stderr


def test_json_is_one_object(benches: Path) -> None:
    code = (
        "from figures import Figure\ndef measure(): return [Figure(what='it', value=5, unit='s', most=3)]\n"
    )
    (benches / "bench_it.py").write_text(f'"""It."""\n{code}')
    command = [sys.executable, str(benches.parent / "scripts" / "bench.py"), "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    printed = json.loads(ran.stdout)
    assert ran.returncode == 0
    assert printed["failures"] == {}
    assert [(one["bench"], one["what"], one["kept"]) for one in printed["figures"]] == [("it", "it", False)]
    strict = subprocess.run([*command, "--strict"], capture_output=True, text=True, check=False)
    assert strict.returncode == 1
