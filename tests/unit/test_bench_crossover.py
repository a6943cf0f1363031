"""The crossover of the bench: ours trades where the averages cross, and peers that differ or lack are told."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from defai.testing.bars import walking_bars

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(scope="module", name="modules")
def bench_modules() -> dict[str, ModuleType]:
    path, known = sys.path.copy(), set(sys.modules)
    sys.path[:0] = [str(BENCH)]
    try:
        return {name: importlib.import_module(name) for name in ("peers", "bench_crossover")}
    finally:
        sys.path[:] = path
        for name in ("figures", "peers", "bench_crossover"):
            if name not in known:
                sys.modules.pop(name, None)


@pytest.fixture
def peers(modules: dict[str, ModuleType]) -> ModuleType:
    return modules["peers"]


@pytest.fixture
def crossover(modules: dict[str, ModuleType]) -> ModuleType:
    return modules["bench_crossover"]


def crossings(closes: list[float], fast: int, slow: int) -> list[int]:
    """Bars upon which what is held changes, counted the plain way."""
    rows, held = [], False
    for row in range(slow, len(closes)):
        seen = closes[: row + 1]
        if (sum(seen[-fast:]) / fast > sum(seen[-slow:]) / slow) != held:
            held = not held
            rows.append(row)
    return rows


def test_ours_trades_where_the_averages_cross(crossover: ModuleType) -> None:
    bars = walking_bars(400, seed=3)
    ours = crossover.run_ours(bars)
    closes = crossover.closes_of(bars)
    expected = crossings(closes, crossover.FAST, crossover.SLOW)
    assert len(expected) > 5
    assert ours.fills == expected
    cash, held = float(crossover.CASH), False
    for row in expected:
        cash += closes[row] * (1 - crossover.FEE) if held else -closes[row] * (1 + crossover.FEE)
        held = not held
    frictionless = cash + closes[-1] * held
    assert ours.gas > 0
    assert frictionless - 10 < ours.equity + ours.gas < frictionless


def test_an_engine_that_trades_otherwise_is_told(crossover: ModuleType) -> None:
    crossover.check_fills("a peer", [60, 90, 99], [60, 90], 100)
    with pytest.raises(RuntimeError, match="a peer and defai don't trade alike: first on bar 61"):
        crossover.check_fills("a peer", [60, 61, 90], [60, 90], 100)


def test_peers_whose_worths_differ_are_told(crossover: ModuleType) -> None:
    ours = crossover.Ours(1.0, [60], 99_990.0, 5.0)
    two = [(crossover.PEERS[0], {"equity": 100_000.0}), (crossover.PEERS[1], {"equity": 99_000.0})]
    assert crossover.equity_figure(two[:1], ours).kept
    with pytest.raises(RuntimeError, match="don't agree"):
        crossover.equity_figure(two, ours)


def test_a_figure_says_its_conditions(crossover: ModuleType, peers: ModuleType) -> None:
    ours = crossover.Ours(30.0, [60, 90], 99_990.0, 5.0)
    for peer in crossover.PEERS:
        figure = crossover.speed_figure(peer, peers.Answer({"seconds": 2.0}), ours)
        assert figure.alternative == peer.bars / 2
        assert figure.ratio == pytest.approx(crossover.PART / 30 / (peer.bars / 2))
        assert all(word in figure.note for word in (peer.licence, f"{peer.bars:,} bars", "no price impact"))
        lacking = crossover.speed_figure(peer, peers.Answer(None, "unmeasured: it's not there"), ours)
        assert lacking.ratio is None
        assert lacking.against == f"{peer.name} {peer.version} unmeasured: it's not there"


@pytest.mark.parametrize(
    ("program", "answer"),
    [
        ("import sys, json; print('words'); print(json.dumps(json.load(sys.stdin)['x'] + 1))", (3, "")),
        ("raise SystemExit('no')", (None, "unmeasured: it doesn't run here")),
        ("print('no JSON')", (None, "unmeasured: it doesn't run here")),
        ("", (None, "unmeasured: it doesn't run here")),
    ],
)
def test_a_peer_that_does_not_run_ends_nothing(
    peers: ModuleType, monkeypatch: pytest.MonkeyPatch, program: str, answer: tuple[object, str]
) -> None:
    monkeypatch.setattr(peers, "install", lambda _: Path(sys.executable))
    assert peers.answer_of("a-peer==1", program, {"x": 2}) == answer


def test_a_peer_that_can_not_be_installed_ends_nothing(
    peers: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "full").touch()
    monkeypatch.setattr(peers, "user_cache_path", lambda *_, **__: tmp_path / "full")
    assert peers.answer_of("a-peer==1", "", {}) == (None, "unmeasured: it can't be installed here")
    assert peers.environment_of("a-peer==1") is None
