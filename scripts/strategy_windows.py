"""Where strategies are measured: histories, what models learn from before them, what gas costs, and who lives there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

CHEAP_GWEI: Final = Decimal("0.11")
"""Stated, not recorded: some cents a transaction, as on chains that are cheap."""
ALONE: Final = {"watch_second": False}
ONE_POOL: Final[Mapping[str, Mapping[str, Any]]] = {
    "volatility_band": {},
    "predictive_band": {},
    "just_recentre": {},
    "delta_hedged_lp": {},
    "volatility_exit": {},
    "momentum": {},
    "mean_reversion": ALONE,
    "pool_timing": {},
}
TWO_POOLS: Final[Mapping[str, Mapping[str, Any]]] = {"fee_tier_arbitrage": {}, "mean_reversion": {}}


WITH_A_PAIR: Final[Mapping[str, Mapping[str, Any]]] = {"v2_v3_arbitrage": {}, "fee_tier_arbitrage": {}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What strategies are measured on.

    Attributes:
        name: what it is asked for by.
        title: in words.
        source: below the folder of real data.
        timerange: what is lived through.
        learn: what models are trained on; where it is `timerange` itself, they have seen it.
        learn_words: the same for people.
        strategies: with their parameters.
        gas: how gas is priced, as a request has it.
        cheaply: whether the run is made again at `CHEAP_GWEI`.
        starts: how many shifted starts, and how many seconds lie between two of them.
        around: what else a request says.
    """

    name: str
    title: str
    source: str
    timerange: str
    learn: str
    learn_words: str
    strategies: Mapping[str, Mapping[str, Any]]
    gas: Mapping[str, Any] = field(default_factory=dict)
    cheaply: bool = False
    starts: tuple[int, int] = (5, 12 * 3_600)
    around: Mapping[str, Any] = field(default_factory=dict)


BARS: Final = "univ3_minute/polygon_usdc_weth_005"
RECORDED_GAS: Final = {"base_fees": "gas/etherscan_daily_AvgGasPrice_2015_2022.csv"}
WINDOWS: Final = (
    Window(
        name="validation",
        title="Polygon, a week that no model has seen: minute bars of 2022-08-09 to 08-15",
        source=BARS,
        timerange="20220809-20220815",
        learn="20220719-20220808",
        learn_words="the three weeks before",
        strategies=ONE_POOL,
        gas=RECORDED_GAS,
        cheaply=True,
    ),
    Window(
        name="training",
        title="Polygon, the three weeks that models were trained on: minute bars of 2022-07-19 to 08-08",
        source=BARS,
        timerange="20220719-20220808",
        learn="20220719-20220808",
        learn_words="these very weeks, which they have therefore seen",
        strategies=ONE_POOL,
        gas=RECORDED_GAS,
        starts=(1, 0),
    ),
    Window(
        name="ethereum-day",
        title="Ethereum, swap by swap: 0x88e6 on 2023-11-10 from noon on",
        source="univ3_events/ethereum_usdc_weth_005",
        timerange="20231110T1200-",
        learn="-20231110T1200",
        learn_words="the morning",
        strategies=ONE_POOL,
        gas={"gas_gwei": Decimal(30)},
        cheaply=True,
        starts=(3, 3_600),
    ),
    Window(
        name="polygon-day",
        title="Polygon, swap by swap: 0x45dd on 2022-01-05 from noon on",
        source="univ3_events/polygon_usdc_weth_005/"
        "polygon-0x45dda9cb7c25131df268515131f647d726f50608-2022-01-05.tick.csv.gz",
        timerange="20220105T1200-",
        learn="-20220105T1200",
        learn_words="the morning",
        strategies=ONE_POOL,
        gas={"gas_gwei": CHEAP_GWEI},
        starts=(3, 3_600),
    ),
    Window(
        name="two-pools",
        title="Two tiers, a market made up around ether's recorded hourly prices of 2022-08-09 and 10",
        source="ohlcv/binance_ETHUSDT_1h_2017-08_2022-12.parquet",
        timerange="20220809-20220810",
        learn="20220807-20220808",
        learn_words="the two days before, around which another market was made up",
        strategies=TWO_POOLS,
        gas=RECORDED_GAS,
        starts=(1, 0),
        around={"step_s": 60, "seed": 1},
    ),
    Window(
        name="pair",
        title="Two tiers and a v2 pair, a market made up around the same prices",
        source="ohlcv/binance_ETHUSDT_1h_2017-08_2022-12.parquet",
        timerange="20220809-20220810",
        learn="20220807-20220808",
        learn_words="nothing: none of them forecasts",
        strategies=WITH_A_PAIR,
        gas=RECORDED_GAS,
        cheaply=True,
        starts=(1, 0),
        around={"step_s": 60, "seed": 1},
    ),
)
