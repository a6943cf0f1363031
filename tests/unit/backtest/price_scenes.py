"""Files of prices, made up, for tests that run a backtest from the beginning."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path

from defai.marketsim.generated_prices import generate

FIRST = 1_656_633_600
"""2022-07-01."""


def price_rows(count: int, step_s: int = 3_600, seed: int = 5) -> list[str]:
    """Rows of an OHLCV file."""
    path = generate(seed, Decimal(1_100), step_s, start_timestamp=FIRST)
    return [
        f"{datetime.fromtimestamp(point.timestamp, UTC):%Y-%m-%d %H:%M:%S},1,2,0.5,{point.quote_per_base:.2f},12.5"
        for point in islice(path, count)
    ]


def price_file(folder: Path, count: int, step_s: int = 3_600, seed: int = 5) -> Path:
    """One file of OHLCV."""
    path = folder / "eth.csv"
    path.write_text("\n".join(["Date,open,high,low,close,volume", *price_rows(count, step_s, seed)]) + "\n")
    return path
