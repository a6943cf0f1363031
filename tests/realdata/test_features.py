"""Features on real pools: the table that models are trained on, and block by block, the same integers."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from defai.backtest.sources.event_files import read_event_history
from defai.features import FeatureSpec, compute_row, definitions
from defai.features.stream import FeatureStream
from defai.features.table import compute_table
from defai.market.bar_rows import rows_of_bars
from defai.market.valuation import Valuation
from defai.market.window import Observation, Window
from defai.worlds.replay import ReplayWorld
from tests.realdata.test_bar_rule import bars_of

POLYGON_DAY = (
    "polygon_usdc_weth_005/polygon-0x45dda9cb7c25131df268515131f647d726f50608-2022-01-05.tick.csv.gz"
)
pytestmark = pytest.mark.realdata
FEATURES = tuple(one.name.format(n=60) for one in definitions() if one.pools == 1)
OF_TWO = tuple(one.name.format(n=60) for one in definitions() if one.pools == 2)
UNTOLD_BY_BARS = {
    name for name in FEATURES if name.startswith(("depth_", "mean_swap", "largest_swap", "size_"))
}


async def rows_of(folder: Path, most: int) -> list[Observation]:
    """A recorded pool's rows, with the depth around the price."""
    history = read_event_history(folder)
    world = ReplayWorld(history, Valuation(history.keys[0], history.keys[0].token0))
    market = (await world.open()).market
    market.measures_depth = True
    rows: list[Observation] = []
    while (arrival := await world.next()) is not None and len(rows) < most:
        market.apply(arrival.block)
        window = market.windows[history.keys[0].address]
        newest, fresh = rows[-1].block_number if rows else -1, 1
        while fresh < len(window) and window[-fresh - 1].block_number > newest:
            fresh += 1
        rows += window[-fresh:]
    return rows


def check(histories: Sequence[Sequence[Observation]], spec: FeatureSpec) -> int:
    """How many rows were ready; all of them the same by all ways."""
    table = compute_table(histories, spec)
    windows, stream = [Window(512) for _ in histories], FeatureStream(spec)
    for index, rows in enumerate(zip(*histories, strict=True)):
        for window, row in zip(windows, rows, strict=True):
            window.append(row)
        assert stream.row(windows) == table.row(index)
        if index % 997 == 0:
            assert compute_row(windows, spec) == table.row(index)
    return int(table.ready.sum())


async def test_a_day_of_the_ethereum_pool(real_data: Path) -> None:
    rows = await rows_of(real_data / "univ3_events" / "ethereum_usdc_weth_005", 8_000)
    assert sum(row.swaps for row in rows) > 1_000
    assert check([rows], FeatureSpec.of(FEATURES)) > 5_000


async def test_blocks_of_the_polygon_pool_beside_a_copy_that_follows(real_data: Path) -> None:
    rows = await rows_of(real_data / "univ3_events" / POLYGON_DAY, 6_000)
    assert check([rows[1:], _a_block_later(rows)], FeatureSpec.of((*FEATURES, *OF_TWO))) > 4_000


def _a_block_later(rows: Sequence[Observation]) -> list[Observation]:
    return [
        replace(before, block_number=row.block_number, timestamp=row.timestamp)
        for before, row in pairwise(rows)
    ]


def test_minute_bars_of_the_polygon_pool(real_data: Path) -> None:
    bars = bars_of(real_data / "univ3_minute" / "polygon_usdc_weth_005", "poly_2022-07-19_2022-08-08")
    rows = rows_of_bars(bars.rows(0, 4 * 1_440), fee_pips=500)
    spec = FeatureSpec.of([name for name in FEATURES if name not in UNTOLD_BY_BARS])
    assert check([rows], spec) == len(rows) - (spec.warm_up - 1)
    assert not compute_table([rows], FeatureSpec.of(sorted(UNTOLD_BY_BARS))).ready.any()
