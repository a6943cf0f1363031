"""A run's directory: whole or absent, read back as it was, printed again, made again."""

import json
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from defai.backtest.run_files import (
    DECISIONS,
    EQUITY,
    PAGE,
    REPORT,
    RUN,
    RunRecord,
    check_out,
    differences,
    read_run,
    write_run,
)
from defai.cli.main import run
from defai.errors import ConfigError, DefaiError, NotFoundError
from tests.unit.backtest.minute_scenes import minute_file

AUTHOR = '''
from defai.strategy.api import Context, Hold, Intent, Rebalance, Strategy


class Close(Strategy):
    """A band that follows the price closely."""

    half_width: int = 40

    def decide(self, ctx: Context) -> Intent:
        """Re-centre when the price has left."""
        if ctx.position is not None and ctx.position.contains(ctx.pool.tick):
            return Hold(reason="inside")
        lower, upper = ctx.band(self.half_width)
        return Rebalance(pool=ctx.pool.key.address, tick_lower=lower, tick_upper=upper, reason="<b>outside</b>")
'''


def record() -> RunRecord:
    return RunRecord(
        configuration={"strategies": ["x"]},
        source={"path": "bars", "sha256": "0x00"},
        seed=3,
        figures={"final_usd": 1.5, "gas_usd": None, "baselines": {"hold": {"final_usd": 1.0}}},
        equity={"timestamp": [0, 60], "equity_usd": [1.0, 1.5], "band_lower": [None, None]},
        decisions={"sequence": [0], "reason": ["wait"]},
    )


@pytest.fixture
def no_large_files() -> Iterator[None]:
    """As on a disk that is full: no file grows beyond 2,000 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_run_reads_back_as_it_was_written(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "first", record(), "<html>")
    back = read_run(tmp_path / "runs" / "first")
    assert back.figures == record().figures
    assert back.equity == record().equity
    assert back.decisions == record().decisions
    assert (back.configuration, back.source, back.seed) == ({"strategies": ["x"]}, record().source, 3)
    assert back.versions is not None
    assert back.versions["defai"]
    assert sorted(path.name for path in (tmp_path / "runs" / "first").iterdir()) == sorted(
        [RUN, REPORT, EQUITY, DECISIONS, PAGE]
    )
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["first"]


def test_a_run_is_never_written_over_anything(tmp_path: Path) -> None:
    write_run(tmp_path / "run", record(), "")
    with pytest.raises(ConfigError, match="holds a run already"):
        write_run(tmp_path / "run", record(), "")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").touch()
    with pytest.raises(ConfigError, match="is not empty"):
        write_run(tmp_path / "mine", record(), "")
    with pytest.raises(ConfigError, match="is a file"):
        write_run(tmp_path / "mine" / "notes", record(), "")
    (tmp_path / "empty").mkdir()
    write_run(tmp_path / "empty", record(), "")
    assert (tmp_path / "empty" / RUN).is_file()


@pytest.mark.usefixtures("no_large_files")
@pytest.mark.parametrize("too_large", ["page", "columns"])
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, too_large: str) -> None:
    whole = record()
    if too_large == "columns":
        noise = [float(number**7 % 9_973) for number in range(20_000)]
        whole = RunRecord({}, {}, 0, {}, {"equity_usd": noise}, {"sequence": []})
    with pytest.raises(DefaiError, match=r"could not be written to .*: file too large"):
        write_run(tmp_path / "run", whole, "x" * 10_000)
    assert list(tmp_path.iterdir()) == []


def test_a_value_that_no_file_can_hold_leaves_nothing_behind(tmp_path: Path) -> None:
    broken = RunRecord({}, {}, 0, {}, {"equity_usd": [1.0, "two"]}, {"sequence": []})
    with pytest.raises(Exception, match="two"):
        write_run(tmp_path / "run", broken, "")
    assert list(tmp_path.iterdir()) == []


def test_a_place_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DefaiError, match="could not be written"):
        write_run(tmp_path / "file" / "run", record(), "")
    with pytest.raises(DefaiError, match=r"run cannot be made: (file exists|not a directory)"):
        check_out(tmp_path / "file" / "run")
    check_out(tmp_path / "new" / "run")
    assert list((tmp_path / "new").iterdir()) == []


def test_damaged_runs_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no run in"):
        read_run(tmp_path)
    write_run(tmp_path / "run", record(), "")
    (tmp_path / "run" / EQUITY).write_bytes(b"PAR1 and no more")
    with pytest.raises(ConfigError, match=f"{EQUITY} can't be read"):
        read_run(tmp_path / "run")
    (tmp_path / "run" / REPORT).write_text("[]")
    with pytest.raises(ConfigError, match="is not the file of a backtest"):
        read_run(tmp_path / "run")
    (tmp_path / "run" / RUN).write_text("{}")
    with pytest.raises(ConfigError, match="has no 'configuration'"):
        read_run(tmp_path / "run")
    (tmp_path / "run" / RUN).write_text("{")
    with pytest.raises(ConfigError, match=f"{RUN} can't be read"):
        read_run(tmp_path / "run")


def test_differences_name_the_figure_and_both_values() -> None:
    before = {"a": 1, "seconds": 2.0, "deep": {"b": None, "c": 3}}
    assert differences(before, {"a": 1, "seconds": 9.0, "deep": {"b": None, "c": 3}}) == []
    assert differences(before, {"a": 2, "deep": {"b": 0, "c": 3}, "new": 4}) == [
        "a: 1 before, 2 now",
        "deep.b: None before, 0 now",
        "new: None before, 4 now",
    ]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a source, a strategy and the run made of both."""
    folder = tmp_path_factory.mktemp("written")
    minute_file(folder / "bars", 400)
    (folder / "close.py").write_text(AUTHOR)
    arguments = ["-s", f"{folder / 'close.py'}:Close", "--source", str(folder / "bars")]
    money = ["--balance", "10000USDC", "--balance", "5WETH", "--gas-gwei", "20", "--param", "half_width=30"]
    assert run(["backtest", *arguments, *money, "--out", str(folder / "run"), "--json"]) == 0
    return folder


