"""Gas through a vault on the stand-in: every kind of plan beside what `defai.agent.gas` says, and beside a bare swap.

One agent plays a script of intents through the whole of the real path: planning, guard, record, vault, Uniswap.
"""

import asyncio
import statistics
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from itertools import chain
from typing import ClassVar, Final

from figures import Figure

from defai.agent import gas
from defai.agent.agent import Agent, Mandate
from defai.agent.desk import Desk
from defai.agent.ports import Settlement, Submission
from defai.audit.outbox import Outbox
from defai.chain.contracts import approve, exact_input_single
from defai.chain.keys import throwaway_key
from defai.chain.mainnet import (
    ALL_POOLS,
    POOLS,
    SWAP_ROUTER_02,
    USDC,
    USDC_WETH_005,
    USDC_WETH_030,
    USDC_WETH_V2,
)
from defai.chain.tx import Step, Wallet, carry_out
from defai.config import Settings
from defai.domain.decisions import ZERO_DIGEST
from defai.domain.pool import PoolKey
from defai.market.state import MarketState
from defai.market.valuation import Valuation
from defai.portfolio.ledger import Portfolio
from defai.risk.limits import Limits
from defai.session.choice import make_market
from defai.strategy.api import (
    Batch,
    ClosePosition,
    CollectFees,
    Context,
    DecreaseLiquidity,
    Hold,
    IncreaseLiquidity,
    Intent,
    OpenPosition,
    Rebalance,
    Strategy,
    Swap,
)
from defai.strategy.gas import FIRST_TRADE_GAS
from defai.units import GWEI
from defai.worlds.fork import ForkOptions, ForkWorld
from defai.worlds.seating import SeatRequest

SEED: Final = 3
NAME: Final = "scripted"
WARM_UP: Final = 60
USD: Final = 3_000
ANCHORED: Final = 50
TOLERANCE: Final = 0.1
SLIPPAGE_BPS: Final = 1_000
"""The price may move by so much within a block, and the plan still goes through."""

Play = Callable[[Context], Intent]


def swap(*, zero_for_one: bool, key: PoolKey = USDC_WETH_005) -> Play:
    """Sell dollars (zero for one) or ether for them."""
    pool = key.address

    def play(ctx: Context) -> Swap:
        worth = USD * 10**USDC.decimals
        amount = worth if zero_for_one else ctx.base_amount_raw(worth)
        return Swap(pool=pool, zero_for_one=zero_for_one, amount_in_raw=amount, reason=_reason("an edge"))

    return play


def arbitrage(ctx: Context) -> Intent:
    """Buy in one tier, sell in the other."""
    legs = swap(zero_for_one=True)(ctx), swap(zero_for_one=False, key=USDC_WETH_030)(ctx)
    return Batch(intents=tuple(leg for leg in legs if isinstance(leg, Swap)), reason=_reason("tiers apart"))


def rebalance(half_width: int) -> Play:
    """Close what is open, swap, open a band beside the price."""

    def play(ctx: Context) -> Intent:
        lower, upper = ctx.band(half_width, center=ctx.pool.tick + 37)
        pool = ctx.pool.key.address
        return Rebalance(pool=pool, tick_lower=lower, tick_upper=upper, reason=_reason("re-centre"))

    return play


def open_band(half_width: int) -> Play:
    """A band around the price."""

    def play(ctx: Context) -> Intent:
        lower, upper = ctx.band(half_width)
        amount0, amount1 = _part_of_both(ctx)
        return OpenPosition(
            pool=ctx.pool.key.address,
            tick_lower=lower,
            tick_upper=upper,
            amount0_raw=amount0,
            amount1_raw=amount1,
            reason=_reason("open"),
        )

    return play


def increase(ctx: Context) -> Intent:
    """Add to the position."""
    amount0, amount1 = _part_of_both(ctx)
    token_id = _held(ctx)
    return IncreaseLiquidity(
        token_id=token_id, amount0_raw=amount0, amount1_raw=amount1, reason=_reason("more")
    )


def decrease(ctx: Context) -> Intent:
    """Take a third out."""
    liquidity = ctx.position.liquidity // 3 if ctx.position else 0
    return DecreaseLiquidity(token_id=_held(ctx), liquidity=liquidity, reason=_reason("less"))


def collect(ctx: Context) -> Intent:
    """Collect the fees."""
    return CollectFees(token_id=_held(ctx), reason=_reason("collect"))


def close(ctx: Context) -> Intent:
    """Close the position."""
    return ClosePosition(token_id=_held(ctx), reason=_reason("close"))


def hold(_: Context) -> Intent:
    """Nothing; it waits to be anchored."""
    return Hold(reason=_reason("no edge after costs"))


