"""What a model is trained on is what it is asked about: table, stream and single rows give the same integers."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defai.chain.mainnet import USDC_WETH_005
from defai.errors import ConfigError
from defai.features import FeatureSpec, Past, build_table, compute_row, definitions, feature
from defai.features import spec as spec_module
from defai.features import stream as stream_module
from defai.features.library import swap_count
from defai.features.plan import _lines_of_features
from defai.features.stream import FeatureStream, watch
from defai.features.table import compute_table
from defai.features.tape import Series
from defai.market.bar_rows import rows_of_prices, tick_of_price
from defai.market.depth import depth_around
from defai.market.window import DEPTH_TICKS, Observation, Window
from defai.testing.builders import market_of, pool_with_liquidity, swap_block
from defai.testing.histories import generated_history

EVERY_FEATURE = tuple(definition.name.format(n=9) for definition in definitions())
OF_PRICES = ("return_3", "parkinson_9", "garman_klass_3", "volume_ratio_2", "time_of_day", "echo_parkinson_4")


@pytest.fixture(autouse=True)
def own_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone after it."""
    monkeypatch.setattr(spec_module, "_DEFINITIONS", dict(spec_module._DEFINITIONS))


def same_everywhere(histories: Sequence[Sequence[Observation]], spec: FeatureSpec, capacity: int = 64) -> int:
    """Check the stream, and now and then a single row, against the table; how many rows were ready."""
    table = compute_table(histories, spec)
    windows = [Window(capacity) for _ in histories]
    stream = FeatureStream(spec)
    for index, rows in enumerate(zip(*histories, strict=True)):
        for window, row in zip(windows, rows, strict=True):
            window.append(row)
        said = table.row(index)
        assert stream.row(windows) == said
        if index % 17 == 0:
            assert compute_row(windows, spec) == said
    return int(table.ready.sum())


