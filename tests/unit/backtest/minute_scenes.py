"""A folder of minute files, made up, for tests that run a backtest from the beginning."""

from datetime import UTC, datetime
from pathlib import Path

from defai.market.bars import from_limbs
from defai.testing.bars import walking_bars

HEADER = (
    "timestamp,netAmount0,netAmount1,closeTick,openTick,lowestTick,highestTick,"
    "inAmount0,inAmount1,currentLiquidity"
)
NAME = "polygon-0x45dda9cb7c25131df268515131f647d726f50608-2022-07-19.minute.csv"


def minute_file(folder: Path, count: int, seed: int = 1) -> Path:
    """One file of walking bars."""
    bars = walking_bars(count, seed=seed)
    columns = zip(
        bars.timestamps.tolist(),
        bars.close_tick.tolist(),
        bars.open_tick.tolist(),
        bars.lowest_tick.tolist(),
        bars.highest_tick.tolist(),
        from_limbs(bars.amount0_in),
        from_limbs(bars.amount1_in),
        from_limbs(bars.liquidity),
        strict=True,
    )
    rows = [
        f"{datetime.fromtimestamp(stamp, UTC):%Y-%m-%d %H:%M:%S},0,0," + ",".join(str(cell) for cell in cells)
        for stamp, *cells in columns
    ]
    folder.mkdir(exist_ok=True)
    path = folder / NAME
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path
