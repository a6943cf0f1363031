"""Swaps in the reference pool, against the pool's own bytecode in an EVM within this process."""

import time
from random import Random
from typing import Final

from figures import Figure

from defai.amm import MAX_SQRT_RATIO, MIN_SQRT_RATIO, get_sqrt_ratio_at_tick
from tests.conformance.amm.evm import words
from tests.conformance.amm.twin import Exchange, Twin

SWAPS: Final = 2_000
BYTECODE_SWAPS: Final = 500
TICK_SPACING: Final = 10


def crowded_pool() -> Twin:
    """A pool with liquidity in fifty bands, in both."""
    twin = Twin(Exchange(), fee_pips=500, tick_spacing=TICK_SPACING)
    twin.initialize(get_sqrt_ratio_at_tick(0))
    for band in range(1, 51):
        twin.mint(band % 3, -band * 4 * TICK_SPACING, band * 4 * TICK_SPACING, 10**18)
    return twin


def sizes(count: int) -> list[tuple[bool, int]]:
    """Directions and amounts in, from dust to a dozen ticks; back and forth, so that the price stays around."""
    draw = Random(1)  # noqa: S311  sizes to swap, not a secret
    return [(bool(index % 2), int(10 ** draw.uniform(12, 18))) for index in range(count)]


def measure() -> list[Figure]:
    """The same swaps in both; the result is compared once before the time counts."""
    twin = crowded_pool()
    for zero_for_one, amount in sizes(50):
        twin.swap(
            zero_for_one=zero_for_one,
            amount_specified=amount,
            limit_x96=MIN_SQRT_RATIO + 1 if zero_for_one else MAX_SQRT_RATIO - 1,
        )
    pool = twin.ours.copy()
    crossed = 0
    started = time.perf_counter()
    for zero_for_one, amount in sizes(SWAPS):
        crossed += pool.swap(zero_for_one=zero_for_one, amount_specified=amount).ticks_crossed
    ours = SWAPS / (time.perf_counter() - started)
    payer, payment = twin.exchange.payers[0], words(0x80, *twin.exchange.tokens, 0, 0)
    started = time.perf_counter()
    for zero_for_one, amount in sizes(BYTECODE_SWAPS):
        limit = MIN_SQRT_RATIO + 1 if zero_for_one else MAX_SQRT_RATIO - 1
        twin.evm.call(
            *(twin.address, "swap(address,bool,int256,uint160,bytes)"),
            *(payer, int(zero_for_one), amount, limit, 0xA0, payment),
            via=payer,
        )
    theirs = BYTECODE_SWAPS / (time.perf_counter() - started)
    return [
        Figure(
            what=f"exact swaps in plain Python, {crossed / SWAPS:.1f} ticks crossed in each",
            value=ours,
            unit="a second",
            against="the pool's bytecode in pyrevm",
            alternative=theirs,
            rate=True,
            headline=True,
            note="The readable reference, not the kernel. The bytecode also moves both tokens, through a callback, and "
            "its calldata is made on the way.",
        ),
    ]
