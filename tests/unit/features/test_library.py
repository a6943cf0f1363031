"""Each feature on rows small enough to do in the head."""

from dataclasses import replace

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


def rows_with(**columns: list[int]) -> list[Observation]:
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


def test_swaps_are_counted() -> None:
    assert value("swaps_2", rows_with(swaps=[9, 2, 3])) == 5


def test_liquidity_change() -> None:
    assert value("liquidity_change_1", rows_with(liquidity=[100, 300])) == ONE // 2
    assert value("liquidity_change_1", rows_with(liquidity=[0, 0])) == 0
    assert value("liquidity_change_1", rows_with(liquidity=[5, 0])) == -ONE


def test_base_fee_in_thousandths_of_a_gwei() -> None:
    assert value("base_fee", rows_with(base_fee_wei=[12_345_678_901])) == 12_345


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
