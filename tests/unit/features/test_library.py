"""Each feature on rows small enough to do in the head."""

from dataclasses import replace
from datetime import UTC, datetime
from math import log, sqrt
from typing import Any

import pytest

from defai.features import Past, Tape, resolve
from defai.features.library import ratio_x16
from defai.market.window import Observation
from defai.units import Q96

ONE = 1 << 16
STILL = Observation(
    block_number=7,
    timestamp=1_700_000_000,
    base_fee_wei=0,
    sqrt_price_x96=Q96,
    tick=0,
    tick_low=0,
    tick_high=0,
    liquidity=100,
    swaps=0,
    amount0_in=0,
    amount1_in=0,
)


def rows_with(**columns: list[Any]) -> list[Observation]:
    count = len(next(iter(columns.values())))
    return [
        replace(STILL, block_number=7 + index, **{name: column[index] for name, column in columns.items()})
        for index in range(count)
    ]


def value(name: str, rows: list[Observation], other: list[Observation] | None = None) -> int:
    feature = resolve(name)
    others = (Past(Tape(other), len(other) - 1, feature.warm_up),) if other else ()
    return feature.function(Past(Tape(rows), len(rows) - 1, feature.warm_up, others))


def test_return_is_the_tick_move() -> None:
    assert value("return_2", rows_with(tick=[10, 4, 3])) == -7


def test_volatility_is_the_root_of_squared_moves() -> None:
    assert value("volatility_2", rows_with(tick=[0, 3, -1])) == 5 * ONE


def test_parkinson_of_a_known_range() -> None:
    rows = rows_with(tick_low=[0, -10], tick_high=[0, 10])
    assert value("parkinson_1", rows) / ONE == pytest.approx(20 / 1.6651092, rel=1e-5)


def test_garman_klass_of_a_known_bar() -> None:
    rows = rows_with(tick=[0, 6], tick_low=[0, -4], tick_high=[0, 16])
    expected = sqrt(20**2 / 2 - (2 * log(2) - 1) * 6**2)
    assert value("garman_klass_1", rows) / ONE == pytest.approx(expected, rel=1e-5)


def test_rogers_satchell_of_a_known_bar_and_of_a_pure_drift() -> None:
    rows = rows_with(tick=[0, 6], tick_low=[0, -4], tick_high=[0, 16])
    assert value("rogers_satchell_1", rows) / ONE == pytest.approx(sqrt(10 * 16 + 10 * 4), rel=1e-5)
    assert value("rogers_satchell_2", rows_with(tick=[0, 5, 9], tick_low=[0, 0, 5], tick_high=[0, 5, 9])) == 0


def test_a_single_jump_is_all_jump_and_a_zigzag_none() -> None:
    assert value("jump_share_3", rows_with(tick=[0, 0, 0, 40, 40])) == ONE
    assert value("jump_share_3", rows_with(tick=[0, 5, 0, 5, 0])) == 0
    assert value("jump_share_3", rows_with(tick=[7] * 5)) == 0


def test_the_share_of_falls() -> None:
    assert value("fall_share_2", rows_with(tick=[0, -1, 2])) == ONE // 10


def test_volatility_now_against_before() -> None:
    assert value("volatility_ratio_1", rows_with(tick=[0, 3, 6, 9, 12])) == ONE
    assert value("volatility_ratio_1", rows_with(tick=[0, 0, 0, 0, 12])) == 2 * ONE


def test_autocorrelation_of_a_trend_and_of_a_bounce() -> None:
    assert value("autocorrelation_3", rows_with(tick=[0, 2, 4, 6, 8])) == ONE
    assert value("autocorrelation_3", rows_with(tick=[0, 2, 0, 2, 0])) == -ONE


