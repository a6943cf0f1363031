"""Plans: each intent's operations, every refusal in words, and nothing counted twice."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from defai.agent.band_swap import swap_into_band
from defai.agent.planning import Ledger, PlanError, Planner
from defai.amm import MAX_TICK, Pool, liquidity_for_amounts
from defai.amm import get_sqrt_ratio_at_tick as price_at
from defai.chain.mainnet import USDC, USDC_WETH_005, USDC_WETH_030, WETH
from defai.domain.intents import (
    Batch,
    ClosePosition,
    CollectFees,
    DecreaseLiquidity,
    Hold,
    IncreaseLiquidity,
    Intent,
    OpenPosition,
    Rebalance,
    Swap,
)
from defai.domain.operations import (
    AddLiquidity,
    BurnPosition,
    CollectOwed,
    MintPosition,
    RemoveLiquidity,
    SwapExactInput,
)
from defai.domain.position import Position
from defai.portfolio.ledger import Portfolio
from defai.portfolio.pnl import owed_by
from defai.testing.builders import START_TICK, pool_with_liquidity, vault_on

KEY, OTHER = USDC_WETH_005, USDC_WETH_030
DOLLARS, ETHER = 15_000 * 10**6, 75 * 10**17
LOWER, UPPER = START_TICK // 10 * 10 - 600, START_TICK // 10 * 10 + 600


class Bench:
    """A pool, a vault on it, and a planner for it."""

    def __init__(self, slippage_bps: int = 50) -> None:
        self.pool = pool_with_liquidity(KEY)
        self.vaults = vault_on({KEY: self.pool}, "me", {USDC.address: DOLLARS, WETH.address: ETHER})
        self.slippage_bps = slippage_bps

    @property
    def portfolio(self) -> Portfolio:
        portfolio = Portfolio.opening(self.vaults.balances["me"])
        return replace(portfolio, positions=tuple(self.vaults.book.positions.values()))

    def planner(self, pools: Mapping[str, Pool] | None = None) -> Planner:
        held = pools or {KEY.address: self.pool}
        keys = {KEY.address: KEY, OTHER.address: OTHER}
        return Planner(held, {address: keys[address] for address in held}, self.portfolio, self.slippage_bps)

    def opened(self, share: int = 2) -> Position:
        """A position on half of what there is, with fees to its name."""
        mint = MintPosition(KEY.address, LOWER, UPPER, DOLLARS // share, ETHER // share, 0, 0)
        outcome = self.vaults.carry_out("me", (mint,), (1, 1_700_000_100))
        self.pool.swap(zero_for_one=True, amount_specified=10**11)
        self.pool.swap(zero_for_one=False, amount_specified=5 * 10**19)
        (position,) = outcome.opened.values()
        return position


def close(token_id: int) -> ClosePosition:
    return ClosePosition(token_id=token_id, reason="")


def test_holding_is_no_operation() -> None:
    assert Bench().planner().plan(Hold(reason="")) == ()


def test_a_swap_asks_for_the_spot_price_less_fee_and_slippage() -> None:
    bench = Bench()
    planner = bench.planner()
    intent = Swap(pool=KEY.address, zero_for_one=True, amount_in_raw=10**9, reason="")
    (operation,) = planner.plan(intent)
    assert isinstance(operation, SwapExactInput)
    fair = (10**9 - 500_000) * bench.pool.sqrt_price_x96**2 >> 192
    assert operation == SwapExactInput(KEY.address, True, 10**9, fair * 9_950 // 10_000)
    (planned,) = planner.swaps
    quoted = bench.pool.quote(zero_for_one=True, amount_specified=10**9)
    assert planned.amount_out == -quoted.amount1
    assert 0 < planned.impact_bps < 1
    assert bench.pool.sqrt_price_x96 == pool_with_liquidity(KEY).sqrt_price_x96, "the replica stays as it is"


def test_dust_has_a_plan_too() -> None:
    planner = Bench().planner()
    dust = Swap(pool=KEY.address, zero_for_one=False, amount_in_raw=1, reason="")
    assert planner.plan(dust) == (SwapExactInput(KEY.address, False, 1, 0),)
    assert planner.swaps[0].impact_bps == 0.0


@pytest.mark.parametrize("zero_for_one", [True, False])
def test_a_band_leaves_both_sides_balanced(zero_for_one: bool) -> None:
    pool = pool_with_liquidity(KEY)
    amounts = (DOLLARS, 0) if zero_for_one else (0, ETHER)
    choice = swap_into_band(pool, LOWER, UPPER, *amounts)
    assert choice is not None
    assert choice.zero_for_one == zero_for_one
    done = pool.copy().swap(zero_for_one=zero_for_one, amount_specified=choice.amount_in)
    left0, left1 = amounts[0] - done.amount0, amounts[1] - done.amount1
    by0 = liquidity_for_amounts(done.sqrt_price_x96, done.sqrt_price_x96, price_at(UPPER), left0, 0)
    by1 = liquidity_for_amounts(done.sqrt_price_x96, price_at(LOWER), done.sqrt_price_x96, 0, left1)
    assert by0 == pytest.approx(by1, rel=1e-6)


def test_a_band_beside_the_price_takes_one_token_alone() -> None:
    pool = pool_with_liquidity(KEY)
    above = swap_into_band(pool, START_TICK // 10 * 10 + 600, START_TICK // 10 * 10 + 900, DOLLARS, ETHER)
    below = swap_into_band(pool, START_TICK // 10 * 10 - 900, START_TICK // 10 * 10 - 600, DOLLARS, ETHER)
    assert above is not None
    assert below is not None
    assert (above.zero_for_one, below.zero_for_one) == (False, True)
    assert above.amount_in == pytest.approx(ETHER, rel=1e-6)
    assert below.amount_in == pytest.approx(DOLLARS, rel=1e-6)


def test_what_is_balanced_or_next_to_nothing_is_not_swapped() -> None:
    pool = pool_with_liquidity(KEY)
    choice = swap_into_band(pool, LOWER, UPPER, DOLLARS, 0)
    assert choice is not None
    done = pool.swap(zero_for_one=True, amount_specified=choice.amount_in)
    assert swap_into_band(pool, LOWER, UPPER, DOLLARS - done.amount0, -done.amount1) is None
    assert swap_into_band(pool, LOWER, UPPER, 0, 0) is None


def test_a_rebalance_closes_what_is_there_swaps_and_opens_with_the_rest() -> None:
    bench = Bench()
    position = bench.opened()
    planner = bench.planner()
    operations = planner.plan(
        Rebalance(pool=KEY.address, tick_lower=LOWER - 300, tick_upper=UPPER - 900, reason="")
    )
    kinds = [type(operation) for operation in operations]
    assert kinds == [RemoveLiquidity, CollectOwed, BurnPosition, SwapExactInput, MintPosition]
    outcome = bench.vaults.carry_out("me", operations, (2, 1_700_000_200))
    assert outcome.closed == [position.token_id]
    (opened,) = outcome.opened.values()
    assert (opened.tick_lower, opened.tick_upper) == (LOWER - 300, UPPER - 900)
    assert len(planner.liquidity_moved) == 2


def test_a_rebalance_of_what_is_balanced_already_swaps_nothing() -> None:
    bench = Bench()
    choice = swap_into_band(bench.pool, LOWER, UPPER, DOLLARS, ETHER)
    assert choice is None
    (mint,) = bench.planner().plan(BAND)
    assert isinstance(mint, MintPosition)
    assert (mint.amount0_desired, mint.amount1_desired) == (DOLLARS, ETHER)


def test_closing_pays_what_is_owed_and_burns() -> None:
    bench = Bench()
    position = bench.opened()
    planner = bench.planner()
    remove, collect, burn = planner.plan(close(position.token_id))
    assert isinstance(remove, RemoveLiquidity)
    assert remove.liquidity == position.liquidity
    assert (collect, burn) == (CollectOwed(position.token_id), BurnPosition(position.token_id))


def test_an_emptied_position_can_be_closed() -> None:
    bench = Bench()
    position = bench.opened()
    bench.vaults.carry_out("me", bench.planner().plan(
        DecreaseLiquidity(token_id=position.token_id, liquidity=position.liquidity, reason="")
    ), (2, 1_700_000_200))  # fmt: skip
    operations = bench.planner().plan(close(position.token_id))
    assert operations == (CollectOwed(position.token_id), BurnPosition(position.token_id))
    assert bench.vaults.carry_out("me", operations, (3, 1_700_000_300)).closed == [position.token_id]


def test_adding_and_taking_liquidity() -> None:
    bench = Bench()
    position = bench.opened(share=4)
    (add,) = bench.planner().plan(
        IncreaseLiquidity(token_id=position.token_id, amount0_raw=10**9, amount1_raw=5 * 10**17, reason="")
    )
    assert isinstance(add, AddLiquidity)
    assert 0 < add.amount0_minimum < 10**9
    assert 0 < add.amount1_minimum < 5 * 10**17
    outcome = bench.vaults.carry_out("me", (add,), (2, 1_700_000_200))
    assert outcome.opened[position.token_id].liquidity > position.liquidity
    operations = bench.planner().plan(CollectFees(token_id=position.token_id, reason=""))
    assert operations == (CollectOwed(position.token_id),)


def test_fees_collected_in_a_batch_can_be_spent_in_it_once() -> None:
    bench = Bench()
    position = bench.opened()
    owed0, _ = owed_by(bench.pool, bench.portfolio.positions[0])
    idle = bench.vaults.balances["me"][USDC.address]
    collect = CollectFees(token_id=position.token_id, reason="")

    def sell(amount: int) -> Swap:
        return Swap(pool=KEY.address, zero_for_one=True, amount_in_raw=amount, reason="")

    assert owed0 > 0
    assert len(bench.planner().plan(Batch(intents=(collect, sell(idle + owed0)), reason=""))) == 2
    with pytest.raises(PlanError, match="a swap asks for"):
        bench.planner().plan(Batch(intents=(collect, collect, sell(idle + owed0 + 1)), reason=""))


def test_a_position_is_closed_once_and_reduced_by_what_it_has() -> None:
    bench = Bench()
    number, liquidity = (position := bench.opened()).token_id, position.liquidity
    half = DecreaseLiquidity(token_id=number, liquidity=liquidity // 2 + 1, reason="")
    with pytest.raises(PlanError, match=f"position {number} is not one of the vault's"):
        bench.planner().plan(Batch(intents=(close(number), close(number)), reason=""))
    with pytest.raises(PlanError, match=f"has {liquidity - half.liquidity} liquidity, not {half.liquidity}"):
        bench.planner().plan(Batch(intents=(half, half), reason=""))
    operations = bench.planner().plan(Batch(intents=(half, close(number)), reason=""))
    removals = [each.liquidity for each in operations if isinstance(each, RemoveLiquidity)]
    assert removals == [half.liquidity, liquidity - half.liquidity]
    assert bench.vaults.carry_out("me", operations, (2, 1_700_000_200)).closed == [number]


SWAP = Swap(pool=KEY.address, zero_for_one=True, amount_in_raw=10**6, reason="")
OPEN = OpenPosition(
    pool=KEY.address, tick_lower=LOWER, tick_upper=UPPER, amount0_raw=10**6, amount1_raw=10**15, reason=""
)
BAND = Rebalance(pool=KEY.address, tick_lower=LOWER, tick_upper=UPPER, reason="")


@pytest.mark.parametrize(
    ("intent", "sentence"),
    [
        (replace(SWAP, amount_in_raw=0), "a swap needs a positive amount"),
        (replace(SWAP, amount_in_raw=-5), "a swap needs a positive amount"),
        (replace(SWAP, amount_in_raw=DOLLARS + 1), "a swap asks for 15000000001 of a token of which the vault has"),
        (replace(SWAP, pool="0xdead"), "pool 0xdead is not one the agent watches"),
        (replace(OPEN, pool="0xdead"), "pool 0xdead is not one the agent watches"),
        (replace(OPEN, tick_upper=LOWER), "is not a range of USDC/WETH 0.05 %, whose tick spacing is 10"),
        (replace(OPEN, tick_lower=LOWER + 1), "is not a range"),
        (replace(OPEN, tick_upper=UPPER + 5), "is not a range"),
        (replace(OPEN, tick_upper=10**7), " lies outside -887272..887272."),
        (replace(OPEN, amount0_raw=-1), "a new position asks for -1 of a token: less than nothing"),
        (replace(OPEN, amount1_raw=-1), "a new position asks for -1 of a token: less than nothing"),
        (replace(OPEN, amount1_raw=ETHER + 1), "a new position asks for 7500000000000000001"),
        (replace(OPEN, amount0_raw=0, amount1_raw=0), "the amounts give no liquidity between"),
        (replace(BAND, pool="0xdead"), "pool 0xdead is not one the agent watches"),
        (replace(BAND, tick_lower=UPPER), "is not a range"),
        (replace(BAND, tick_lower=-(10**8)), " lies outside -887272..887272."),
        (close(99), "position 99 is not one of the vault's"),
        (CollectFees(token_id=99, reason=""), "position 99 is not one of the vault's"),
        (Batch(intents=(), reason=""), "the intent asks for nothing"),
        (Batch(intents=(SWAP, replace(SWAP, amount_in_raw=DOLLARS)), reason=""), "a swap asks for"),
    ],
)  # fmt: skip
def test_what_cannot_be_worked_out_is_said(intent: Intent, sentence: str) -> None:
    with pytest.raises(PlanError) as caught:
        Bench().planner().plan(intent)
    assert sentence in caught.value.sentence


@pytest.mark.parametrize("amount", [-1, 0])
def test_taking_more_liquidity_than_there_is(amount: int) -> None:
    bench = Bench()
    position = bench.opened()
    for wrong in (amount, position.liquidity + 1):
        with pytest.raises(PlanError, match="liquidity, not"):
            bench.planner().plan(DecreaseLiquidity(token_id=position.token_id, liquidity=wrong, reason=""))


def test_negative_amounts_cannot_be_added_either() -> None:
    bench = Bench()
    token_id = bench.opened().token_id
    for amounts in ((-1, 10**9), (10**9, -1)):
        with pytest.raises(PlanError, match="adding liquidity asks for -1 of a token"):
            bench.planner().plan(
                IncreaseLiquidity(
                    token_id=token_id, amount0_raw=amounts[0], amount1_raw=amounts[1], reason=""
                )
            )


def test_a_pool_that_has_too_little_liquidity_is_said() -> None:
    bench = Bench()
    thin = pool_with_liquidity(KEY, bands=((60, 10**12),))
    with pytest.raises(
        PlanError, match=r"USDC/WETH 0\.05 % has liquidity for \d+ of the 15000000000 to be sold"
    ):
        bench.planner({KEY.address: thin}).plan(replace(SWAP, amount_in_raw=DOLLARS))


def test_a_pool_that_is_not_initialised_is_said() -> None:
    empty = Pool(fee_pips=KEY.fee_pips, tick_spacing=KEY.tick_spacing)
    with pytest.raises(PlanError, match="not initialised"):
        Bench().planner({KEY.address: empty}).plan(SWAP)


def test_a_batch_across_pools_sees_its_own_effect() -> None:
    bench = Bench()
    pools = {KEY.address: bench.pool, OTHER.address: pool_with_liquidity(OTHER)}
    planner = bench.planner(pools)
    there = Swap(pool=KEY.address, zero_for_one=True, amount_in_raw=DOLLARS // 2, reason="")
    again = replace(there)
    elsewhere = replace(there, pool=OTHER.address, zero_for_one=False, amount_in_raw=10**18)
    planner.plan(Batch(intents=(there, again, elsewhere), reason=""))
    first, second, _ = planner.swaps
    assert first.amount_out > second.amount_out, "the second meets the price the first has left"


def test_a_ledger_gives_what_it_has() -> None:
    ledger = Ledger({"a": 5})
    ledger.take("a", 2, "x")
    ledger.add("b", 7)
    ledger.add("a", 1)
    assert ledger.amounts == {"a": 4, "b": 7}
    for amount in (5, -1):
        with pytest.raises(PlanError, match=r"^x asks for"):
            ledger.take("a", amount, "x")
    with pytest.raises(PlanError, match="of which the vault has 0"):
        ledger.take("c", 1, "x")


def test_the_ends_of_the_ticks_can_be_a_range() -> None:
    edge = MAX_TICK // 10 * 10
    (mint,) = Bench().planner().plan(replace(OPEN, tick_lower=-edge, tick_upper=edge))
    assert isinstance(mint, MintPosition)


def test_what_grows_in_a_plan_cannot_be_closed_in_it() -> None:
    bench = Bench()
    number = bench.opened(share=4).token_id
    grow = IncreaseLiquidity(token_id=number, amount0_raw=10**9, amount1_raw=5 * 10**17, reason="")
    with pytest.raises(PlanError, match=f"position {number} grows in this plan"):
        bench.planner().plan(Batch(intents=(grow, close(number)), reason=""))
