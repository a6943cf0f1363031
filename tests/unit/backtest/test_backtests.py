"""Whole backtests, as a person asks for them."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from defai.backtest.figures import figures
from defai.backtest.forecasters import ModelChoice
from defai.backtest.request import BacktestRequest, parse_balances, perform
from defai.backtest.timeranges import parse_timerange
from defai.cli.backtest import command
from defai.errors import ConfigError
from defai.strategy.registry import load

RUN = Path(__file__).parents[3] / "fixtures" / "standin_run"
MONEY = {"USDC": Decimal(10_000), "WETH": Decimal(5)}
FIGURES = (
    *("strategy", "params", "source_kind", "fidelity", "exact_share", "steps", "first_time", "last_time"),
    *(
        "initial_usd",
        "final_usd",
        "hodl_usd",
        "fees_usd",
        "impermanent_loss_usd",
        "lvr_usd",
        "lvr_interval_s",
    ),
    *("hedged_pnl_usd", "swap_cost_usd", "gas_usd", "in_range_ratio", "sharpe_ratio", "max_drawdown"),
    *("mints", "swaps", "decisions", "baselines", "decision_digest", "seconds"),
)
OVERREACHER = """
from defai.strategy.api import Context, Intent, Strategy, Swap

class Overreacher(Strategy):
    '''Wants to sell more than it has, every time a little more.'''

    def pools(self):
        return ("USDC/WETH 0.05 %",)

    def decide(self, ctx: Context) -> Intent:
        amount = 10**12 + ctx.block_number
        return Swap(pool=ctx.pool.key.address, zero_for_one=True, amount_in_raw=amount, reason="all of it")
"""
MOVER = """
from defai.strategy.api import Context, Hold, Intent, Rebalance, Strategy

class Mover(Strategy):
    '''Moves its band now and then.'''

    def pools(self):
        return ("USDC/WETH 0.05 %",)

    def decide(self, ctx: Context) -> Intent:
        if ctx.block_number % 25:
            return Hold(reason="waits")
        lower, upper = ctx.band(400)
        return Rebalance(pool=ctx.pool.key.address, tick_lower=lower, tick_upper=upper, reason="moves")