def script() -> Iterator[Play]:
    """Every kind of plan several times; a decision that holds before each, so that something waits."""
    tiers = (USDC_WETH_005, USDC_WETH_030)
    swaps = [swap(zero_for_one=n % 2 == 0, key=tiers[n % 4 // 2]) for n in range(8)]
    bands = [rebalance(half_width) for half_width in (400, 150, 300, 200, 500)]
    position = [collect, increase, increase, decrease, decrease, collect, close]
    opened = list(chain.from_iterable((open_band(width), close) for width in (300, 500, 220)))
    plays = [*swaps, *[arbitrage] * 4, *bands, *position, *opened]
    yield swaps[0]  # the agent's first record writes what no later one has to
    yield from chain.from_iterable((hold, play) for play in plays)
    yield from swaps  # nothing waits
    yield from [hold] * (3 * ANCHORED)


def script_in_pair() -> Iterator[Play]:
    """Swaps in a pair of Uniswap v2, with what waits and without; the vault's first trade is one."""
    swaps = [swap(zero_for_one=n % 2 == 0, key=USDC_WETH_V2) for n in range(9)]
    yield from swaps
    yield from chain.from_iterable((hold, play) for play in swaps)


class Scripted(Strategy):
    """Plays the script, one line a block."""

    plays: ClassVar[Iterator[Play]] = iter(())
    keys: ClassVar[tuple[PoolKey, ...]] = POOLS
    finished: ClassVar[bool] = False

    def features(self) -> tuple[str, ...]:
        """As many as a real strategy has: they are in the record."""
        return (
            *("return_1", "return_3", "return_12", "deviation_12", "deviation_48", "imbalance_6"),
            "swaps_12",
        )

    def pools(self) -> tuple[str, ...]:
        """Those of the script."""
        return tuple(key.name for key in Scripted.keys)

    def decide(self, ctx: Context) -> Intent:
        """The script's next line."""
        play = next(Scripted.plays, None)
        Scripted.finished = play is None
        return hold(ctx) if play is None else play(ctx)


MOST_ADDED: Final = 90_000
MOST_FOR_A_HOLD: Final = 1_000
"""In batches of a hundred; a batch costs the same, however many are in it."""


class Meter:
    """An executor that passes everything on and notes what each submission cost."""

    def __init__(self, world: ForkWorld) -> None:
        self.encode = world.encode
        self.measured: dict[tuple[str, ...], list[int]] = {}
        self._world = world
        self._under_way: Submission | None = None

    async def submit(self, submission: Submission) -> None:
        """Pass it on."""
        self._under_way = submission
        await self._world.submit(submission)

    async def settled(self, agent: str) -> Settlement | None:
        """Pass it back, noted.

        Raises:
            AssertionError: where a plan of the script failed.
        """
        settlement = await self._world.settled(agent)
        if settlement is not None and self._under_way is not None:
            if not settlement.landed:
                raise AssertionError(f"{self._under_way.plan} failed: {settlement.error}")
            first = () if self.measured else ("first",)
            self.measured.setdefault((*shape_of(self._under_way), *first), []).append(settlement.gas_used)
        return settlement


def shape_of(submission: Submission) -> tuple[str, ...]:
    """The kinds of operations of a plan, and whether anything is anchored with it."""
    operations = submission.plan.operations if submission.plan else ()
    return (
        *(type(operation).__name__ for operation in operations),
        *(("anchor",) if submission.anchor.count else ()),
    )


@asynccontextmanager
async def stage() -> AsyncIterator[tuple[ForkWorld, MarketState, Agent, Meter]]:
    """A stand-in with its market, and the scripted agent on it."""
    valuation = Valuation(USDC_WETH_005, USDC)
    settings = Settings.demo({"market.seed": SEED}, environment={})
    limits = Limits(max_slippage_bps=SLIPPAGE_BPS, max_average_deviation_bps=2 * SLIPPAGE_BPS)
    keys = Scripted.keys
    names = tuple(key.name for key in keys)
    request = SeatRequest(NAME, 60_000 * 10**USDC.decimals, limits=limits, pools=names)
    make = partial(make_market, settings, print, keys=keys)
    world = ForkWorld(ForkOptions(seed=SEED), make, keys, valuation, [request])
    try:
        opening = await world.open()
        (seat,) = opening.seats
        meter = Meter(world)
        portfolio = Portfolio.opening(seat.balances)
        desk = Desk(opening.market, valuation, portfolio, limits, encode=partial(world.executor.encode, NAME))
        mandate = Mandate(NAME, NAME, Scripted(), ZERO_DIGEST, keys, None, ANCHORED)
        outbox = Outbox(seat.agent_id, world.audit_log.domain)
        agent = Agent(mandate, seat, desk, outbox, meter, world.audit_log, lambda _: None)
        yield world, opening.market, agent, meter
    finally:
        await world.close()


async def play_script(
    plays: Iterator[Play], keys: tuple[PoolKey, ...]
) -> tuple[Mapping[tuple[str, ...], list[int]], int]:
    """Gas by the plan's shape, and that of a bare swap of the same size."""
    Scripted.plays, Scripted.keys, Scripted.finished = plays, keys, False
    async with stage() as (world, market, agent, meter):
        for _ in range(WARM_UP):
            await _next_block(world, market)
        while not Scripted.finished:
            await agent.step(0.0)
            await _next_block(world, market)
        await agent.settle()
        return meter.measured, await bare_swap(world)


async def bare_swap(world: ForkWorld) -> int:
    """Gas of a swap that an account makes at the router, once it has traded before."""
    signer = throwaway_key(SEED, "bare")
    await world.chain.fund_ether(signer.address)
    await world.chain.fund(signer.address, USDC, 10 * USD * 10**USDC.decimals)
    call = exact_input_single(
        USDC_WETH_005,
        zero_for_one=True,
        recipient=signer.address,
        amount_in=USD * 10**USDC.decimals,
        amount_out_minimum=0,
    )
    calls = [approve(USDC, SWAP_ROUTER_02), call, call]
    steps = [Step(one.target, one.data, 1_000_000, "swap at the router") for one in calls]
    *_, last = await carry_out(
        *(world.chain.rpc, await Wallet.connect(signer, world.chain.rpc), steps),
        max_fee_wei=100 * GWEI,
        priority_fee_wei=GWEI,
        settle=world.chain.mine,
    )
    return last.gas_used


async def _next_block(world: ForkWorld, market: MarketState) -> None:
    arrival = await world.make_block()
    if arrival is None:
        raise AssertionError("the market has ended")
    market.apply(arrival.block)


def measure() -> list[Figure]:
    """The recorded swap beside the bare one, then every shape beside its estimate."""
    measured, bare = asyncio.run(play_script(script(), POOLS))
    # In a market of its own: with the pair in it, the other figures would be of another one than before.
    in_pair, _ = asyncio.run(play_script(script_in_pair(), ALL_POOLS))
    recorded = statistics.median(measured["SwapExactInput",])
    figures = [
        Figure(
            what="gas of a swap through the vault, with its record",
            value=recorded,
            unit="gas",
            against="the same swap at the router, bare",
            alternative=bare,
            headline=True,
            note="Receipts of the real bytecode on the stand-in. Ours passes the vault's limits and mints its record.",
        ),
        Figure(
            what="gas that vault, limits and record add to a bare swap",
            value=recorded - bare,
            unit="gas",
            most=MOST_ADDED,
        ),
        Figure(
            what=f"gas of a hold, anchored with {ANCHORED - 1} others",
            value=statistics.median(measured["anchor",]) / ANCHORED,
            unit="gas",
            most=MOST_FOR_A_HOLD * 100 / ANCHORED,
        ),
    ]
    shapes = [*sorted(measured.items()), *sorted(in_pair.items())]
    return figures + [estimated(shape, used) for shape, used in shapes]


KINDS: Final[dict[str, type]] = {kind.__name__: kind for kind in gas.OPERATION_GAS}
WORDS: Final = {
    "SwapExactInput": "swap",
    "SwapInPair": "swap in a pair",
    "MintPosition": "mint",
    "AddLiquidity": "add",
    "RemoveLiquidity": "remove",
    "CollectOwed": "collect",
    "BurnPosition": "burn",
}


def estimated(shape: tuple[str, ...], used: list[int]) -> Figure:
    """A plan's gas beside what `defai.agent.gas` says of it."""
    kinds = [KINDS[name] for name in shape if name in KINDS]
    anchors, is_first = "anchor" in shape, "first" in shape
    said = gas.estimate_kinds(kinds, anchors=anchors) if kinds else gas.ANCHOR_GAS
    return Figure(
        what=f"gas of {'+'.join(WORDS[kind.__name__] for kind in kinds) or f'an anchor of {ANCHORED} decisions'}"
        + (", with what waits" if anchors and kinds else "")
        + (", a vault's first trade" if is_first else ""),
        value=statistics.median(used),
        unit="gas",
        against="defai.agent.gas",
        alternative=said + FIRST_TRADE_GAS * is_first,
        within=TOLERANCE,
    )


def _part_of_both(ctx: Context) -> tuple[int, int]:
    worth = 2_000 * 10**USDC.decimals
    return worth, ctx.base_amount_raw(worth)


def _held(ctx: Context) -> int:
    return ctx.position.token_id if ctx.position else 0


def _reason(what: str) -> str:
    return f"{what}: 12.1 bp expected, 9.3 bp of costs"
