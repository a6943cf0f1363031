"""Backtests and previews of the made-up session: no strategy is run, the figures are always the same."""

from collections.abc import AsyncIterator, Mapping
from typing import Final

from defai.agent.control import BareControl
from defai.domain.answers import (
    BacktestDone,
    BacktestProgressed,
    BacktestRow,
    BacktestUpdate,
    BacktestWish,
    ParameterPreview,
    SourceCard,
    StrategyCard,
)
from defai.domain.stream import AgentCard, BlockArrived
from defai.testing.actor import FIRST_TIMESTAMP, FORMS, hex_of


class MadeUpBacktests(BareControl):
    """Answers what concerns strategies, history and backtests.

    Attributes:
        wishes: what was asked for, oldest first: the method and its arguments.
    """

    def __init__(self) -> None:
        self.wishes: list[tuple[str, ...]] = []

    async def strategies(self) -> tuple[StrategyCard, ...]:
        """The demo's four."""
        summaries = {
            "volatility_band": "Keep liquidity around the price, wide when the model expects it to move.",
            "mean_reversion": "Buy what has fallen, sell what has risen.",
            "fee_tier_arb": "Trade the difference between two pools of one pair.",
            "hold": "Do nothing.",
        }
        return tuple(
            StrategyCard(
                name, summaries[name], f"strategies/{name}.py", form, needs_model="volatility" in name
            )
            for name, form in FORMS.items()
        )

    async def sources(self) -> tuple[SourceCard, ...]:
        """Two."""
        day = 86_400
        return (
            SourceCard(
                "data/usdc-weth.parquet",
                "bars",
                "USDC/WETH 0.05 %, minute bars",
                "fees are estimated",
                FIRST_TIMESTAMP,
                FIRST_TIMESTAMP + 21 * day,
            ),
            SourceCard(
                "data/usdc-weth-events",
                "events",
                "USDC/WETH 0.05 %, every event",
                "exact to the last unit",
                FIRST_TIMESTAMP,
                FIRST_TIMESTAMP + day,
            ),
        )

    async def backtest(self, wish: BacktestWish) -> AsyncIterator[BacktestUpdate]:
        """Three tellings of progress, then a result."""
        self.wishes.append(("backtest", wish.strategy, wish.source))
        for share in (0.1, 0.45, 0.71):
            yield BacktestProgressed(
                "replaying bars", share, 0.7 * share, int(30_240 * share), 41_000.0, 19_400.0 + 900 * share
            )
        yield made_up_result(wish)


def previewed(card: AgentCard, values: Mapping[str, str], block: BlockArrived | None) -> ParameterPreview:
    """What other parameters would change: the decision changes with them, and their author has a rule of his own."""
    agent, form = card.name, {one.name: one for one in card.form}
    if values.get("patience") == "13":
        return ParameterPreview(agent, {"patience": "brings bad luck"})
    changed = tuple(
        (name, form[name].value, value) for name, value in values.items() if form[name].value != value
    )
    return ParameterPreview(
        agent,
        {},
        changed,
        block.number if block else None,
        "hold",
        "the tick is inside the band",
        "rebalance to 199,700…200,120" if changed else "hold",
        "re-centre, half-width 210 ticks" if changed else "the tick is inside the band",
        "approved",
        "",
        hex_of("strategy", agent, *values.values()),
        ("its model was trained for other parameters: it is asked all the same",) if changed else (),
    )


TIMES: Final = tuple(FIRST_TIMESTAMP + index * 21 * 86_400 // 120 for index in range(121))
SWING: Final = tuple(((index * 37) % 23 - 11) / 11 for index in range(121))
HELD: Final = 18_892.53


def made_up_row(name: str, final: float, fees: float | None, *, is_baseline: bool = True) -> BacktestRow:
    """One contender: its curve goes from 18,900 dollars to where it ends."""
    steps = list(enumerate(zip(TIMES, SWING, strict=True)))
    lost = None if fees is None else fees * 0.6
    return BacktestRow(
        name=name,
        is_baseline=is_baseline,
        final_usd=final,
        versus_hold_percent=(final / HELD - 1) * 100,
        fees_usd=fees,
        impermanent_loss_usd=lost,
        lvr_usd=None if lost is None else lost * 0.8,
        gas_usd=None if fees is None else 41.2,
        in_range_share=None if fees is None else 0.874,
        sharpe=1.42 * final / HELD,
        max_drawdown=0.061,
        trades=14 if fees else 0,
        curve=tuple((time, 18_900 + (final - 18_900) * at / 120 + 90 * swing) for at, (time, swing) in steps),
        drawdowns=tuple((time, -0.03 * abs(swing)) for _, (time, swing) in steps),
    )


def made_up_result(wish: BacktestWish) -> BacktestDone:
    """A result with its baselines."""
    steps = enumerate(zip(TIMES, SWING, strict=True))
    return BacktestDone(
        title=f"{wish.strategy} on USDC/WETH 0.05 %, 21 days",
        fidelity="minute bars: fees are estimated",
        lvr_interval_s=60,
        rows=(
            made_up_row(wish.strategy, 20_112.75, 1_401.20, is_baseline=False),
            made_up_row("hold", HELD, None),
            made_up_row("full range", 18_951.09, 92.44),
            made_up_row("static ±1000", 19_961.05, 1_260.02),
        ),
        seconds=0.74,
        prices=tuple((time, 1_560 + 40 * at / 120 + 14 * swing) for at, (time, swing) in steps),
        bands=((TIMES[0], TIMES[60], 1_520.0, 1_600.0), (TIMES[60], TIMES[120], 1_545.0, 1_640.0)),
        decisions=((TIMES[0], "open 200,100…200,900"), (TIMES[60], "rebalance to 199,900…200,700")),
        report=None,
        command=f"defai backtest -s {wish.strategy} --source {wish.source}",
    )
