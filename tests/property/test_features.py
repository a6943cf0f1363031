"""What must hold for a feature whatever the market did."""

import os
import re
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from defai.features import FeatureSpec, build_table, compute_row, definitions
from defai.features.pipeline import FEATURE_LIMIT
from defai.features.spec import Definition
from defai.market.window import Observation
from defai.testing.histories import generated_history
from defai.units import Q96

N = 5
ODD = (
    "return_5",
    "velocity_5",
    "deviation_5",
    "twap_deviation_5",
    "efficiency_5",
)
"""They change sign when the price moves the other way."""
EVEN = (
    "volatility_5",
    "parkinson_5",
    "garman_klass_5",
    "rogers_satchell_5",
    "jump_share_4",
    "volatility_ratio_1",
    "autocorrelation_4",
    "range_5",
    "swaps_5",
)
"""They do not."""
EXTREMES = ("from_high_5", "from_low_5")
"""The one is the other of the mirrored prices."""
LEVEL_FREE = (
    *ODD,
    *(name for name in EVEN if name != "swaps_5"),
    *EXTREMES,
    "fall_share_5",
    "range_position_5",
)
SHARES = {
    "idle_5": 0,
    "jump_share_5": 0,
    "fall_share_5": 0,
    "range_position_5": 0,
    "efficiency_5": -1,
    "imbalance_5": -1,
    "toxicity_5": 0,
    "largest_swap_5": 0,
    "size_concentration_5": 0,
    "depth_imbalance": -1,
    "depth_change_5": -1,
    "liquidity_change_5": -1,
    "comovement_5": -1,
    "volume_share_5": 0,
}
"""Lie between this and one, whatever happened."""
SIZED = (
    "imbalance_5",
    "toxicity_5",
    "volume_ratio_1",
    "largest_swap_5",
    "size_concentration_5",
    "size_dispersion_5",
    "depth_imbalance",
    "depth_change_5",
    "depth_concentration",
    "liquidity_change_5",
    "liquidity_level_5",
    "volume_share_5",
)
"""Don't change when all amounts and all liquidity are counted in another unit."""
EARNING = ("turnover_5", "signed_volume_5", "mean_swap_5", "fee_apr_5", "fees_to_lvr_5")
"""Grow with what is traded, in proportion."""
OF_THE_CLOCK = ("time_of_day", "day_of_week", "new_york_time")
OWN_TESTS = (
    "seconds_since_swap_5",
    "spread",
    "spread_deviation_5",
    "lead_5",
    "price_impact_5",
    "base_fee",
    "base_fee_level_5",
    "block_seconds_5",
)

seeds = st.integers(0, 2**32)
steps = st.lists(st.integers(-500, 500), min_size=N + 1, max_size=30)


def walked(moves: Sequence[int], start: int = 0) -> list[Observation]:
    rows, tick = [], start
    for row, move in zip(generated_history(len(moves)), moves, strict=True):
        before, tick = tick, tick + move
        rows.append(replace(row, tick=tick, tick_low=min(before, tick), tick_high=max(before, tick)))
    return rows


def values(rows: Sequence[Observation], *names: str) -> tuple[int, ...]:
    row = compute_row([rows], FeatureSpec.of(names))
    assert row is not None
    return row.values


@given(steps)
def test_mirrored_prices_mirror_the_signed_features(moves: list[int]) -> None:
    there, back = walked(moves), walked([-move for move in moves])
    assert values(back, *ODD) == tuple(-value for value in values(there, *ODD))
    assert values(back, *EVEN) == values(there, *EVEN)
    assert values(back, *EXTREMES) == values(there, *EXTREMES[::-1])


def test_every_feature_has_a_property() -> None:
    """Of those that come with `library`; what else there is has its own tests."""
    tested = {*ODD, *EVEN, *LEVEL_FREE, *SHARES, *SIZED, *EARNING, *OF_THE_CLOCK, *OWN_TESTS}
    names = {re.sub(r"_\d+$", "_{n}", name) for name in tested}
    assert {one.name for one in shipped()} - names == set()


def shipped() -> list[Definition]:
    return [one for one in definitions() if f"{os.sep}library{os.sep}" in one.file]


@given(steps, st.integers(-800_000, 800_000))
def test_only_moves_count_not_the_level(moves: list[int], level: int) -> None:
    assert values(walked([0, *moves], level), *LEVEL_FREE) == values(walked([0, *moves]), *LEVEL_FREE)


