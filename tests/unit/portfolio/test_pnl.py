"""What a portfolio is worth: held against the pool's own arithmetic, and conserved by what moves nothing."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from defai.amm import Pool
from defai.chain.mainnet import USDC, USDC_WETH_005, WETH
from defai.domain.decisions import Execution, ExecutionStatus
from defai.domain.operations import CollectOwed, MintPosition, Operation, RemoveLiquidity, SwapExactInput
from defai.market.valuation import Valuation
from defai.portfolio.ledger import Portfolio
from defai.portfolio.pnl import Valued, contents, owed_by, value
from defai.testing.builders import FIRST_TIMESTAMP, START_TICK, pool_with_liquidity, vault_on
from defai.worlds.vaults import Vaults

KEY = USDC_WETH_005
START = {USDC.address: 15_000 * 10**6, WETH.address: 75 * 10**17}
BAND = (START_TICK // 10 * 10 - 600, START_TICK // 10 * 10 + 600)


def worth_at(pool: Pool) -> Callable[[str, int], int]:
    valuation = Valuation(KEY, USDC)
    return lambda token, amount: valuation.worth_raw(pool, token, amount)


def valued(portfolio: Portfolio, pool: Pool) -> Valued:
    return value(portfolio, {KEY.address: pool}, {KEY.address: KEY}, worth_at(pool), USDC.address)


def carried_out(
    vaults: Vaults, portfolio: Portfolio, *operations: Operation, gas_raw: int = 0, number: int = 101
) -> Portfolio:
    outcome = vaults.carry_out("me", operations, (number, FIRST_TIMESTAMP + number))
    execution = Execution(
        "me",
        "0x",
        ExecutionStatus.FILLED,
        number,
        "0x",
        token_deltas=tuple(outcome.deltas.items()),
        opened=tuple(outcome.opened.values()),
        closed=tuple(outcome.closed),
        fees_collected=tuple(outcome.fees.items()),
    )
    return portfolio.apply(execution, gas_raw)


@pytest.fixture
def pool() -> Pool:
    return pool_with_liquidity()


@pytest.fixture
def vaults(pool: Pool) -> Vaults:
    return vault_on({KEY: pool}, "me", START)


def test_untouched_it_is_worth_what_holding_is(pool: Pool) -> None:
    result = valued(Portfolio.opening(START), pool)
    weth = worth_at(pool)(WETH.address, START[WETH.address])
    assert result.equity_raw == result.hodl_raw == START[USDC.address] + weth
    assert result.base_raw == weth
    assert (result.fees_raw, result.gas_raw, result.positions) == (0, 0, ())


def test_gas_is_taken_off(pool: Pool) -> None:
    portfolio = replace(Portfolio.opening(START), gas_numeraire_raw=1_234)
    result = valued(portfolio, pool)
    assert result.equity_raw == result.hodl_raw - 1_234
    assert result.gas_raw == 1_234


def test_opening_a_position_changes_the_equity_by_rounding_alone(pool: Pool, vaults: Vaults) -> None:
    before = valued(Portfolio.opening(START), pool)
    mint = MintPosition(KEY.address, *BAND, 10_000 * 10**6, 5 * 10**18, 0, 0)
    portfolio = carried_out(vaults, Portfolio.opening(START), mint)
    after = valued(portfolio, pool)
    (position,) = after.positions
    assert 0 <= before.equity_raw - after.equity_raw <= 3
    assert position.value_raw > 9_000 * 10**6
    assert after.base_raw == pytest.approx(before.base_raw, abs=3)
    assert contents(pool, position.position) == (position.amount0, position.amount1)


def test_what_is_owed_is_what_collecting_pays(pool: Pool, vaults: Vaults) -> None:
    mint = MintPosition(KEY.address, *BAND, 10_000 * 10**6, 5 * 10**18, 0, 0)
    portfolio = carried_out(vaults, Portfolio.opening(START), mint)
    pool.swap(zero_for_one=True, amount_specified=3 * 10**11)
    pool.swap(zero_for_one=False, amount_specified=10**20)
    (held,) = portfolio.positions
    owed = owed_by(pool, held)
    assert min(owed) > 0
    before = valued(portfolio, pool)
    after_portfolio = carried_out(vaults, portfolio, CollectOwed(held.token_id), number=102)
    for token, amount in zip((USDC, WETH), owed, strict=True):
        assert after_portfolio.fees_collected[token.address] == amount
        assert after_portfolio.balances[token.address] - portfolio.balances[token.address] == amount
    after = valued(after_portfolio, pool)
    assert owed_by(pool, after_portfolio.positions[0]) == (0, 0)
    assert abs(after.fees_raw - before.fees_raw) <= 1
    assert abs(after.equity_raw - before.equity_raw) <= 1
    assert before.positions[0].owed_raw == pytest.approx(before.fees_raw, abs=1)


def test_closing_gives_what_the_position_was_valued_at(pool: Pool, vaults: Vaults) -> None:
    mint = MintPosition(KEY.address, *BAND, 10_000 * 10**6, 5 * 10**18, 0, 0)
    portfolio = carried_out(vaults, Portfolio.opening(START), mint)
    pool.swap(zero_for_one=True, amount_specified=3 * 10**11)
    (held,) = portfolio.positions
    before = valued(portfolio, pool)
    closed = carried_out(
        vaults, portfolio, RemoveLiquidity(held.token_id, held.liquidity, 0, 0), CollectOwed(held.token_id),
        number=102,
    )  # fmt: skip
    (position,) = before.positions
    gained = {token: closed.balances[token] - portfolio.balances[token] for token in START}
    assert gained[USDC.address] == position.amount0 + position.owed0
    assert gained[WETH.address] == position.amount1 + position.owed1
    assert closed.fees_collected[USDC.address] == position.owed0
    assert abs(valued(closed, pool).equity_raw - before.equity_raw) <= 1


def test_a_swap_costs_fee_and_impact_and_nothing_else(pool: Pool, vaults: Vaults) -> None:
    amount = 3_000 * 10**6
    quote = pool.quote(zero_for_one=True, amount_specified=amount)
    worth_before = worth_at(pool.copy())
    fee_and_impact = amount - worth_before(WETH.address, -quote.amount1)
    before = valued(Portfolio.opening(START), pool)
    still = pool.copy()
    portfolio = carried_out(
        vaults, Portfolio.opening(START), SwapExactInput(KEY.address, True, amount, -quote.amount1)
    )
    after = valued(portfolio, still)
    assert abs((before.equity_raw - after.equity_raw) - fee_and_impact) <= 1
    assert fee_and_impact > amount * 5 // 10_000
    assert after.hodl_raw == before.hodl_raw


def test_a_pool_without_the_numeraire_counts_as_base(pool: Pool, vaults: Vaults) -> None:
    mint = MintPosition(KEY.address, *BAND, 10_000 * 10**6, 5 * 10**18, 0, 0)
    portfolio = carried_out(vaults, Portfolio.opening(START), mint)
    mirrored = replace(KEY, token0=WETH, token1=USDC)
    unrelated = replace(KEY, token1=WETH, token0=WETH)
    worth = worth_at(pool)
    pools = {KEY.address: pool}
    (held,) = portfolio.positions
    amount0, amount1 = contents(pool, held)
    held_raw = valued(portfolio, pool).equity_raw
    idle = portfolio.balances[USDC.address]
    in_mirror = value(portfolio, pools, {KEY.address: mirrored}, worth, USDC.address)
    assert in_mirror.base_raw == in_mirror.equity_raw - idle - amount1
    in_unrelated = value(portfolio, pools, {KEY.address: unrelated}, worth, USDC.address)
    assert in_unrelated.base_raw == in_unrelated.equity_raw - idle
    assert held_raw > idle + amount0