def test_every_feature_on_a_generated_market(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long enough for the stream to forget its oldest rows several times."""
    monkeypatch.setattr(stream_module, "SPARE_ROWS", 40)
    histories = [generated_history(300, seed=1, clustering=0.3), generated_history(300, seed=2)]
    spec = FeatureSpec.of(EVERY_FEATURE)
    assert spec.depth
    assert same_everywhere(histories, spec) == 300 - (spec.warm_up - 1)


def test_whatever_comes_with_the_program_is_written_down() -> None:
    """A feature that asks what a number is, or looks into a row, is right as well, but asked anew at every block."""
    assert _lines_of_features(FeatureSpec.of(EVERY_FEATURE).features)[2] == ()


def test_a_gap_in_the_history() -> None:
    histories = [generated_history(120, seed=1), generated_history(120, seed=2)]
    for rows in histories:
        del rows[60]
    spec = FeatureSpec.of(EVERY_FEATURE)
    assert same_everywhere(histories, spec) == 119 - 2 * (spec.warm_up - 1)


def test_rows_that_begin_to_tell_more() -> None:
    """Depth is measured from some block on; what is not known is not filled in."""
    rows = generated_history(80)
    rows[:30] = [replace(row, depth_below=None, swap_sizes_raw=None) for row in rows[:30]]
    spec = FeatureSpec.of(("depth_imbalance", "depth_change_4", "largest_swap_5", "jump_share_3"))
    assert same_everywhere([rows], spec) == 80 - 34


def test_rows_that_tell_it_now_and_then() -> None:
    rows = [
        replace(row, fee_pips=None, swap_sizes_raw=None) if index in {20, 21, 40} else row
        for index, row in enumerate(generated_history(90))
    ]
    spec = FeatureSpec.of(("return_1", "fee_apr_5", "largest_swap_3", "turnover_4", "autocorrelation_2"))
    assert same_everywhere([rows], spec) == 90 - 5 - 6 - 5


def test_rows_that_never_tell_it() -> None:
    rows = [replace(row, fee_pips=None) for row in generated_history(40)]
    assert same_everywhere([rows], FeatureSpec.of(("return_1", "fee_apr_5"))) == 0


def test_large_numbers() -> None:
    """Amounts, prices and liquidity as large as a pool can have them."""
    rows = [
        replace(
            row,
            amount0_in=2**127 - index,
            amount1_in=2**127 - 7 * index,
            liquidity=2**128 - 1 - index,
            sqrt_price_x96=2**159 - index,
            base_fee_wei=2**200,
            tick=887_271 * (-1) ** index,
            tick_low=-887_272,
            tick_high=887_272,
            depth_below=2**140,
            swap_sizes_raw=(2**250 - index, 3),
        )
        for index, row in enumerate(generated_history(40))
    ]
    assert same_everywhere([rows, rows[:]], FeatureSpec.of(EVERY_FEATURE)) > 0


def test_bars_of_prices_are_rows() -> None:
    count = 60
    hours = [3_600 * (400_000 + hour) for hour in range(count) if hour != 30]
    closes = [2_000.0 + (7 * hour) % 50 for hour in range(len(hours))]
    rows = rows_of_prices(
        hours,
        closes,
        [close + 11.5 for close in closes],
        [close - 7.25 for close in closes],
        closes,
        [0.5 + hour % 5 for hour in range(len(hours))],
        step_s=3_600,
    )
    assert rows[0].tick == tick_of_price(2_000.0)
    assert rows[0].timestamp == hours[0] + 3_600
    assert rows[5].volume_raw == 500_000
    spec = FeatureSpec.of(OF_PRICES)
    ready = same_everywhere([rows], spec)
    assert ready == (30 - (spec.warm_up - 1)) + (29 - (spec.warm_up - 1))
    assert same_everywhere([rows], FeatureSpec.of(("return_3", "base_fee"))) == 0


@pytest.mark.parametrize(
    ("price", "tick"), [(1.0, 0), (1.0001, 0), (1.0002, 1), (0.9999, -2), (0.99991, -1), (2.0**100, 693_181)]
)
def test_the_tick_of_a_price(price: float, tick: int) -> None:
    assert tick_of_price(price) == tick


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf")])
def test_what_is_no_price(price: float) -> None:
    with pytest.raises(ConfigError, match="is no price"):
        tick_of_price(price)


@pytest.mark.parametrize("hours", [[3_600, 7_201], [7_200, 3_600], [3_600, 3_600]])
def test_bars_follow_by_whole_steps(hours: list[int]) -> None:
    with pytest.raises(ConfigError, match="whole steps of 3600 s"):
        rows_of_prices(hours, [1.0] * 2, [1.0] * 2, [1.0] * 2, [1.0] * 2, step_s=3_600)


def branching(past: Past, n: int) -> int:
    """What no column understands."""
    recent = [past.ago(blocks).tick for blocks in range(n)]
    return max(recent) - sorted(recent)[len(recent) // 2] if past.move(n) > 0 else -1


def test_an_authors_function_may_branch() -> None:
    feature("own_{n}", version=1, unit="ticks", source="planted")(branching)
    assert same_everywhere([generated_history(60)], FeatureSpec.of(("own_5", "return_5"))) == 55


def crowded(_: Observation, after: Observation) -> int:
    """What a block adds to an author's own sum: more swaps than one."""
    return after.swaps if after.swaps > 1 else 0


def crowding(past: Past, n: int) -> int:
    """Of an own quantity and of one that comes with the program, which others look at too."""
    return past.total(crowded, n) * 1_000 + past.total(swap_count, n) + past.highest(crowded, n)


def test_an_authors_quantity_beside_those_that_come_with_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "SPARE_ROWS", 10)
    feature("crowding_{n}", version=1, unit="swaps", source="planted")(crowding)
    spec = FeatureSpec.of(("swaps_5", "crowding_7", "idle_3", "crowding_2", "return_4"))
    assert same_everywhere([generated_history(80, clustering=0.3)], spec) == 80 - 7


def straight(past: Past) -> int:
    """Ticks off the hundreds, squared where the block went up."""
    return (past.now.tick % 100) ** 2 * (past.move(1) > 0) + 1


def test_an_authors_function_may_do_without_branching() -> None:
    feature("own", version=1, unit="ticks", source="planted", warm_up=2)(straight)
    assert same_everywhere([generated_history(60)], FeatureSpec.of(("own",))) == 59


