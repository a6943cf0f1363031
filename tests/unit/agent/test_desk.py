"""The desk: limits measured on real plans, turnover over a day, and money that is worth something."""

from decimal import Decimal

import pytest

from defai.agent import gas
from defai.agent.desk import Desk, Judged, fall_over_limit
from defai.audit.record import action_digest
from defai.chain.mainnet import USDC, WETH
from defai.domain.decisions import ExecutionStatus, VerdictStatus
from defai.domain.intents import Hold, Rebalance, Swap
from defai.risk.limits import Limits
from defai.testing.builders import START_TICK, market_of, next_block, pool_with_liquidity
from tests.unit.agent.ports import BALANCES, KEY, FakePorts, Stand, desk_on

BUY = Swap(pool=KEY.address, zero_for_one=True, amount_in_raw=2_000 * 10**6, reason="")
SELL = Swap(pool=KEY.address, zero_for_one=False, amount_in_raw=10**18, reason="")
BAND = Rebalance(
    pool=KEY.address, tick_lower=START_TICK // 10 * 10, tick_upper=START_TICK // 10 * 10 + 600, reason=""
)


def desk(**limits: object) -> Desk:
    market = market_of({KEY: pool_with_liquidity(KEY)})
    return desk_on(market, Limits.model_validate(limits), FakePorts().encode)


def judged(desk: Desk, intent: Swap | Hold | Rebalance) -> Judged:
    return desk.judge(intent, desk.valued())


def check(judgement: Judged, name: str) -> Decimal:
    (value,) = [check.value for check in judgement.verdict.checks if check.name == name]
    return value


def test_an_approved_plan_has_its_calls_digest_and_gas() -> None:
    result = judged(desk(), BUY)
    assert result.verdict.status is VerdictStatus.APPROVED
    assert result.plan is not None
    assert result.plan.action_digest == action_digest(result.plan.calls)
    assert result.plan.gas_estimate == gas.estimate(result.plan.operations)
    assert len(result.plan.calls) == len(result.plan.operations) == 1


def test_holding_has_no_plan_and_no_checks() -> None:
    assert judged(desk(max_gas_usd=0), Hold(reason="")) == Judged(judged(desk(), Hold(reason="")).verdict)


def test_what_is_measured_is_the_swap() -> None:
    result = judged(desk(), BUY)
    assert check(result, "trade") == Decimal(2_000)
    assert check(result, "turnover") == Decimal(2_000)
    assert Decimal(0) < check(result, "slippage") < Decimal(1)
    assert check(result, "exposure") == pytest.approx(Decimal("56.67"), abs=Decimal("0.2"))
    assert check(result, "drawdown") == 0
    fee = 10 * 10**9 + gas.TIP_WEI
    ether = Decimal(gas.SWAP_GAS * fee) / 10**18
    assert check(result, "gas") == pytest.approx(ether * 2_000, rel=Decimal("0.001"))


def test_selling_the_base_token_measures_no_exposure() -> None:
    assert "exposure" not in {check.name for check in judged(desk(), SELL).verdict.checks}


def test_too_large_a_swap_is_cut_down_and_its_plan_is_the_smaller_one() -> None:
    result = judged(desk(max_trade_usd=500), BUY)
    assert result.verdict.status is VerdictStatus.CLIPPED
    assert result.plan is not None
    assert isinstance(result.verdict.intent, Swap)
    assert result.verdict.intent.amount_in_raw == 500 * 10**6
    assert result.plan.intent == result.verdict.intent
    assert check(result, "trade") == Decimal(500)


@pytest.mark.parametrize("amount", [10**18, 1_234_567_890_123_456_789, 7_499_999_999_999_999_999])
def test_a_cut_swap_is_within_its_limit_and_not_denied_for_the_cut(amount: int) -> None:
    swap = Swap(pool=KEY.address, zero_for_one=False, amount_in_raw=amount, reason="")
    for limit in ("333.333333", "1000", "1999.999999"):
        result = judged(desk(max_trade_usd=limit), swap)
        assert result.verdict.status is VerdictStatus.CLIPPED
        assert Decimal(limit) - Decimal("0.00001") <= check(result, "trade") <= Decimal(limit)


def test_a_rebalance_cannot_be_cut_so_it_is_denied() -> None:
    result = judged(desk(max_trade_usd=500), BAND)
    assert result.verdict.status is VerdictStatus.DENIED
    assert result.plan is None
    assert "trade" in result.verdict.reason


