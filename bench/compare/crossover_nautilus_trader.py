"""Hold one while the fast average of the closes is above the slow one, in nautilus_trader."""

from nautilus_trader.config import StrategyConfig
from nautilus_trader.indicators import SimpleMovingAverage
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy


class CrossoverConfig(StrategyConfig, frozen=True):
    instrument_id: InstrumentId
    bar_type: BarType
    fast: int = 20
    slow: int = 60


class Crossover(Strategy):
    def __init__(self, config: CrossoverConfig) -> None:
        super().__init__(config)
        self.quick = SimpleMovingAverage(config.fast)
        self.steady = SimpleMovingAverage(config.slow)

    def on_start(self) -> None:
        self.register_indicator_for_bars(self.config.bar_type, self.quick)
        self.register_indicator_for_bars(self.config.bar_type, self.steady)
        self.subscribe_bars(self.config.bar_type)

    def on_bar(self, _: Bar) -> None:
        if not self.steady.initialized:
            return
        flat = self.portfolio.is_flat(self.config.instrument_id)
        if flat == (self.quick.value > self.steady.value):
            instrument = self.cache.instrument(self.config.instrument_id)
            side = OrderSide.BUY if flat else OrderSide.SELL
            order = self.order_factory.market(instrument.id, side, instrument.make_qty(1))
            self.submit_order(order)