def test_a_stream_begins_anew_with_other_windows() -> None:
    """After a reorganisation the market has other windows, with other rows of the same blocks."""
    there, here = generated_history(40, seed=1), generated_history(40, seed=2)
    spec = FeatureSpec.of(("return_3", "volatility_9", "jump_share_5"))
    stream = FeatureStream(spec)
    first, second = Window(32, there), Window(32, here)
    assert stream.row([first]) == compute_row([first], spec)
    assert stream.row([second]) == compute_row([second], spec)
    first.append(generated_history(41, seed=1)[-1])
    assert stream.row([first]) == compute_row([first], spec)


def test_a_stream_catches_up() -> None:
    """An agent that was paused looks at a window that went on without it."""
    history = generated_history(200)
    spec = FeatureSpec.of(("return_3", "volatility_9", "autocorrelation_5"))
    stream, window = FeatureStream(spec), Window(32)
    for index, row in enumerate(history):
        window.append(row)
        if index in {20, 21, 30, 60, 100, 199}:
            assert stream.row([window]) == compute_row([window], spec)


def test_a_stream_of_two_pools_that_part() -> None:
    """One pool's window misses a block: nothing is said before the gap has passed, and the right thing afterwards."""
    main, other = generated_history(90, seed=1), generated_history(90, seed=2)
    spec = FeatureSpec.of(("lead_5", "comovement_5", "spread"))
    stream, windows = FeatureStream(spec), (Window(64), Window(64))
    for index, rows in enumerate(zip(main, other, strict=True)):
        windows[0].append(rows[0])
        if index != 40:
            windows[1].append(rows[1])
            assert stream.row(windows) == compute_row(windows, spec)


def test_a_market_measures_what_is_watched() -> None:
    market = market_of({USDC_WETH_005: pool_with_liquidity(USDC_WETH_005)})
    assert watch((), market) is None
    assert watch(("return_1",), market) is not None
    assert not market.measures_depth
    stream = watch(("depth_imbalance",), market)
    assert stream is not None
    market.apply(swap_block(market, USDC_WETH_005, zero_for_one=True, amount_in=10**11))
    row = market.windows[USDC_WETH_005.address][-1]
    assert (row.depth_below, row.depth_above) == depth_around(
        market.pools[USDC_WETH_005.address], DEPTH_TICKS
    )
    assert (row.fee_pips, row.swap_sizes_raw) == (500, (row.volume_raw,))
    assert stream.row([market.windows[USDC_WETH_005.address]]) is not None


def test_what_looks_further_back_than_windows_is_refused() -> None:
    market = market_of({USDC_WETH_005: pool_with_liquidity(USDC_WETH_005)})
    with pytest.raises(ConfigError, match="volatility_600 looks at 601 blocks; an agent remembers 512"):
        watch(("return_1", "volatility_600"), market)


def test_a_table_is_ready_where_it_says_so() -> None:
    history = generated_history(50)
    spec = FeatureSpec.of(("return_9", "base_fee"))
    table = compute_table([history], spec)
    rows = build_table([history], spec)
    assert [row is not None for row in rows] == table.ready.tolist()
    assert table.values.shape == (50, 2)
    assert table.values.dtype == np.int64
    assert table.timestamps.tolist() == [row.timestamp for row in history]
    assert len(compute_table([history[:5]], spec)) == 5
    assert not compute_table([history[:5]], spec).ready.any()


@given(st.lists(st.integers(-5, 5), min_size=2, max_size=60), st.integers(1, 9), st.data())
def test_the_highest_is_remembered_rightly(values: list[int], count: int, data: st.DataObject) -> None:
    """Row after row, with jumps, and after old rows were dropped."""
    series = Series(1)
    for value in values:
        series.add(value)
    while len(series.values) > count:
        ends = st.integers(count, len(series.values) - 1)
        first = data.draw(ends)
        for end in range(first, min(first + data.draw(st.integers(1, 12)), len(series.values))):
            assert series.highest(end, count) == max(series.values[end - count + 1 : end + 1])
        series.drop(data.draw(st.integers(1, 9)))