@given(steps, st.integers(1, 50))
def test_larger_moves_scale(moves: list[int], factor: int) -> None:
    names = ("return_5", "volatility_5", "parkinson_5")
    once = values(walked(moves), *names)
    times = values(walked([factor * move for move in moves]), *names)
    assert times[0] == factor * once[0]
    for scaled, single in zip(times[1:], once[1:], strict=True):
        assert 0 <= min(scaled, FEATURE_LIMIT) - min(factor * single, FEATURE_LIMIT) <= factor


def scene(seed: int) -> tuple[list[Observation], list[Observation]]:
    """Two pools of the same blocks, at a price of one where amounts scale exactly."""
    main, other = (generated_history(12, seed=seed + pool, clustering=0.5) for pool in range(2))
    return tuple([replace(row, sqrt_price_x96=Q96) for row in rows] for rows in (main, other))  # type: ignore[return-value]  # two


def told(histories: Sequence[Sequence[Observation]], names: Sequence[str]) -> tuple[int, ...]:
    row = compute_row(histories, FeatureSpec.of(names))
    assert row is not None
    return row.values


@given(seeds)
def test_shares_stay_within_one(seed: int) -> None:
    shares = told(scene(seed), tuple(SHARES))
    for (name, least), share in zip(SHARES.items(), shares, strict=True):
        assert least << 16 <= share <= 1 << 16, name


def scaled(row: Observation, amounts: int, liquidity: int) -> Observation:
    return replace(
        row,
        amount0_in=row.amount0_in * amounts,
        amount1_in=row.amount1_in * amounts,
        swap_sizes_raw=tuple(size * amounts for size in row.swap_sizes_raw or ()),
        liquidity=row.liquidity * liquidity,
        depth_below=(row.depth_below or 0) * liquidity,
        depth_above=(row.depth_above or 0) * liquidity,
    )


@given(seeds, st.integers(1, 10**6), st.integers(1, 10**6))
def test_units_of_amounts_and_of_liquidity_do_not_matter(seed: int, amounts: int, liquidity: int) -> None:
    histories = scene(seed)
    other = [[scaled(row, amounts, liquidity) for row in rows] for rows in histories]
    assert told(other, SIZED) == told(histories, SIZED)


@given(seeds, st.integers(2, 50))
def test_more_trade_earns_more_and_more_liquidity_less(seed: int, factor: int) -> None:
    histories = scene(seed)
    once = told(histories, (*EARNING, "price_impact_5"))
    more = told(
        [[scaled(row, factor, 1) for row in rows] for rows in histories], (*EARNING, "price_impact_5")
    )
    same = told([[scaled(row, factor, factor) for row in rows] for rows in histories], EARNING)
    assert same == once[:-1]
    for single, times in zip(once[:-1], more[:-1], strict=True):
        assert abs(min(factor * abs(single), FEATURE_LIMIT) - abs(times)) <= factor
        assert single * times >= 0
    assert abs(more[-1] - once[-1] / factor) <= 2 + once[-1] / 10_000


@given(seeds, st.integers(1, 10**9))
def test_only_the_clock_features_know_what_time_it_is(seed: int, later: int) -> None:
    histories = scene(seed)
    timeless = [one.name.format(n=2) for one in shipped() if one.name not in OF_THE_CLOCK]
    moved = [[replace(row, timestamp=row.timestamp + later) for row in rows] for rows in histories]
    assert told(moved, timeless) == told(histories, timeless)


@given(seeds, st.integers(2, 9))
def test_fees_of_a_base_fee_level_and_of_block_times_are_relative(seed: int, factor: int) -> None:
    main, _ = scene(seed)
    dear = [replace(row, base_fee_wei=row.base_fee_wei * factor) for row in main]
    assert values(dear, "base_fee_level_5") == values(main, "base_fee_level_5")
    slow = [replace(row, timestamp=row.timestamp * factor) for row in main]
    assert values(slow, "block_seconds_5")[0] == factor * values(main, "block_seconds_5")[0]


@given(steps, steps)
def test_who_leads_is_led_from_the_other_side(main: list[int], other: list[int]) -> None:
    size = min(len(main), len(other))
    histories = [walked([0, *main[:size]]), walked([0, *other[:size]])]
    there, back = told(histories, ("lead_5",))[0], told(histories[::-1], ("lead_5",))[0]
    assert there == -back
    assert abs(there) <= 2 * FEATURE_LIMIT


