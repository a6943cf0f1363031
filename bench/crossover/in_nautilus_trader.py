"""The crossover in nautilus_trader (LGPL): run by the bench as a process apart, never shipped.

Reads the question on stdin and prints the answer on stdout, as bench_crossover.py describes them.
"""

import json
import sys
import time
from decimal import Decimal

import numpy as np
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common.config import LoggingConfig
from nautilus_trader.indicators import SimpleMovingAverage
from nautilus_trader.model.currencies import ETH, USDC
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.trading.strategy import Strategy

asked = json.load(sys.stdin)
closes, times = np.array(asked["closes"][: asked["part"]]), asked["times"][: asked["part"]]
first_ns = times[asked["slow"]] * 10**9
venue = Venue("BENCH")
pair_id = InstrumentId(Symbol("ETH/USDC"), venue)
minutes = BarType.from_str(f"{pair_id}-1-MINUTE-LAST-EXTERNAL")
fee = Decimal(str(asked["fee"]))
pair = CurrencyPair(
    instrument_id=pair_id,
    raw_symbol=Symbol("ETHUSDC"),
    base_currency=ETH,
    quote_currency=USDC,
    price_precision=8,
    size_precision=3,
    price_increment=Price(1e-8, 8),
    size_increment=Quantity(0.001, 3),
    maker_fee=fee,
    taker_fee=fee,
    ts_event=0,
    ts_init=0,
)


class Crossover(Strategy):
    """Hold one while the fast average is above the slow one."""

    def __init__(self) -> None:
        super().__init__()
        self.fast = SimpleMovingAverage(asked["fast"])
        self.slow = SimpleMovingAverage(asked["slow"])
        self.filled_at = []

    def on_start(self) -> None:
        """Have the averages fed with every bar, and be called with it."""
        self.register_indicator_for_bars(minutes, self.fast)
        self.register_indicator_for_bars(minutes, self.slow)
        self.subscribe_bars(minutes)

    def on_bar(self, bar: Bar) -> None:
        """Called every bar."""
        if bar.ts_event < first_ns:
            return
        flat = self.portfolio.is_flat(pair_id)
        if flat == (self.fast.value > self.slow.value):
            side = OrderSide.BUY if flat else OrderSide.SELL
            self.submit_order(self.order_factory.market(pair_id, side, pair.make_qty(1)))

    def on_order_filled(self, event: OrderFilled) -> None:
        """Note the bar."""
        self.filled_at.append((event.ts_event // 10**9 - times[0]) // 60)


frame = pd.DataFrame(
    dict.fromkeys(("open", "high", "low", "close"), closes), index=pd.to_datetime(times, unit="s", utc=True)
)
engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
engine.add_venue(venue, OmsType.NETTING, AccountType.CASH, [Money(asked["cash"], USDC), Money(0, ETH)])
engine.add_instrument(pair)
engine.add_data(BarDataWrangler(minutes, pair).process(frame))
strategy = Crossover()
engine.add_strategy(strategy)
started = time.process_time()
engine.run()
seconds = time.process_time() - started
account = engine.portfolio.account(venue)
equity = account.balance_total(USDC).as_double() + account.balance_total(ETH).as_double() * closes[-1]
print(json.dumps({"seconds": seconds, "fills": strategy.filled_at, "equity": equity}))
