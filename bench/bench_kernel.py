"""Exact swaps and swap steps in the compiled kernel, against plain integers and against degenbot 0.3.0.

Processor time, since one core does nothing but count here, and other programs' share would tell nothing.
"""

import os
import subprocess
import sys
import tempfile
import time
from random import Random
from statistics import median
from typing import Final

import numpy as np
from figures import Figure
from peers import answer_of

from defai.amm import Pool, SwapResult, get_sqrt_ratio_at_tick, get_tick_at_sqrt_ratio
from defai.amm.kernel import KernelPool, SwapOrder, orders, swap_many
from defai.amm.limbs.compiler import compiled_functions
from defai.amm.packing import pack, unpack
from defai.amm.swap_math import compute_swap_step

SWAPS: Final = 300_000
BATCH: Final = 20_000
REFERENCE_SWAPS: Final = 10_000
STEPS: Final = 20_000
ROUNDS: Final = 7
TICK: Final = 200_005
SWAPS_A_SECOND: Final = 3e6
TIMES_DEGENBOT: Final = 80.0
PEER: Final = "degenbot==0.3.0"

PEER_STEPS: Final = """
import json, sys, time
from degenbot.uniswap.v3_libraries.swap_math import compute_swap_step
steps = json.load(sys.stdin)
answers = [compute_swap_step(*step) for step in steps]
times = []
for turn in range(1, 4):
    others = [(a, b, c, d + (turn if d > 0 else -turn), e) for a, b, c, d, e in steps]
    started = time.process_time()
    for step in others:
        compute_swap_step(*step)
    times.append(time.process_time() - started)
print(json.dumps({"seconds": sorted(times)[1] / len(steps), "answers": answers}))
"""
"""Every call has other arguments, for degenbot remembers what it worked out."""

FIRST_USE: Final = """
import time
started = time.perf_counter()
from defai.amm import Pool
from defai.amm.kernel import SwapOrder, swap_many
swap_many(Pool(fee_pips=500, tick_spacing=10), [SwapOrder(True, 1)], engine="kernel")
print(time.perf_counter() - started)
"""


def busy_pool() -> Pool:
    """A pool like WETH and a dollar: 30e18 of liquidity in four hundred bands."""
    draw = Random(5)  # noqa: S311  where liquidity lies, not a secret
    pool = Pool(fee_pips=500, tick_spacing=10)
    pool.initialize(get_sqrt_ratio_at_tick(TICK), timestamp=1_700_000_000)
    pool.mint("alice", 140_000, 260_000, 10**18)
    for _ in range(400):
        lower = 200_000 + 10 * draw.randrange(-300, 300)
        pool.mint("alice", lower, lower + 10 * draw.randrange(1, 200), draw.randrange(10**16, 10**18))
    return pool


def amount_for(draw: Random, pool: Pool, *, zero_for_one: bool, exact_in: bool) -> int:
    """What moves the price by about half a basis point, often less, sometimes twenty."""
    price_x96, liquidity = pool.sqrt_price_x96, pool.liquidity
    width = int(price_x96 * draw.lognormvariate(0, 1.2) * 5e-5)
    size = (liquidity << 96) * width // price_x96**2 if zero_for_one == exact_in else liquidity * width >> 96
    return size if exact_in else -size