def test_a_swap_with_more_impact_than_allowed_is_denied() -> None:
    thin = market_of({KEY: pool_with_liquidity(KEY, bands=((120_000, 5 * 10**15),))})
    result = judged(desk_on(thin, Limits(), FakePorts().encode), BUY)
    assert result.verdict.status is VerdictStatus.DENIED
    assert "slippage" in result.verdict.reason


def test_what_is_within_the_impact_limit_meets_its_own_minimum() -> None:
    """Impact is rounded up: a swap a hair over the limit would be sent only to revert."""
    for liquidity in range(4 * 10**17, 5 * 10**17, 7 * 10**15):
        market = market_of({KEY: pool_with_liquidity(KEY, bands=((120_000, liquidity),))})
        result = judged(desk_on(market, Limits(max_slippage_bps=2), FakePorts().encode), BUY)
        if result.plan is not None:
            (swap,) = result.plan.operations
            quoted = market.pools[KEY.address].quote(zero_for_one=True, amount_specified=BUY.amount_in_raw)
            assert -quoted.amount1 >= swap.amount_out_minimum  # type: ignore[union-attr]  # one swap


def test_turnover_is_of_one_day() -> None:
    stand = Stand(limits=Limits(max_turnover_usd=Decimal(5_000)))
    result = judged(stand.desk, BUY)
    assert result.plan is not None
    stand.desk.moved(result.moves)
    stand.desk.moved(result.moves)
    assert check(judged(stand.desk, BUY), "turnover") == Decimal(6_000)
    assert judged(stand.desk, BUY).verdict.status is VerdictStatus.DENIED
    later = next_block(stand.market)
    stand.market.apply(
        type(later)(later.number, later.hash, later.parent_hash, stand.market.head.timestamp + 86_399, 1)
    )
    assert check(judged(stand.desk, BUY), "turnover") == Decimal(6_000)
    stand.market.apply(next_block(stand.market))
    assert check(judged(stand.desk, BUY), "turnover") == Decimal(2_000)


def test_opening_a_band_is_no_turnover_but_for_its_swap() -> None:
    stand = Stand()
    result = judged(stand.desk, BAND)
    assert result.plan is not None
    stand.desk.moved(result.moves)
    assert 0 < check(judged(stand.desk, BUY), "turnover") - 2_000 <= Decimal(15_000)


def test_liquidity_counts_for_the_owners_approval() -> None:
    result = judged(desk(approval_above_usd=20_000), BAND)
    assert result.verdict.status is VerdictStatus.NEEDS_APPROVAL


def test_the_high_water_mark_only_rises() -> None:
    bench = desk()
    start = bench.initial_raw
    assert bench.drawdown(start) == 0
    assert bench.drawdown(start * 2) == 0
    assert bench.drawdown(start) == Decimal("0.5")
    assert bench.drawdown(0) == 1
    assert bench.drawdown(-start) == Decimal("1.5")


def test_the_circuit_breaker_trips_beyond_the_limit_and_not_at_it() -> None:
    bench = desk(max_drawdown=Decimal("0.25"))
    start = bench.initial_raw * 8
    assert fall_over_limit(bench, start) is None
    assert bench.peak_raw == start
    for equity in (start, start // 2, start * 3 // 4, start * 3 // 4 - 1, start * 3 // 4 + 1, 0, -1):
        fall = bench.fall(equity)
        assert fall_over_limit(bench, equity) == (fall if fall > Decimal("0.25") else None)
    assert fall_over_limit(bench, start * 3 // 4) is None
    assert fall_over_limit(bench, start * 3 // 4 - 1) == bench.fall(start * 3 // 4 - 1)


def test_an_empty_vault_has_no_drawdown_and_no_share() -> None:
    bench = desk_on(
        market_of({KEY: pool_with_liquidity(KEY)}),
        Limits(),
        FakePorts().encode,
        {USDC.address: 0, WETH.address: 0},
    )
    assert bench.drawdown(0) == 0
    assert judged(bench, BUY).verdict.status is VerdictStatus.DENIED


def test_an_anchor_alone_costs_its_gas_and_nothing_else() -> None:
    stand = Stand()
    ports = stand.ports
    before = stand.desk.portfolio
    result = judged(stand.desk, BUY)
    assert result.plan is not None
    ports.under_way = type("Anchor", (), {"decision": None})()
    ports.settle(ExecutionStatus.FILLED, gas=50_000)
    settlement = ports._settlement
    assert settlement is not None
    stand.desk.settle(settlement, 1_000)
    after = stand.desk.portfolio
    assert after.balances == before.balances == BALANCES
    assert (after.gas_numeraire_raw, after.gas_wei) == (1_000, settlement.gas_cost_wei)
