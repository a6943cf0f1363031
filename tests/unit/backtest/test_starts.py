"""Runs from shifted starts: equally long, averaged rightly, told with their error."""

from decimal import Decimal
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest

from defai.backtest.figures import figures
from defai.backtest.report import text
from defai.backtest.request import BacktestRequest, open_ground, perform, perform_on
from defai.backtest.starts import Shifts
from defai.errors import ConfigError
from tests.unit.backtest.minute_scenes import minute_file
from tests.unit.backtest.price_scenes import price_file

STANDIN = Path(__file__).parents[3] / "fixtures" / "standin_run"
MONEY = {"USDC": Decimal(10_000), "WETH": Decimal(5)}


def source_of(kind: str, folder: Path) -> Path:
    if kind == "bars":
        return minute_file(folder, 300).parent
    return STANDIN if kind == "events" else price_file(folder, 80)


def request(source: Path, **more: Any) -> BacktestRequest:  # noqa: ANN401  the fields of a request
    return BacktestRequest(strategies=("static_band",), source=source, balances=MONEY, **more)


@pytest.mark.parametrize(("kind", "shift_s"), [("bars", 1_200), ("events", 600), ("prices", 7_200)])
async def test_runs_are_equally_long_and_averaged(kind: str, shift_s: int, tmp_path: Path) -> None:
    asked = request(source_of(kind, tmp_path), starts=3, shift_s=shift_s)
    ground = open_ground(asked)
    table = figures(await perform(asked))
    starts = table["starts"]
    parts = Shifts.over(ground, 3, shift_s).grounds(ground)
    alone = [figures(await perform_on(part, request(asked.source))) for part in parts]

    assert (starts["count"], starts["shift_s"]) == (3, shift_s)
    assert starts["last_start"] - starts["first_start"] == 2 * shift_s
    assert starts["decision_digests"] == [one["decision_digest"] for one in alone]
    assert len(set(starts["decision_digests"])) == 3
    assert table["decision_digest"] == alone[0]["decision_digest"]
    if kind != "events":
        assert len({one["steps"] for one in alone}) == 1
    for name in ("final_usd", "fees_usd", "lvr_usd", "hedged_pnl_usd"):
        values = [one[name] for one in alone]
        assert starts["strategy"][name]["runs"] == values
        assert starts["strategy"][name]["mean"] == pytest.approx(mean(values))
        assert starts["strategy"][name]["standard_error"] == pytest.approx(stdev(values) / 3**0.5)
    against = [one["final_usd"] - one["baselines"]["full_range"]["final_usd"] for one in alone]
    assert starts["against"]["full_range"]["mean"] == pytest.approx(mean(against))
    assert starts["baselines"]["hold"]["vs_hold_usd"]["mean"] == 0
    assert starts["baselines"]["hold"]["lvr_usd"] == {
        "mean": None,
        "standard_error": None,
        "runs": [None] * 3,
    }


async def test_a_later_start_sees_what_came_before_it(tmp_path: Path) -> None:
    ground = open_ground(request(source_of("bars", tmp_path)))
    second = Shifts.over(ground, 3, 600).grounds(ground)[1]
    market = (await second.make_world([]).open()).market
    (window,) = market.windows.values()
    assert len(window) == 10
    assert second.first_time == (ground.first_time or 0) + 600


async def test_the_report_tells_mean_and_error(tmp_path: Path) -> None:
    told = text(figures(await perform(request(source_of("bars", tmp_path), starts=3, shift_s=1_200))))
    lines = told.splitlines()
    begin = lines.index(
        "3 starts, 20 min apart, from 2022-07-19 00:00 to 2022-07-19 00:40; each run 4.333 h long: "
        "mean ± standard error"
    )
    names = [line.split("  ")[0] for line in lines[begin + 2 : begin + 6]]
    assert names == ["this strategy", "hold", "full range", "static band"]
    assert lines[begin + 2].count("±") == 9
    assert "0.00 ± 0.00" in lines[begin + 3]
    assert "of 3 ahead)" in told
    assert "The runs overlap" in told
    assert "±" not in text(figures(await perform(request(tmp_path))))


@pytest.mark.parametrize(
    ("kind", "starts", "shift_s", "said"),
    [
        ("bars", 4, 3_600, "4 starts, 3,600 s apart, leave runs of 7,200 s .* too short"),
        ("bars", 2, 90, "Starts 90 s apart are no whole steps"),
        ("prices", 2, 1_800, "Starts 1,800 s apart are no whole steps"),
        ("events", 100, 3_600, "leave runs of 0 s .* too short"),
    ],
)
async def test_starts_that_do_not_fit_are_refused(
    kind: str, starts: int, shift_s: int, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=said):
        await perform(request(source_of(kind, tmp_path), starts=starts, shift_s=shift_s))


def test_starts_lie_an_hour_or_a_step_apart_where_nobody_says(tmp_path: Path) -> None:
    days = open_ground(request(price_file(tmp_path, 60, 86_400)))
    assert Shifts.over(days, 3).shift_s == 86_400
    (tmp_path / "bars").mkdir()
    minutes = open_ground(request(source_of("bars", tmp_path / "bars")))
    assert Shifts.over(minutes, 2).shift_s == 3_600