@given(steps)
def test_from_the_highest_to_the_lowest_is_the_range(moves: list[int]) -> None:
    high, low, width = values(walked(moves), *EXTREMES, "range_5")
    assert min(high, low) >= 0
    assert (high + low > 0) == (width > 0)


@given(steps)
def test_a_move_is_within_what_volatility_allows(moves: list[int]) -> None:
    """Cauchy and Schwarz: the square of a sum of n moves is at most n times the sum of their squares."""
    move, volatility = values(walked(moves), "return_5", "volatility_5")
    assert move**2 << 32 <= N * (volatility + 1) ** 2


@given(st.lists(st.tuples(st.integers(0, 2**100), st.integers(0, 2**100)), min_size=N + 1, max_size=12))
def test_swapping_buyers_and_sellers_mirrors_the_flow(flows: list[tuple[int, int]]) -> None:
    """At a price of one, where both tokens are worth the same."""
    base = [replace(row, sqrt_price_x96=Q96) for row in generated_history(len(flows))]
    there = [replace(row, amount0_in=a, amount1_in=b) for row, (a, b) in zip(base, flows, strict=True)]
    back = [replace(row, amount0_in=b, amount1_in=a) for row, (a, b) in zip(base, flows, strict=True)]
    flow = values(there, "imbalance_5")[0]
    assert values(back, "imbalance_5")[0] == -flow
    assert abs(flow) <= 1 << 16


@given(st.lists(st.integers(0, 2**127), min_size=N + 1, max_size=12), st.integers(1, 1000))
def test_liquidity_change_is_free_of_scale_and_bounded(levels: list[int], factor: int) -> None:
    base = generated_history(len(levels))
    once = [replace(row, liquidity=level) for row, level in zip(base, levels, strict=True)]
    more = [replace(row, liquidity=factor * level) for row, level in zip(base, levels, strict=True)]
    change = values(once, "liquidity_change_5")[0]
    assert values(more, "liquidity_change_5")[0] == change
    assert abs(change) <= 1 << 16


@given(st.lists(st.booleans(), min_size=N + 1, max_size=12))
def test_seconds_since_swap_fall_to_zero_with_a_swap(swapped: list[bool]) -> None:
    base = generated_history(len(swapped))
    rows = [replace(row, swaps=int(swap)) for row, swap in zip(base, swapped, strict=True)]
    seconds = values(rows, "seconds_since_swap_5")[0]
    assert (seconds == 0) == swapped[-1]
    assert 0 <= seconds <= N * 12


@given(st.integers(0, 2**33))
def test_time_features_stay_in_their_ranges(timestamp: int) -> None:
    row = replace(generated_history(1)[0], timestamp=timestamp)
    seconds, day = values([row], "time_of_day", "day_of_week")
    assert 0 <= seconds < 86_400
    assert 0 <= day < 7
    assert (timestamp - seconds) % 86_400 == 0


@given(steps, steps)
def test_a_spread_changes_sign_with_the_pools(main: list[int], other: list[int]) -> None:
    size = min(len(main), len(other))
    histories = [walked(main[:size]), walked(other[:size])]
    spec = FeatureSpec.of(("spread", "spread_deviation_5"))
    there, back = compute_row(histories, spec), compute_row(histories[::-1], spec)
    assert there is not None
    assert back is not None
    assert there.values == tuple(-value for value in back.values)


@settings(max_examples=10)
@given(seeds, st.integers(1, 40), st.integers(0, 30))
def test_warm_up_is_exactly_what_is_needed(seed: int, n: int, more: int) -> None:
    """One row less is not ready; rows before the warm-up change nothing; the table agrees."""
    for definition in definitions():
        spec = FeatureSpec.of((definition.name.format(n=max(n, definition.least)),))
        histories = [
            generated_history(spec.warm_up + more, seed=seed + pool, clustering=0.3) for pool in range(2)
        ]
        shortest = [rows[-spec.warm_up :] for rows in histories]
        row = compute_row(shortest, spec)
        assert row is not None
        assert compute_row([rows[1:] for rows in shortest], spec) is None
        assert row == compute_row(histories, spec) == build_table(histories, spec)[-1]
