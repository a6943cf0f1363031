"""What must hold for a feature whatever the market did."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from defai.features import FeatureSpec, build_table, compute_row, definitions
from defai.features.pipeline import FEATURE_LIMIT
from defai.market.window import Observation
from defai.testing.histories import generated_history
from defai.units import Q96

N = 5
ODD = ("return_5", "velocity_5", "deviation_5")
"""They change sign when the price moves the other way."""
EVEN = ("volatility_5", "parkinson_5", "swaps_5")
"""They do not."""
LEVEL_FREE = (*ODD, "volatility_5", "parkinson_5")

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
