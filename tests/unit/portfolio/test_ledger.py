"""A portfolio is a fold: balances, positions, fees and gas after each execution."""

import pytest

from defai.chain.mainnet import USDC, USDC_WETH_005, WETH
from defai.domain.decisions import Execution, ExecutionStatus
from defai.domain.position import Position
from defai.portfolio.ledger import Portfolio

START = {USDC.address: 15_000 * 10**6, WETH.address: 7 * 10**18}


def position(token_id: int, liquidity: int = 10**17, block: int = 101) -> Position:
    return Position(token_id, USDC_WETH_005.address, 200_000, 200_600, liquidity, 5, 6, 0, 0, block)


def execution(
    *,
    status: ExecutionStatus = ExecutionStatus.FILLED,
    deltas: tuple[tuple[str, int], ...] = (),
    opened: tuple[Position, ...] = (),
    closed: tuple[int, ...] = (),
    fees: tuple[tuple[str, int], ...] = (),
    gas_cost_wei: int = 0,
) -> Execution:
    return Execution(
        "a", "0x", status, 101, "0x", token_deltas=deltas, opened=opened, closed=closed,
        fees_collected=fees, gas_cost_wei=gas_cost_wei,
    )  # fmt: skip


def test_opens_with_what_it_was_given_and_keeps_it_apart() -> None:
    given = dict(START)
    portfolio = Portfolio.opening(given)
    given[USDC.address] = 0
    assert portfolio.balances == portfolio.initial == START
    with pytest.raises(TypeError):
        portfolio.balances[USDC.address] = 1  # type: ignore[index]  # it must not be possible


def test_a_swap_moves_balances_and_never_the_initial_ones() -> None:
    before = Portfolio.opening(START)
    after = before.apply(
        execution(deltas=((USDC.address, -(10**9)), (WETH.address, 5 * 10**17)), gas_cost_wei=7), 3
    )
    assert after.balances == {USDC.address: 14_000 * 10**6, WETH.address: 75 * 10**17}
    assert after.initial == START
    assert (after.gas_wei, after.gas_numeraire_raw, after.executions) == (7, 3, 1)
    assert before.balances == START


def test_a_token_that_was_not_there_appears() -> None:
    after = Portfolio.opening({}).apply(execution(deltas=((WETH.address, 4),)), 0)
    assert after.balances == {WETH.address: 4}


@pytest.mark.parametrize("status", [ExecutionStatus.REVERTED, ExecutionStatus.REFUSED])
def test_a_failure_costs_gas_and_moves_nothing(status: ExecutionStatus) -> None:
    before = Portfolio.opening(START)
    after = before.apply(execution(status=status, gas_cost_wei=9), 4)
    assert after.balances == START
    assert after.positions == ()
    assert (after.gas_wei, after.gas_numeraire_raw) == (9, 4)


def test_positions_open_change_and_close_in_order() -> None:
    first = Portfolio.opening(START).apply(execution(opened=(position(1), position(2))), 0)
    assert [held.token_id for held in first.positions] == [1, 2]
    changed = first.apply(execution(opened=(position(1, liquidity=5, block=150), position(3, block=150))), 0)
    assert [(held.token_id, held.liquidity, held.opened_block) for held in changed.positions] == [
        (1, 5, 101),
        (2, 10**17, 101),
        (3, 10**17, 150),
    ]
    swapped = changed.apply(execution(opened=(position(4),), closed=(1, 2)), 0)
    assert [held.token_id for held in swapped.positions] == [3, 4]
    assert swapped.apply(execution(closed=(3, 4)), 0).positions == ()


def test_a_position_opened_and_closed_in_one_go_is_gone() -> None:
    assert Portfolio.opening({}).apply(execution(opened=(position(8),), closed=(8,)), 0).positions == ()


def test_fees_add_up() -> None:
    once = Portfolio.opening(START).apply(execution(fees=((USDC.address, 5),)), 0)
    twice = once.apply(execution(fees=((USDC.address, 6), (WETH.address, 1))), 0)
    assert twice.fees_collected == {USDC.address: 11, WETH.address: 1}