"""


def request(*strategies: str, **more: Any) -> BacktestRequest:  # noqa: ANN401  the fields of a request
    return BacktestRequest(strategies=strategies, source=RUN, balances=MONEY, **more)


async def measured(*strategies: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401  the same
    return figures(await perform(request(*strategies, **more)))


async def test_a_backtest_says_all_it_has_to_say() -> None:
    table = await measured("static_band", parameters={"half_width": 400})

    assert [name for name in FIGURES if name not in table] == []
    own = [name for name in FIGURES if name != "baselines"]
    for name, beside in table["baselines"].items():
        assert [key for key in own if key not in beside] == [], name
    assert (table["strategy"], table["params"], table["source_kind"]) == (
        "static_band",
        {"half_width": 400},
        "events",
    )
    assert (table["exact_share"], table["steps"], table["mints"], table["swaps"]) == (1.0, 120, 1, 0)
    assert table["gas_usd"] > 0
    assert table["fees_usd"] > 0
    ends = table["final_usd"] - table["hodl_usd"]
    assert ends == pytest.approx(
        table["fees_usd"] - table["impermanent_loss_usd"] - table["gas_usd"], abs=0.01
    )


async def test_baselines_stand_beside_in_markets_of_their_own() -> None:
    table = await measured("hold")
    beside = table["baselines"]

    assert list(beside) == ["hold", "full_range", "static_band"]
    assert beside["hold"]["final_usd"] == beside["hold"]["hodl_usd"]
    assert beside["hold"]["gas_usd"] == 0
    assert (beside["full_range"]["mints"], beside["full_range"]["in_range_ratio"]) == (1, 1.0)
    assert beside["static_band"]["fees_usd"] > beside["full_range"]["fees_usd"] > 0
    assert beside["hold"]["fees_usd"] == 0
    assert beside["hold"]["in_range_ratio"] is None
    alone = await measured("hold", baselines=False)
    assert alone["baselines"] == {}
    assert alone["decision_digest"] == table["decision_digest"]


async def test_what_an_agent_pays_for_its_swaps_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "mover.py"
    path.write_text(MOVER)
    table = await measured(f"{path}:Mover", baselines=False)

    assert table["mints"] >= 3
    assert table["swaps"] >= 2
    assert 0.0005 < table["swap_cost_usd"] / (table["turnover_ratio"] * table["initial_usd"]) < 0.005
    assert table["stopped"] is None


async def test_agents_in_one_market_see_each_other() -> None:
    together = await measured("static_band", "static_band", baselines=False)
    alone = await measured("static_band", baselines=False)
    first, second = together["agents"]

    assert [first["name"], second["name"]] == ["static_band", "static_band-2"]
    assert first["fees_usd"] < alone["fees_usd"]
    assert first["fees_usd"] == pytest.approx(second["fees_usd"], rel=1e-3)


async def test_the_two_flows_can_be_held_against_each_other() -> None:
    table = await measured("static_band", compare_flows=True, baselines=False)
    prices = await measured("static_band", flow="prices", baselines=False)

    assert (table["flow"], prices["flow"]) == ("amounts", "prices")
    assert table["other_flow"]["fees_usd"] == prices["fees_usd"] > table["fees_usd"]
    assert table["other_flow"]["decision_digest"] == prices["decision_digest"]
    assert "other_flow" not in prices


async def test_the_same_request_gives_the_same_run() -> None:
    one, two = [await measured("static_band", baselines=False) for _ in range(2)]
    assert {**one, "seconds": 0} == {**two, "seconds": 0}
    other = await measured("static_band", parameters={"half_width": 500}, baselines=False)
    assert other["decision_digest"] != one["decision_digest"]


async def test_gas_that_nobody_priced_is_unmeasured_and_a_stated_price_is_charged() -> None:
    free = await measured("static_band", gas_gwei=Decimal(0), baselines=False)
    dear = await measured("static_band", gas_gwei=Decimal(5), baselines=False)
    assert free["gas_usd"] is None
    assert dear["gas_usd"] > 1
    assert free["final_usd"] - dear["final_usd"] == pytest.approx(dear["gas_usd"], abs=0.01)


async def test_two_pools_can_be_looked_at_and_a_third_cannot(tmp_path: Path) -> None:
    table = await measured("fee_tier_arbitrage", baselines=False)
    assert table["decisions"] > 100
    path = tmp_path / "far.py"
    path.write_text(MOVER.replace("0.05 %", "1 %"))
    with pytest.raises(
        ConfigError, match="mover looks at a pool 'USDC/WETH 1 %' that the history does not have"
    ):
        await measured(f"{path}:Mover")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"numeraire": "DAI"}, "does not trade DAI"),
        ({"timerange": "20100101-20100102"}, "nothing within the time range"),
        ({"limits": {"max_drwdown": "1"}}, "There is no limit 'max_drwdown'"),
        ({"limits": {"foo": "1"}}, "There are: max_slippage_bps, max_trade_usd"),
        ({"limits": {"max_drawdown": "7"}}, "max_drawdown: Input should be less than or equal to 1"),
    ],
)
async def test_a_request_that_cannot_be_met_says_why(more: dict[str, Any], said: str) -> None:
    with pytest.raises(Exception, match=said):
        await measured("hold", **more)


async def test_a_model_that_nobody_asks_for_is_said_to_be_of_no_use() -> None:
    said: list[str] = []
    await perform(request("hold", baselines=False, model=ModelChoice(digest="0x12")), said.append)
    assert "hold forecasts nothing: there is no use for a model" in said


async def test_a_limit_stops_an_agent_and_the_figures_say_so() -> None:
    table = await measured("static_band", limits={"max_gas_usd": "0.01"}, baselines=False)
    assert table["denied"] == table["decisions"] > 100
    assert table["in_range_ratio"] is None


async def test_ether_can_be_money() -> None:
    table = await measured("static_band", numeraire="WETH", baselines=False)
    dollars = await measured("static_band", baselines=False)
    assert table["numeraire"] == "WETH"
    assert 9 < table["initial_usd"] < 11
    assert table["gas_usd"] * dollars["final_usd"] / table["final_usd"] == pytest.approx(
        dollars["gas_usd"], rel=0.05
    )


@pytest.mark.parametrize(
    ("text", "days"),
    [("20220809-20220815", 7), ("20220809-20220809", 1)],
)
def test_both_days_of_a_time_range_are_in_it(text: str, days: int) -> None:
    first, end = parse_timerange(text)
    assert first == 1_660_003_200
    assert end == first + days * 86_400


def test_a_time_range_may_have_open_ends() -> None:
    assert parse_timerange("-") == (None, None)
    assert parse_timerange("20220809-") == (1_660_003_200, None)
    assert parse_timerange("-20220808") == (None, 1_660_003_200)


@pytest.mark.parametrize("text", ["2022", "20221301-20221302", "20220815-20220809", "a-b", ""])
def test_what_is_no_time_range_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_timerange(text)


def test_balances_are_amounts_of_tokens() -> None:
    assert parse_balances(["10_000USDC", "0.5 WETH"]) == {"USDC": Decimal(10_000), "WETH": Decimal("0.5")}


@pytest.mark.parametrize("texts", [["USDC"], ["-5WETH"], ["5"], ["1WETH", "2WETH"]])
def test_what_is_no_balance_is_refused(texts: Sequence[str]) -> None:
    with pytest.raises(ConfigError):
        parse_balances(texts)


def test_the_command_prints_one_object_or_a_table() -> None:
    arguments = ["-s", "static_band", "--param", "half_width=400", "--source", str(RUN)]
    arguments += ["--balance", "10000USDC", "--balance", "5WETH"]
    printed = CliRunner().invoke(
        command, [*arguments, "--json"], catch_exceptions=False, standalone_mode=False
    )
    table = json.loads(printed.stdout)
    assert table["params"] == {"half_width": 400}
    assert table["initial_usd"] > 19_000

    shown = CliRunner().invoke(
        command, [*arguments, "--no-baselines"], catch_exceptions=False, standalone_mode=False
    )
    assert "static_band" in shown.stdout
    assert f"{table['final_usd']:,.2f}" in shown.stdout


def test_the_baselines_say_what_they_are() -> None:
    for name in ("full_range", "static_band"):
        assert load(name).strategy.pools() == ("USDC/WETH 0.05 %",)


async def test_denials_are_counted_by_their_reason(tmp_path: Path) -> None:
    (tmp_path / "over.py").write_text(OVERREACHER)
    table = await measured(f"{tmp_path / 'over.py'}:Overreacher", baselines=False)

    assert table["denied"] == table["decisions"] == 120
    ((reason, count),) = table["denied_for"].items()
    assert count == 120, "reasons that differ in their numbers alone are one"
    assert reason
