"""A contest's arithmetic: who is ahead, by how much, how sure, and on which days."""

import math

import numpy as np
import pytest
from click.testing import CliRunner

from defai.backtest.contest.entrants import WIDTHS, chosen_rivals, rivals
from defai.backtest.contest.schedule import DAY_S, Schedule
from defai.backtest.contest.standing import duel, mean_and_error, table_of
from defai.cli.contest import command
from defai.errors import ConfigError
from defai.strategy.registry import load


def test_errors_are_over_days_and_not_over_starts() -> None:
    """A hundred starts of two days know two things."""
    runs = np.repeat([[1.0], [3.0]], 100, axis=1)
    mean, error = mean_and_error(runs)
    assert mean == 2.0
    assert error == pytest.approx(1.0)
    assert mean_and_error(runs[:1]) == (1.0, None)


def test_a_duel_counts_runs_and_days() -> None:
    found = duel(np.array([[1.0, 5.0], [2.0, 2.0]]), np.array([[2.0, 1.0], [2.0, 3.0]]))
    assert (found.won, found.lost) == (1, 2)
    assert (found.days_won, found.days_lost) == (1, 1)
    assert found.mean == pytest.approx(0.5)
    assert found.error == pytest.approx(np.std([1.5, -0.5], ddof=1) / math.sqrt(2))


def test_what_was_not_measured_in_some_runs_is_the_mean_of_the_others() -> None:
    figures = {"runs": [1.0, 2.0]}
    day = {"strategy": dict.fromkeys(
        ("hedged_pnl_usd", "vs_hold_usd", "fees_usd", "lvr_usd", "gas_usd", "swap_cost_usd", "mints", "trades"), figures
    ) | {"in_range_ratio": {"runs": [None, 0.5]}}}  # fmt: skip
    row = table_of("one", [day, day])
    assert row["in_range_ratio"] == {"mean": 0.5, "standard_error": None}
    assert row["fees_usd"] == {"mean": 1.5, "standard_error": 0.0}
    assert row["runs"] == [[1.0, 2.0], [1.0, 2.0]]


def test_runs_lie_within_whole_days() -> None:
    schedule = Schedule.between(10 * DAY_S + 5, 13 * DAY_S, 12, 3_600)
    assert schedule.days == (11 * DAY_S, 12 * DAY_S)
    assert schedule.run_s == 13 * 3_600
    with pytest.raises(ConfigError, match="no whole day"):
        Schedule.between(DAY_S + 1, 2 * DAY_S, 12, 3_600)
    with pytest.raises(ConfigError, match="less than half a day"):
        Schedule.between(0, DAY_S, 24, 3_600)


def test_every_rival_is_a_strategy_that_came_with_us() -> None:
    names = [one.name for one in rivals()]
    assert names[:2] == ["hold", "full range"]
    assert len(names) == len(set(names)) == 3 + 2 * len(WIDTHS)
    for one in rivals():
        load(one.reference, one.parameters)


def test_rivals_are_picked_by_the_names_of_their_rows() -> None:
    assert chosen_rivals(()) == rivals()
    assert [one.name for one in chosen_rivals(("volatility-scaled", "hold"))] == ["hold", "volatility-scaled"]
    with pytest.raises(ConfigError, match="no rival called static 50") as refused:
        chosen_rivals(("hold", "static 50"))
    assert "static ±50" in str(refused.value.hint)


def test_a_day_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="is no day"):
        CliRunner().invoke(
            command, ["--source", "nowhere", "--test-from", "tomorrow"], catch_exceptions=False
        )
