"""The position manager in memory reverts where the contract does, and then nothing has changed."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from defai.amm import Pool
from defai.chain.mainnet import USDC, USDC_WETH_005, WETH
from defai.domain.operations import (
    AddLiquidity,
    BurnPosition,
    CollectOwed,
    MintPosition,
    Operation,
    RemoveLiquidity,
    SwapExactInput,
)
from defai.testing.builders import FIRST_TIMESTAMP, START_TICK, pool_with_liquidity, vault_on
from defai.worlds.position_book import SimRevertError
from defai.worlds.vaults import Vaults

KEY = USDC_WETH_005
START = {USDC.address: 15_000 * 10**6, WETH.address: 75 * 10**17}
BAND = (START_TICK // 10 * 10 - 600, START_TICK // 10 * 10 + 600)
OPEN = MintPosition(KEY.address, *BAND, 10**9, 5 * 10**17, 0, 0)
BLOCK = (2, FIRST_TIMESTAMP + 100)


@dataclass
class Bench:
    pool: Pool
    vaults: Vaults
    token_id: int
    liquidity: int


@pytest.fixture
def bench() -> Bench:
    pool = pool_with_liquidity()
    vaults = vault_on({KEY: pool}, "me", START)
    (position,) = vaults.carry_out("me", (OPEN,), (1, FIRST_TIMESTAMP + 50)).opened.values()
    return Bench(pool, vaults, position.token_id, position.liquidity)


Plan = Callable[[Bench], tuple[Operation, ...]]


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        (lambda _: (SwapExactInput(KEY.address, True, 10**9, 10**30),), "Too little received"),
        (lambda _: (SwapExactInput(KEY.address, True, 10**12, 0),), "STF"),
        (lambda _: (SwapExactInput(KEY.address, True, 0, 0),), "A swap needs an amount"),
        (lambda _: (MintPosition(KEY.address, *BAND, 10**9, 10**17, 10**9, 10**17),), "Price slippage check"),
        (lambda _: (MintPosition(KEY.address, *BAND, 10**12, 5 * 10**20, 0, 0),), "STF"),
        (lambda _: (MintPosition(KEY.address, BAND[0] + 1, BAND[1], 10**9, 10**17, 0, 0),), "multiple of the tick"),
        (lambda _: (MintPosition(KEY.address, *BAND, 0, 0, 0, 0),), "liquidity of 0"),
        (lambda b: (AddLiquidity(b.token_id, 10**9, 10**17, 10**9, 10**17),), "Price slippage check"),
        (lambda b: (RemoveLiquidity(b.token_id, b.liquidity, 10**30, 0),), "Price slippage check"),
        (lambda b: (RemoveLiquidity(b.token_id, b.liquidity + 1, 0, 0),), "Not enough liquidity"),
        (lambda b: (RemoveLiquidity(b.token_id, 0, 0, 0),), "Not enough liquidity"),
        (lambda b: (BurnPosition(b.token_id),), "Not cleared"),
        (lambda b: (RemoveLiquidity(b.token_id, b.liquidity, 0, 0), BurnPosition(b.token_id)), "Not cleared"),
        (lambda _: (BurnPosition(99),), "Invalid token ID"),
        (lambda _: (CollectOwed(99),), "Invalid token ID"),
        (lambda _: (AddLiquidity(99, 1, 1, 0, 0),), "Invalid token ID"),
        (lambda _: (RemoveLiquidity(99, 1, 0, 0),), "Invalid token ID"),
        (lambda _: (MintPosition(KEY.address, *BAND, 10**60, 10**60, 0, 0),), "doesn't fit"),
        (lambda _: (MintPosition(KEY.address, -(10**7), 10**7, 1, 1, 0, 0),), "lies outside -887272..887272"),
    ],
)  # fmt: skip
def test_a_plan_that_reverts_leaves_no_trace(bench: Bench, plan: Plan, reason: str) -> None:
    before = bench.pool.snapshot(), dict(bench.vaults.book.positions), bench.vaults.book.next_id
    held = dict(bench.vaults.balances["me"])
    done_first = SwapExactInput(KEY.address, True, 10**6, 0)
    with pytest.raises(SimRevertError) as caught:
        bench.vaults.carry_out("me", (done_first, *plan(bench)), BLOCK)
    assert reason in caught.value.sentence
    assert (bench.pool.snapshot(), dict(bench.vaults.book.positions), bench.vaults.book.next_id) == before
    assert bench.vaults.balances["me"] == held


def test_adding_settles_the_fees_so_far(bench: Bench) -> None:
    bench.pool.swap(zero_for_one=True, amount_specified=10**11)
    outcome = bench.vaults.carry_out("me", (AddLiquidity(bench.token_id, 10**8, 5 * 10**16, 0, 0),), BLOCK)
    position = outcome.opened[bench.token_id]
    assert position.liquidity > bench.liquidity
    assert position.tokens_owed0 > 0
    collected = bench.vaults.carry_out("me", (CollectOwed(bench.token_id),), BLOCK)
    assert collected.fees[USDC.address] == collected.deltas[USDC.address] == position.tokens_owed0


def test_what_one_operation_gives_the_next_can_spend(bench: Bench) -> None:
    everything = bench.vaults.balances["me"][WETH.address]
    gained = -bench.pool.quote(zero_for_one=True, amount_specified=10**9).amount1
    bench.vaults.carry_out(
        "me",
        (
            SwapExactInput(KEY.address, True, 10**9, 0),
            SwapExactInput(KEY.address, False, everything + gained, 0),
        ),
        BLOCK,
    )
    assert bench.vaults.balances["me"][WETH.address] == 0
