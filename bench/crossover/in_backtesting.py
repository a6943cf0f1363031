"""The crossover in backtesting.py, whose licence is the AGPL: run by the bench as a process apart, never shipped.

Reads the question on stdin and prints the answer on stdout, as bench_crossover.py describes them.
"""

import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy

warnings.filterwarnings("ignore", message="Some trades remain open")
asked = json.load(sys.stdin)
FAST, SLOW = asked["fast"], asked["slow"]


def moving_average(closes: np.ndarray, bars: int) -> pd.Series:
    """Of so many bars, the present one included."""
    return pd.Series(closes).rolling(bars).mean()


class Crossover(Strategy):
    """Hold one while the fast average is above the slow one."""

    def init(self) -> None:
        """Compute the averages once, for all bars."""
        self.fast = self.I(moving_average, self.data.Close, FAST)
        self.slow = self.I(moving_average, self.data.Close, SLOW)

    def next(self) -> None:
        """Called every bar."""
        above = self.fast[-1] > self.slow[-1]
        if above and not self.position:
            self.buy(size=1)
        elif self.position and not above:
            self.position.close()


closes = np.array(asked["closes"])
bars = pd.DataFrame(
    dict.fromkeys(("Open", "High", "Low", "Close"), closes), index=pd.to_datetime(asked["times"], unit="s")
)
backtest = Backtest(bars, Crossover, cash=asked["cash"], commission=asked["fee"], trade_on_close=True)
started = time.process_time()
result = backtest.run()
seconds = time.process_time() - started
trades = result["_trades"]
held = result["_strategy"].trades
fills = [*trades["EntryBar"], *trades["ExitBar"], *(trade.entry_bar for trade in held)]
equity = result["_equity_curve"]["Equity"].iloc[asked["part"] - 1]
print(json.dumps({"seconds": seconds, "fills": sorted(map(int, fills)), "equity": float(equity)}))
