"""Features of one pool's newest block, from sums that grow, against going through the window again."""

import time
from typing import Final

from figures import Figure, seconds_each

from defai.features import FeatureSpec, compute_row, definitions
from defai.features.stream import FeatureStream
from defai.features.table import compute_table
from defai.market.state import WINDOW_BLOCKS
from defai.market.window import Observation, Window
from defai.testing.histories import generated_history

HORIZON: Final = 60
HORIZONS: Final = (12, 60, 120)
BLOCKS: Final = 2_000
WARM: Final = WINDOW_BLOCKS
MOST_US: Final = 200.0
MOST_TABLE_S: Final = 20.0
ROWS_OF_A_MONTH: Final = 28 * 1_440


def measure() -> list[Figure]:
    """Check that all ways give the same rows, then time them."""
    history = generated_history(WARM + BLOCKS, seed=1, clustering=0.1)
    one = [definition.name.format(n=HORIZON) for definition in definitions() if definition.pools == 1]
    many = list(
        dict.fromkeys(
            definition.name.format(n=n)
            for n in HORIZONS
            for definition in definitions()
            if definition.pools == 1 and definition.warm_up + definition.spans * n <= WINDOW_BLOCKS
        )
    )
    month = FeatureSpec.of(one)
    rows = generated_history(ROWS_OF_A_MONTH, seed=2)
    took = seconds_each(lambda: compute_table([rows], month), at_least_s=1.0, rounds=3)
    return [
        *_of_a_block(history, one, f"all {len(one)} features of one pool's block", headline=True),
        *_of_a_block(
            history, many, f"{len(many)} features: each at {len(HORIZONS)} horizons", headline=False
        ),
        Figure(
            what=f"table of {len(rows):,} rows with {len(one)} features",
            value=took,
            unit="s",
            most=MOST_TABLE_S,
            note="28 days of minute bars, by columns",
        ),
    ]


def _of_a_block(history: list[Observation], names: list[str], what: str, *, headline: bool) -> list[Figure]:
    spec = FeatureSpec.of(names)
    table = compute_table([history], spec)
    window, stream, taken = Window(WINDOW_BLOCKS), FeatureStream(spec), []
    for index, row in enumerate(history):
        window.append(row)
        started = time.perf_counter()
        said = stream.row([window])
        if index >= WARM:
            taken.append(time.perf_counter() - started)
        if said != table.row(index):
            raise AssertionError(f"block {index} is not what the table says")
    if compute_row([window], spec) != table.row(-1):
        raise AssertionError("the window is not what the table says")
    return [
        Figure(
            what=what,
            value=sorted(taken)[len(taken) // 2] * 1e6,
            unit="µs",
            against="computed from the window",
            alternative=seconds_each(lambda: compute_row([window], spec)) * 1e6,
            note=f"Median of {BLOCKS:,} blocks in a row, the block's own sums included; each equal to the table's row.",
            most=MOST_US if headline else None,
            headline=headline,
        )
    ]
