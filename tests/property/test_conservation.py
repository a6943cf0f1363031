"""Nothing comes from nowhere: whatever a vault does, its portfolio is worth what it was, less what it paid."""

from dataclasses import dataclass
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from defai.amm import Pool
from defai.chain.mainnet import USDC, USDC_WETH_005, WETH
from defai.domain.decisions import Execution, ExecutionStatus
from defai.domain.operations import (
    BurnPosition,
    CollectOwed,
    MintPosition,
    Operation,
    RemoveLiquidity,
    SwapExactInput,
)
from defai.market.valuation import Valuation
from defai.portfolio.ledger import Portfolio
from defai.portfolio.pnl import value
from defai.testing.builders import FIRST_TIMESTAMP, START_TICK, pool_with_liquidity, vault_on
from defai.worlds.vaults import Outcome, Vaults

KEY = USDC_WETH_005
START = {USDC.address: 15_000 * 10**6, WETH.address: 75 * 10**17}


@dataclass(frozen=True)
class Wish:
    kind: str
    share_bps: int
    step: int


wishes = st.lists(
    st.builds(
        Wish,
        st.sampled_from(["sell0", "sell1", "open", "reduce", "collect", "close", "others"]),
        st.integers(1, 9_000),
        st.integers(-12, 11),
    ),
    min_size=1,
    max_size=12,
)


def operations_of(wish: Wish, vaults: Vaults, portfolio: Portfolio) -> tuple[Operation, ...]:
    idle0, idle1 = (vaults.balances["me"][token.address] * wish.share_bps // 10_000 for token in (USDC, WETH))
    held = portfolio.positions[0] if portfolio.positions else None
    if wish.kind == "sell0" and idle0:
        return (SwapExactInput(KEY.address, True, idle0, 0),)
    if wish.kind == "sell1" and idle1:
        return (SwapExactInput(KEY.address, False, idle1, 0),)
    if wish.kind == "open" and idle0 and idle1:
        lower = (START_TICK // 60 + wish.step) * 60
        return (MintPosition(KEY.address, lower, lower + 240, idle0, idle1, 0, 0),)
    if held is None:
        return ()
    if wish.kind == "reduce" and held.liquidity > 1:
        return (
            RemoveLiquidity(held.token_id, held.liquidity * wish.share_bps // 10_000 or 1, 0, 0),
            CollectOwed(held.token_id),
        )
    if wish.kind == "collect":
        return (CollectOwed(held.token_id),)
    if wish.kind == "close" and held.liquidity:
        return (
            RemoveLiquidity(held.token_id, held.liquidity, 0, 0),
            CollectOwed(held.token_id),
            BurnPosition(held.token_id),
        )
    return ()


def execution_of(outcome: Outcome, number: int) -> Execution:
    return Execution(
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


def equity(portfolio: Portfolio, pool: Pool, priced: Pool) -> int:
    """Worth of a portfolio in a pool, tokens priced as another state of it says."""
    valuation = Valuation(KEY, USDC)
    worth = partial(valuation.worth_raw, priced)
    return value(portfolio, {KEY.address: pool}, {KEY.address: KEY}, worth, USDC.address).equity_raw


@given(wishes)
def test_the_portfolio_is_the_vault_and_its_worth_changes_by_what_it_paid_alone(life: list[Wish]) -> None:
    pool = pool_with_liquidity()
    vaults = vault_on({KEY: pool}, "me", START)
    portfolio = Portfolio.opening(START)
    for number, wish in enumerate(life, 101):
        block = (number, FIRST_TIMESTAMP + number)
        if wish.kind == "others":
            pool.swap(zero_for_one=wish.step < 0, amount_specified=wish.share_bps * 10**6, timestamp=block[1])
        operations = operations_of(wish, vaults, portfolio)
        if not operations:
            continue
        before, alone = equity(portfolio, pool, pool), not portfolio.positions
        still, outcome = pool.copy(), vaults.carry_out("me", operations, block)
        portfolio = portfolio.apply(execution_of(outcome, number), 0)
        assert portfolio.balances == vaults.balances["me"]
        assert list(portfolio.positions) == list(vaults.book.positions.values())
        if not wish.kind.startswith("sell"):
            assert abs(before - equity(portfolio, pool, pool)) <= 4, "moving liquidity costs rounding alone"
        elif alone:
            swap = operations[0]
            assert isinstance(swap, SwapExactInput)
            quote = still.quote(zero_for_one=swap.zero_for_one, amount_specified=swap.amount_in)
            flows = zip((USDC, WETH), (quote.amount0, quote.amount1), strict=True)
            cost = sum(Valuation(KEY, USDC).worth_raw(still, token.address, flow) for token, flow in flows)
            assert abs(before - equity(portfolio, still, still) - cost) <= 2, "fee and impact, nothing else"
