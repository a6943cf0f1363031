"""Keep a band of 500 ticks to either side; move it when the price has left it. In zelos-demeter."""

from demeter import MarketInfo, Snapshot, Strategy


class Recentre(Strategy):
    half_width = 500
    market_key = MarketInfo("lp")

    def initialize(self) -> None:
        self.provide()

    def provide(self) -> None:
        market = self.markets[self.market_key]
        tick = market.price_to_tick(market.market_status.data.price)
        market.even_rebalance(market.market_status.data.price)
        market.add_liquidity_by_tick(tick - self.half_width, tick + self.half_width)

    def on_bar(self, _: Snapshot) -> None:
        market = self.markets[self.market_key]
        tick = market.price_to_tick(market.market_status.data.price)
        if not any(band.lower_tick <= tick < band.upper_tick for band in market.positions):
            market.remove_all_liquidity()
            self.provide()
