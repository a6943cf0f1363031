"""The crossover in vectorbt (Apache 2.0 with the Commons Clause): run by the bench as a process apart, never shipped.

Reads the question on stdin and prints the answer on stdout, as bench_crossover.py describes them. Its functions are
compiled in a first run that isn't counted; of three more, the median is.
"""

import json
import sys
import time
from statistics import median

import pandas as pd
import vectorbt

asked = json.load(sys.stdin)
closes = pd.Series(asked["closes"], index=pd.to_datetime(asked["times"], unit="s"))


def run() -> tuple[vectorbt.Portfolio, pd.Series]:
    """Averages, signals and trades of all bars, column by column."""
    fast = vectorbt.MA.run(closes, asked["fast"]).ma
    slow = vectorbt.MA.run(closes, asked["slow"]).ma
    above = fast > slow
    above.iloc[: asked["slow"]] = False
    portfolio = vectorbt.Portfolio.from_signals(
        closes, above, ~above, size=1.0, fees=asked["fee"], init_cash=asked["cash"]
    )
    return portfolio, portfolio.value()


run()
times = []
for _ in range(3):
    started = time.process_time()
    portfolio, worth = run()
    times.append(time.process_time() - started)
fills = portfolio.orders.records["idx"].tolist()
equity = float(worth.iloc[asked["part"] - 1])
print(json.dumps({"seconds": median(times), "fills": fills, "equity": equity}))