def test_a_run_is_printed_again_as_it_was(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(written / "run")]) == 0
    printed = capsys.readouterr().out
    assert "close · USDC/WETH 0.05 % in USDC · 2022-07-19 00:00 … 2022-07-19 06:40 · 400 steps" in printed
    assert "bars · minute bars (estimated fees)" in printed
    assert "unmeasured" in printed
    assert "every 15 minutes" in printed
    assert run(["report", str(written / "run"), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures == json.loads((written / "run" / REPORT).read_text())
    assert figures["mints"] > 2
    assert figures["gas_usd"] > 0
    assert figures["lvr_usd"] > 0
    assert set(figures["baselines"]) == {"hold", "full_range", "static_band"}


def test_a_run_is_made_again_and_is_the_same(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reproduce", str(written / "run")]) == 0
    assert "The same: 400 decisions, digest 0x" in capsys.readouterr().out
    assert run(["reproduce", str(written / "run"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["same"] is True


def test_another_source_or_strategy_is_not_the_same(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (RUN, REPORT, EQUITY, DECISIONS):
        (tmp_path / name).write_bytes((written / "run" / name).read_bytes())
    configured = json.loads((tmp_path / RUN).read_text())
    configured["configuration"]["source"] = str(minute_file(tmp_path / "other", 400, seed=2).parent)
    configured["versions"]["defai"] = "0.0.1"
    (tmp_path / RUN).write_text(json.dumps(configured))
    assert run(["reproduce", str(tmp_path)]) == 1
    printed = capsys.readouterr().out
    assert "another version: defai: '0.0.1' before" in printed
    assert "source_sha256: '0x" in printed
    assert "decision_digest: '0x" in printed
    configured["configuration"]["source"] = str(tmp_path / "gone")
    (tmp_path / RUN).write_text(json.dumps(configured))
    assert run(["reproduce", str(tmp_path)]) == 2
    configured["configuration"]["speed"] = 1
    (tmp_path / RUN).write_text(json.dumps(configured))
    assert run(["reproduce", str(tmp_path)]) == 4
    assert "configured with 'speed'" in capsys.readouterr().err


def test_what_is_in_the_columns_is_what_was_decided(written: Path) -> None:
    back = read_run(written / "run")
    assert back.decisions["sequence"] == list(range(400))
    acted = [row for row, action in enumerate(back.decisions["action"]) if action != "hold"]
    assert 2 < len(acted) < 200
    assert back.decisions["action"][acted[0]].startswith("rebalance 2,054.98…2,0")
    assert {back.decisions["reason"][row] for row in acted} == {"<b>outside</b>"}
    assert len(back.equity["timestamp"]) == len(back.equity["baseline_hold"])
    assert back.equity["equity_usd"][-1] == pytest.approx(back.figures["final_usd"])
    assert back.equity["baseline_hold"][-1] == pytest.approx(back.figures["baselines"]["hold"]["final_usd"])
    held = [row for row, lower in enumerate(back.equity["band_lower"]) if lower is not None]
    assert all(back.equity["band_lower"][row] < back.equity["band_upper"][row] for row in held)
    assert len(held) > 300
    page = (written / "run" / PAGE).read_text()
    assert "<b>outside" not in page
    assert "\\u003cb>outside" in page


def test_out_is_looked_at_before_anything_is_run(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = ["--source", str(written / "nowhere"), "-s", "hold"]
    assert run(["backtest", *source, "--out", str(written / "run")]) == 4
    assert "holds a run already" in capsys.readouterr().err
