"""Hold one while the fast average of the closes is above the slow one, in freqtrade."""

from freqtrade.strategy import IStrategy
from pandas import DataFrame


class Crossover(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "1m"
    startup_candle_count = 60
    minimal_roi = {"0": 100.0}
    stoploss = -1.0

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["quick"] = dataframe["close"].rolling(20).mean()
        dataframe["steady"] = dataframe["close"].rolling(60).mean()
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[dataframe["quick"] > dataframe["steady"], "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[dataframe["quick"] <= dataframe["steady"], "exit_long"] = 1
        return dataframe