def test_efficiency_is_the_move_over_the_way() -> None:
    assert value("efficiency_3", rows_with(tick=[0, 3, 2, -4])) == -(4 * ONE // 10)


def test_range_and_the_place_in_it() -> None:
    rows = rows_with(tick=[0, 5, 0], tick_low=[0, -3, -1], tick_high=[0, 9, 5])
    assert value("range_2", rows) == 12
    assert value("range_position_2", rows) == ONE // 4


def test_twap_weighs_by_time_as_the_oracle_does() -> None:
    """Tick 10 held for 30 seconds, 40 for 10: 17.5 on average, and now it is 100."""
    rows = rows_with(tick=[10, 40, 100], timestamp=[100, 130, 140])
    assert value("twap_deviation_2", rows) == int(82.5 * ONE)


def test_velocity_is_per_second_whatever_the_blocks_took() -> None:
    assert value("velocity_2", rows_with(tick=[0, 1, 24], timestamp=[100, 103, 108])) == 3 * ONE


def test_velocity_within_one_second_counts_as_one_second() -> None:
    assert value("velocity_1", rows_with(tick=[0, 9], timestamp=[100, 100])) == 9 * ONE


def test_deviation_from_the_mean() -> None:
    assert value("deviation_4", rows_with(tick=[99, 0, 0, 0, 8])) == 6 * ONE


def test_imbalance_weighs_both_sides_in_token1() -> None:
    """At a price of 4 token1, one token0 sold is worth four token1 bought."""
    rows = rows_with(amount0_in=[0, 1, 0], amount1_in=[0, 0, 12], sqrt_price_x96=[2 * Q96] * 3)
    assert value("imbalance_2", rows) == ONE // 2


def test_imbalance_without_swaps_is_zero() -> None:
    assert value("imbalance_2", rows_with(tick=[0, 0, 0])) == 0


def test_flow_over_the_reserve() -> None:
    """At a price of one, 1,000 of liquidity is a reserve of 1,000: 30 bought and 10 sold."""
    rows = rows_with(amount0_in=[0, 10, 0], amount1_in=[0, 0, 30], liquidity=[1_000] * 3, fee_pips=[500] * 3)
    assert value("signed_volume_2", rows) == (20 << 24) // 1_000
    assert value("turnover_2", rows) == pytest.approx((40 << 24) / 1_000, abs=1)
    assert value("toxicity_2", rows) == ONE
    assert value("price_impact_2", [*rows[:2], replace(rows[2], tick=8)]) == pytest.approx(2 * ONE, abs=2)


def test_volume_now_against_before() -> None:
    assert value("volume_ratio_1", rows_with(amount1_in=[9, 10, 10, 10, 10])) == ONE
    assert value("volume_ratio_1", rows_with(amount1_in=[9, 0, 0, 0, 10])) == 4 * ONE


def test_sizes_of_swaps() -> None:
    rows = rows_with(swap_sizes_raw=[(), (10, 30), (), (60,)], swaps=[0, 2, 0, 1], liquidity=[1_000] * 4)
    assert value("mean_swap_3", rows) == ((100 << 24) // 3) // 1_000
    assert value("largest_swap_3", rows) == (60 << 16) // 100
    assert value("size_concentration_3", rows) == ((100 + 900 + 3_600) << 16) // 10_000
    assert value("size_dispersion_3", rows) / ONE == pytest.approx(sqrt(3 * 4_600 / 10_000 - 1), abs=1e-4)
    assert value("idle_3", rows) == ONE // 3


def test_fees_in_a_year() -> None:
    """Half the reserve traded in a day at 0.3 %: 0.0015 of the reserve, half of that of the position's value."""
    rows = rows_with(amount1_in=[0, 500], liquidity=[1_000] * 2, fee_pips=[3_000] * 2, timestamp=[0, 86_400])
    assert value("fee_apr_1", rows) / ONE == pytest.approx(0.0015 / 2 * 365, abs=1e-4)


def test_fees_against_what_arbitrage_takes() -> None:
    """Fees are 0.0015 / 2 of the value, and LVR an eighth of the variance, which of 100 ticks is nearly 1e-4."""
    rows = rows_with(amount1_in=[0, 500], liquidity=[1_000] * 2, fee_pips=[3_000] * 2, tick=[0, 100])
    variance = (100 * log(1.0001)) ** 2
    assert value("fees_to_lvr_1", rows) / ONE == pytest.approx(0.0015 / 2 / (variance / 8), rel=1e-5)


def test_where_the_liquidity_lies() -> None:
    rows = rows_with(liquidity=[50, 300], depth_below=[5_000, 10_000], depth_above=[5_000, 30_000])
    assert value("depth_concentration", rows) == (300 * 200 << 16) // 40_000
    assert value("depth_imbalance", rows) == ONE // 2
    assert value("depth_change_1", rows) == (30_000 << 16) // 50_000
    assert value("liquidity_level_2", [rows[0], *rows]) == (600 << 16) // 350


def test_swaps_are_counted() -> None:
    assert value("swaps_2", rows_with(swaps=[9, 2, 3])) == 5


def test_liquidity_change() -> None:
    assert value("liquidity_change_1", rows_with(liquidity=[100, 300])) == ONE // 2
    assert value("liquidity_change_1", rows_with(liquidity=[0, 0])) == 0
    assert value("liquidity_change_1", rows_with(liquidity=[5, 0])) == -ONE


def test_base_fee_in_thousandths_of_a_gwei() -> None:
    assert value("base_fee", rows_with(base_fee_wei=[12_345_678_901])) == 12_345


def test_base_fee_against_its_mean_and_time_between_blocks() -> None:
    rows = rows_with(base_fee_wei=[9, 10, 30], timestamp=[100, 112, 126])
    assert value("base_fee_level_2", rows) == ONE * 3 // 2
    assert value("block_seconds_2", rows) == 13 * ONE


def test_seconds_since_swap() -> None:
    stamps = [100, 112, 124, 136]
    assert value("seconds_since_swap_3", rows_with(swaps=[1, 1, 0, 0], timestamp=stamps)) == 24
    assert value("seconds_since_swap_3", rows_with(swaps=[1, 0, 0, 0], timestamp=stamps)) == 36
    assert value("seconds_since_swap_3", rows_with(swaps=[0, 0, 0, 2], timestamp=stamps)) == 0


def test_time_of_day_and_of_week() -> None:
    """1,700,000,000 is Tuesday, 2023-11-14, 22:13:20 UTC."""
    assert value("time_of_day", [STILL]) == 22 * 3600 + 13 * 60 + 20
    assert value("day_of_week", [STILL]) == 1


def test_spread_and_its_deviation() -> None:
    main, other = rows_with(tick=[5, 5, 5, 9]), rows_with(tick=[5, 5, 5, 3])
    assert value("spread", main, other) == 6
    assert value("spread_deviation_3", main, other) == 4 * ONE


@pytest.mark.parametrize(("numerator", "denominator"), [(1, 3), (-1, 3), (1, -3), (-1, -3)])
def test_ratio_is_rounded_towards_zero(numerator: int, denominator: int) -> None:
    assert ratio_x16(numerator, denominator) == int(numerator / denominator * ONE)


def test_the_pool_that_moves_first_leads() -> None:
    follower, leader = rows_with(tick=[0, 0, 5, 5, 9, 9]), rows_with(tick=[0, 5, 5, 9, 9, 9])
    assert value("lead_4", follower, leader) == (21 << 16) // 25
    assert value("lead_4", leader, follower) == -((21 << 16) // 25)
    assert value("comovement_4", follower, leader) == 0
    assert value("comovement_4", leader, leader) == ONE


def test_the_share_of_the_volume() -> None:
    main, other = rows_with(amount1_in=[0, 30]), rows_with(amount1_in=[5, 10])
    assert value("volume_share_1", main, other) == ONE * 3 // 4


def test_distance_to_the_ends_is_told_in_deviations() -> None:
    """At 6, of a range of 30 over two blocks whose own ranges are 20 and 10: (400 + 100) / 4 ln 2 is their variance."""
    rows = rows_with(tick=[0, -5, 6], tick_low=[0, -10, -4], tick_high=[0, 10, 6])
    deviation = sqrt(500 / (4 * log(2)))
    assert value("from_high_2", rows) / ONE == pytest.approx(4 / deviation, rel=1e-4)
    assert value("from_low_2", rows) / ONE == pytest.approx(16 / deviation, rel=1e-4)
    assert value("from_high_1", rows) == 0
    assert value("from_low_2", [STILL, replace(STILL, block_number=8), replace(STILL, block_number=9)]) == 0


def test_logarithms_are_averaged_block_by_block() -> None:
    rows = rows_with(tick_low=[0, 0, 0, 0], tick_high=[9, 16, 4, 0])
    assert value("mean_log_range_3", rows) == (8 + 4 + 0) * ONE // 3
    assert value("mean_log_range_1", rows) == 0


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        ("2022-03-13T06:59:59", "01:59:59"),
        ("2022-03-13T07:00:00", "03:00:00"),
        ("2022-11-06T05:59:59", "01:59:59"),
        ("2022-11-06T06:00:00", "01:00:00"),
        ("2020-02-29T12:00:00", "07:00:00"),
        ("2020-03-08T07:00:00", "03:00:00"),
        ("2021-11-07T06:00:00", "01:00:00"),
        ("2024-12-31T23:30:00", "18:30:00"),
        ("2025-07-01T02:00:00", "22:00:00"),
        ("2026-11-01T06:00:00", "01:00:00"),
        ("2026-11-01T05:59:59", "01:59:59"),
        ("2027-03-14T07:00:00", "03:00:00"),
    ],
)
def test_the_clock_of_new_york(when: str, shown: str) -> None:
    moment = datetime.fromisoformat(when).replace(tzinfo=UTC)
    hours, minutes, seconds = map(int, shown.split(":"))
    rows = [replace(STILL, timestamp=int(moment.timestamp()))]
    assert value("new_york_time", rows) == hours * 3_600 + minutes * 60 + seconds
