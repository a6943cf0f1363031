"""Sweeps over two hours of made-up bars, and a strategy that can be told to fail or to wait."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from defai.backtest.request import BacktestRequest
from defai.backtest.sweep.grid import SweepRequest
from defai.backtest.sweep.space import parse_axes
from tests.unit.backtest.minute_scenes import minute_file

MINUTES = 180
MONEY = {"USDC": Decimal(10_000), "WETH": Decimal(5)}
CHOOSY = """
import time
from pathlib import Path
from typing import Annotated
from pydantic import model_validator
from defai.strategy.api import Context, Field, Hold, Intent, OpenPosition, Strategy

class Choosy(Strategy):
    '''Opens one band; some combinations it refuses, and wide ones wait for a file.'''

    width: Annotated[int, Field(ge=10, le=5_000)] = 100
    shift: Annotated[float, Field(gt=-1, lt=1)] = 0.0
    gate: str = ""
    label: str = "a"

    @model_validator(mode="after")
    def _fits(self):
        if self.width == 300 and self.shift > 0.4:
            raise ValueError("this wide it can't be shifted that far")
        return self

    def decide(self, ctx: Context) -> Intent:
        while self.width > 400 and self.gate and not Path(self.gate).exists():
            time.sleep(0.01)
        if ctx.position is not None:
            return Hold(reason="has its band")
        lower, upper = ctx.band(self.width, center=ctx.pool.tick + int(self.shift * self.width))
        zero, one = ctx.pool.key.token0, ctx.pool.key.token1
        return OpenPosition(pool=ctx.pool.key.address, tick_lower=lower, tick_upper=upper,
            amount0_raw=ctx.balance(zero), amount1_raw=ctx.balance(one), reason="opens")
"""


class Counted:
    """Keeps count instead of telling anybody."""

    def __init__(self) -> None:
        self.before = self.runs = self.steps = self.failed = 0

    def begin(self, done: int, runs: int) -> None:
        self.before, self.runs = done, runs

    def step(self, *, failed: bool) -> None:
        self.steps += 1
        self.failed += failed

    def end(self) -> None:
        pass


def choosy(folder: Path) -> str:
    """The strategy, as one names it."""
    path = folder / "choosy.py"
    path.write_text(CHOOSY)
    return f"{path}:Choosy"


def bars(folder: Path, count: int = MINUTES) -> Path:
    """The history."""
    minute_file(folder / "bars", count)
    return folder / "bars"


def request(folder: Path, strategy: str = "static_band", **more: Any) -> BacktestRequest:  # noqa: ANN401  its fields
    return BacktestRequest(strategies=(strategy,), source=folder / "bars", balances=MONEY, **more)


def swept(folder: Path, *axes: str, strategy: str = "static_band", **more: Any) -> SweepRequest:  # noqa: ANN401  its fields
    return SweepRequest(request=request(folder, strategy), axes=parse_axes(axes), **more)


def quiet(_text: str) -> None:
    """Nobody listens."""
