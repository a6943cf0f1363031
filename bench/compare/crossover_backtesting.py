"""Hold one while the fast average of the closes is above the slow one, in backtesting.py."""

import numpy as np
import pandas as pd
from backtesting import Strategy


def average(closes: np.ndarray, bars: int) -> pd.Series:
    return pd.Series(closes).rolling(bars).mean()


class Crossover(Strategy):
    fast = 20
    slow = 60

    def init(self) -> None:
        self.quick = self.I(average, self.data.Close, self.fast)
        self.steady = self.I(average, self.data.Close, self.slow)

    def next(self) -> None:
        above = self.quick[-1] > self.steady[-1]
        if above and not self.position:
            self.buy(size=1)
        elif self.position and not above:
            self.position.close()
