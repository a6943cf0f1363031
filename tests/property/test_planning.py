"""Plans carried out a block later: within the slippage none reverts, and none spends what is not there.

The vault in memory does what the chain's contracts do, reverts included, so a plan that passes here passes there.
"""

from dataclasses import dataclass, replace

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from defai.agent.planning import PlanError, Planner
from defai.amm import Pool, get_sqrt_ratio_at_tick
from defai.chain.mainnet import USDC, USDC_WETH_005, WETH
from defai.domain.intents import (
    Batch,
    ClosePosition,
    CollectFees,
    DecreaseLiquidity,
    IncreaseLiquidity,
    Intent,
    OpenPosition,
    Rebalance,
    Swap,
)
from defai.domain.operations import AddLiquidity, MintPosition, Operation
from defai.portfolio.ledger import Portfolio
from defai.testing.builders import FIRST_TIMESTAMP, START_TICK, pool_with_liquidity, vault_on
from defai.worlds.position_book import SimRevertError
from defai.worlds.vaults import Vaults

KEY = USDC_WETH_005
DOLLARS, ETHER = 15_000 * 10**6, 75 * 10**17
SLIPPAGE_BPS = 50


@dataclass(frozen=True)
class Ask:
    """What a strategy asks for, in shares of what there is, so that most of it can be worked out."""

    kind: str
    share_bps: int
    other_bps: int
    step: int
    width: int
    zero: bool

    def intent(self, vaults: Vaults) -> Intent | None:
        balances = vaults.balances["me"]
        idle0, idle1 = balances[USDC.address], balances[WETH.address]
        amount0, amount1 = idle0 * self.share_bps // 10_000, idle1 * self.other_bps // 10_000
        lower = (START_TICK // 10 + self.step) * 10
        ticks = {"tick_lower": lower, "tick_upper": lower + 10 * self.width}
        if self.kind == "swap":
            amount = amount0 if self.zero else amount1
            return Swap(pool=KEY.address, zero_for_one=self.zero, amount_in_raw=amount, reason="")
        if self.kind == "open":
            return OpenPosition(
                pool=KEY.address, **ticks, amount0_raw=amount0, amount1_raw=amount1, reason=""
            )
        if self.kind == "rebalance":
            return Rebalance(pool=KEY.address, **ticks, reason="")
        if not vaults.book.positions:
            return None
        position = next(iter(vaults.book.positions.values()))
        token_id = position.token_id
        if self.kind == "increase":
            return IncreaseLiquidity(token_id=token_id, amount0_raw=amount0, amount1_raw=amount1, reason="")
        if self.kind == "decrease":
            taken = position.liquidity * self.share_bps // 10_000
            return DecreaseLiquidity(token_id=token_id, liquidity=taken, reason="")
        if self.kind == "collect":
            return CollectFees(token_id=token_id, reason="")
        return ClosePosition(token_id=token_id, reason="")


def asks(*kinds: str) -> st.SearchStrategy[Ask]:
    return st.builds(
        Ask,
        st.sampled_from(kinds),
        st.integers(0, 10_000),
        st.integers(0, 10_000),
        st.integers(-150, 149),
        st.integers(1, 150),
        st.booleans(),
    )


single = asks("swap", "open", "rebalance", "increase", "decrease", "collect", "close")
several = st.lists(asks("swap", "open", "increase", "decrease", "collect", "close"), min_size=2, max_size=4)
drifts = st.integers(-(SLIPPAGE_BPS - 6), SLIPPAGE_BPS - 6)


def stage(first: Ask, others_raw: int) -> tuple[Pool, Vaults]:
    """A vault with a position, or without one where `first` gives none, and fees on it."""
    pool = pool_with_liquidity(KEY)
    vaults = vault_on({KEY: pool}, "me", {USDC.address: DOLLARS, WETH.address: ETHER})
    opening = first.intent(vaults)
    assert isinstance(opening, OpenPosition)
    try:
        (mint,) = planner(pool, vaults).plan(opening)
    except PlanError:
        return pool, vaults
    assert isinstance(mint, MintPosition)
    vaults.carry_out("me", (mint,), (1, FIRST_TIMESTAMP + 1))
    pool.swap(zero_for_one=True, amount_specified=others_raw)
    pool.swap(zero_for_one=False, amount_specified=others_raw * 5 * 10**8)
    return pool, vaults


def planner(pool: Pool, vaults: Vaults) -> Planner:
    portfolio = Portfolio.opening(vaults.balances["me"])
    portfolio = replace(portfolio, positions=tuple(vaults.book.positions.values()))
    return Planner({KEY.address: pool}, {KEY.address: KEY}, portfolio, SLIPPAGE_BPS)


def drift(pool: Pool, bps: int) -> None:
    """Move the price by so many basis points, with a swap, as others would."""
    target = get_sqrt_ratio_at_tick(pool.tick + bps)
    if bps:
        pool.swap(zero_for_one=bps < 0, amount_specified=10**40, sqrt_price_limit_x96=target)


@settings(max_examples=300)
@given(asks("open"), st.integers(10**6, 10**12), single, drifts)
def test_a_plan_does_not_revert_while_the_price_stays_within_the_slippage(
    first: Ask, others_raw: int, ask: Ask, move: int
) -> None:
    pool, vaults = stage(first, others_raw)
    intent = ask.intent(vaults)
    assume(intent is not None)
    assert intent is not None
    plans = planner(pool, vaults)
    try:
        operations = plans.plan(intent)
    except PlanError:
        event(f"no plan: {ask.kind}")
        return
    impact = max((swap.impact_bps for swap in plans.swaps), default=0.0)
    assume(abs(move) + 2 * impact < SLIPPAGE_BPS - 5)
    event(f"planned: {ask.kind}")
    drift(pool, move)
    before = dict(vaults.balances["me"])
    try:
        outcome = vaults.carry_out("me", operations, (2, FIRST_TIMESTAMP + 2))
    except SimRevertError as error:
        if not may_be_overtaken(operations) or "A liquidity of 0" not in error.sentence:
            raise
        assert vaults.balances["me"] == before
        event("overtaken by the price")
        return
    for token, held in before.items():
        assert vaults.balances["me"][token] == held + outcome.deltas.get(token, 0) >= 0


def may_be_overtaken(operations: tuple[Operation, ...]) -> bool:
    """Whether a plan offers so little of a token that it gives nothing at some price within the slippage."""
    adding = [operation for operation in operations if isinstance(operation, MintPosition | AddLiquidity)]
    return any(mint.amount0_minimum == mint.amount1_minimum == 0 for mint in adding)


def test_an_offer_of_one_token_beside_the_price_reverts_whole_once_the_price_is_in_its_band() -> None:
    pool, vaults = stage(Ask("open", 0, 0, 0, 1, zero=False), 10**6)
    offer = Ask("open", 1, 0, 1, 1, zero=False).intent(vaults)
    assert isinstance(offer, OpenPosition)
    assert pool.tick < offer.tick_lower
    operations = planner(pool, vaults).plan(offer)
    before = dict(vaults.balances["me"])
    drift(pool, offer.tick_lower + 5 - pool.tick)
    with pytest.raises(SimRevertError, match="A liquidity of 0"):
        vaults.carry_out("me", operations, (2, FIRST_TIMESTAMP + 2))
    assert vaults.balances["me"] == before


@settings(max_examples=200)
@given(asks("open"), st.integers(10**6, 10**12), several)
def test_a_batch_is_refused_or_carried_out_whole(first: Ask, others_raw: int, wanted: list[Ask]) -> None:
    pool, vaults = stage(first, others_raw)
    parts = tuple(intent for ask in wanted if (intent := ask.intent(vaults)) is not None)
    assume(len(parts) > 1)
    batch = Batch(intents=parts, reason="")  # type: ignore[arg-type]  # no part is a rebalance
    plans = planner(pool, vaults)
    try:
        operations = plans.plan(batch)
    except PlanError:
        event("no plan")
        return
    assume(max((swap.impact_bps for swap in plans.swaps), default=0.0) < SLIPPAGE_BPS)
    event("planned")
    vaults.carry_out("me", operations, (2, FIRST_TIMESTAMP + 2))
    assert min(vaults.balances["me"].values()) >= 0


@settings(max_examples=150)
@given(st.integers(100, 300), st.booleans(), st.integers(10**15, 10**18), st.integers(10**6, 10**9), drifts)
def test_a_mint_with_one_token_to_spare_leaves_room_for_rounding(
    width: int, plenty_of_dollars: bool, wei: int, micro_dollars: int, move: int
) -> None:
    pool, vaults = stage(Ask("open", 0, 0, 0, 1, zero=False), 10**9)
    middle = START_TICK // 10 * 10
    amounts = (10_000 * 10**6, wei) if plenty_of_dollars else (micro_dollars, 5 * 10**18)
    intent = OpenPosition(
        pool=KEY.address,
        tick_lower=middle - 10 * width,
        tick_upper=middle + 10 * width,
        amount0_raw=amounts[0],
        amount1_raw=amounts[1],
        reason="",
    )
    operations = planner(pool, vaults).plan(intent)
    drift(pool, move)
    (opened,) = vaults.carry_out("me", operations, (2, FIRST_TIMESTAMP + 2)).opened.values()
    assert opened.liquidity > 0