def traffic(pool: Pool, count: int) -> list[SwapOrder]:
    """Swaps to and fro, a fifth of them for an exact output, three in every block."""
    draw = Random(7)  # noqa: S311  sizes to swap, not a secret
    swaps = []
    for i in range(count):
        zero_for_one, exact_in = draw.random() < 0.5, draw.random() < 0.8
        amount = amount_for(draw, pool, zero_for_one=zero_for_one, exact_in=exact_in)
        swaps.append(SwapOrder(zero_for_one, amount, None, pool.timestamp + 12 * (i // 3)))
    return swaps


def measure_swaps() -> Figure:
    """The same swaps in the kernel, batch after batch, and in plain integers; the first of them compared."""
    pool = busy_pool()
    swaps = traffic(pool, SWAPS)
    times = np.array([swap.timestamp for swap in swaps], dtype=np.int64)
    batches = []
    for at in range(0, SWAPS, BATCH):
        some = swaps[at : at + BATCH]
        batches.append(
            orders([swap[0] for swap in some], [swap[1] for swap in some], None, times[at : at + BATCH])
        )
    KernelPool(pool).run(batches[0], keep=False)
    took, crossing = [], 0.0
    for _ in range(ROUNDS):
        kernel = KernelPool(pool)
        for asked in batches:
            started = time.process_time()
            batch = kernel.run(asked, keep=True)
            took.append(time.process_time() - started)
            crossing += float((batch.ticks_crossed > 0).mean()) / (ROUNDS * len(batches))
    batch = KernelPool(pool).run(batches[0], keep=True)
    started = time.process_time()
    outcomes = swap_many(pool, swaps[:REFERENCE_SWAPS], engine="reference")
    reference = REFERENCE_SWAPS / (time.process_time() - started)
    amounts = zip(batch.amounts0, batch.amounts1, strict=True)
    if any(
        not isinstance(outcome, SwapResult) or outcome[:2] != pair
        for outcome, pair in zip(outcomes, amounts, strict=False)
    ):
        raise RuntimeError("The kernel and the reference differ.")
    return Figure(
        what=f"exact swaps in the kernel, {crossing:.0%} of them across ticks",
        value=BATCH / median(took),
        unit="a second",
        against="plain integers",
        alternative=reference,
        rate=True,
        least=SWAPS_A_SECOND,
        headline=True,
        note="One pool with liquidity in four hundred bands, a fifth of the swaps for an exact output, state carried "
        f"from swap to swap, {BATCH:,} in a call. Processor time of one core; orders packed before, compiling not "
        "included.",
    )


def some_steps() -> list[tuple[int, int, int, int, int]]:
    """Steps of the same traffic, each towards a tick thirty away."""
    pool = busy_pool()
    draw = Random(9)  # noqa: S311  sizes to swap, not a secret
    steps = []
    for _ in range(STEPS):
        start = draw.randrange(199_000, 201_000)
        low, high = get_sqrt_ratio_at_tick(start), get_sqrt_ratio_at_tick(start + 1)
        price_x96 = draw.randrange(low, high)
        zero_for_one, exact_in = draw.random() < 0.5, draw.random() < 0.8
        target = get_tick_at_sqrt_ratio(price_x96) + (-30 if zero_for_one else 30)
        amount = amount_for(draw, pool, zero_for_one=zero_for_one, exact_in=exact_in)
        steps.append((price_x96, get_sqrt_ratio_at_tick(target), pool.liquidity, amount, 500))
    return steps


def kernel_steps(steps: list[tuple[int, int, int, int, int]]) -> tuple[list[float], list[tuple[int, ...]]]:
    """Seconds of a step, many times over, and what the steps gave."""
    prices, targets, liquidities, amounts, fees = zip(*steps, strict=True)
    sizes = pack([abs(amount) for amount in amounts], 4)
    numbers = np.hstack([pack(prices, 3), pack(targets, 3), pack(liquidities, 2), sizes])
    fee_words, exact_in = np.array(fees, dtype=np.uint64), np.array([int(amount > 0) for amount in amounts])
    results = np.zeros((len(steps), 15), dtype=np.uint64)
    run = compiled_functions()["steps"]
    run(numbers, fee_words, exact_in, results)
    took = []
    for _ in range(5 * ROUNDS):
        started = time.process_time()
        run(numbers, fee_words, exact_in, results)
        took.append((time.process_time() - started) / len(steps))
    columns = results[:, :3], results[:, 3:7], results[:, 7:11], results[:, 11:]
    return took, list(zip(*(unpack(column) for column in columns), strict=True))


def measure_steps() -> list[Figure]:
    """The same steps in the kernel, in plain integers and in degenbot; all compared."""
    steps = some_steps()
    before, ours = kernel_steps(steps)
    started = time.process_time()
    plain = [compute_swap_step(*step) for step in steps]
    reference = (time.process_time() - started) / STEPS
    theirs, why_not = answer_of(PEER, PEER_STEPS, steps)
    after, _ = kernel_steps(steps)  # again: the machine may have become quicker or slower meanwhile
    kernel = median(before + after)
    if ours != plain or (theirs and [list(answer) for answer in ours] != theirs["answers"]):
        raise RuntimeError("The kernel, the reference and degenbot don't agree on every step.")
    return [
        Figure(
            what="exact swap steps in the kernel",
            value=1 / kernel,
            unit="a second",
            against=f"{PEER.replace('==', ' ')} {why_not}".strip(),
            alternative=1 / theirs["seconds"] if theirs else None,
            rate=True,
            least_ratio=TIMES_DEGENBOT if theirs else None,
            headline=True,
            note=f"{STEPS:,} steps, every answer compared. Ours in one call, numbers packed before; degenbot's (MIT) "
            "one by one in Python, none of them remembered. Processor time of one core, compiling not included.",
        ),
        Figure(
            what="the same steps",
            value=1 / kernel,
            unit="a second",
            against="plain integers",
            alternative=1 / reference,
            rate=True,
        ),
    ]


def measure_first_use() -> Figure:
    """The kernel reached for the first time ever, and again in another process."""
    with tempfile.TemporaryDirectory(prefix="defai-bench-") as folder:
        seconds = [
            float(
                subprocess.run(
                    [sys.executable, "-c", FIRST_USE],
                    env={**os.environ, "NUMBA_CACHE_DIR": folder},
                    check=True,
                    capture_output=True,
                    text=True,
                ).stdout
            )
            for _ in range(2)
        ]
    return Figure(
        what="the kernel's later uses, from disk, imports included",
        value=seconds[1],
        unit="s",
        against="the first use ever, which compiles",
        alternative=seconds[0],
    )


def measure() -> list[Figure]:
    """Swaps, steps, and what reaching the kernel costs."""
    return [measure_swaps(), *measure_steps(), measure_first_use()]
