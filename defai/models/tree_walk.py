"""The walk through trees on arrays: what `compiled_walk` compiles, equal to that of `ensemble` to the last bit.

A walk waits for one load after the other, so eight trees are walked at a time, each for as many steps as the deepest of
the eight needs: a leaf is a node that leads to itself.

This module uses only what numba can compile, and imports no compiler.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from defai.amm.limbs.word import mul_high

Words: TypeAlias = NDArray[np.int64]
Factors: TypeAlias = NDArray[np.uint64]

LANES: Final = 8
"""Trees that are walked at a time."""
SPAN: Final = 3
"""Places at the end of a row: offset and band and a zero at first, then forecast, low and high."""
_HALF: Final = 0xFFFF
_PLACE: Final = 0x7FFF_FFFF
"""Keeps a place visibly not negative, so that no wrapping around is compiled for it."""


def forecast_span(
    nodes: Words, values: Words, lanes: Words, factors: Factors, limits: Words, row: Words
) -> None:
    """Add up one leaf of every tree and an offset, and say what that and the ends of its band stand for.

    Args:
        nodes: shape (n,), nodes and leaves of all trees: threshold i32 | feature u16 | way u16. From a node its left
            child is so many places on, and its right one follows that one; a leaf looks at the row's zero and stays.
        values: shape (n,), the leaves' values times 2**24, 0 at nodes.
        lanes: shape (groups, LANES + 1): where the roots of some trees are, and how many steps lead to their leaves.
        factors: shape (24,), `exponential.FACTORS_X64` less 2**64; shape (0,) where the sum is the forecast.
        limits: shape (2,): the lowest and the highest exponent.
        row: shape (features + SPAN,): the features, an offset, half the band, and a zero. The offset, the band and one
            leaf per tree add up to less than 2**63.
    """
    total = row[-3]
    for group in range(len(lanes)):
        a, b = lanes[group, 0] & _PLACE, lanes[group, 1] & _PLACE
        c, d = lanes[group, 2] & _PLACE, lanes[group, 3] & _PLACE
        e, f = lanes[group, 4] & _PLACE, lanes[group, 5] & _PLACE
        g, h = lanes[group, 6] & _PLACE, lanes[group, 7] & _PLACE
        for _ in range(lanes[group, LANES]):
            a += _step(nodes[a], row)
            b += _step(nodes[b], row)
            c += _step(nodes[c], row)
            d += _step(nodes[d], row)
            e += _step(nodes[e], row)
            f += _step(nodes[f], row)
            g += _step(nodes[g], row)
            h += _step(nodes[h], row)
        total += values[a] + values[b] + values[c] + values[d]
        total += values[e] + values[f] + values[g] + values[h]
    band = row[-2]
    row[-3], row[-2], row[-1] = total, total - band, total + band
    if len(factors):
        for place in range(-SPAN, 0):
            row[place] = _power(min(max(row[place], limits[0]), limits[1]), factors)


def _step(node: np.int64, row: Words) -> np.int64:
    """By how many places a walk goes on."""
    way: np.int64 = (node & _HALF) + (row[(node >> 16) & _HALF] > node >> 32)
    return way


def _power(exponent: int, factors: Factors) -> np.int64:
    """Two to the power of a number times 2**24, itself times 2**24: `exponential.exp2_x24`, which says how.

    The power and the factors lie between 2**64 and 2**65, so only what exceeds 2**64 is kept:
    (1 + p)(1 + f) = 1 + p + f + pf.
    """
    over = factors[0] ^ factors[0]
    for bit in range(len(factors)):
        if exponent >> (23 - bit) & 1:
            over += factors[bit] + mul_high(over, factors[bit])
    whole = exponent >> 24
    shift = np.uint64(40 - whole)
    if whole == -24:
        return np.int64(1)
    return np.int64(1 << (24 + whole)) + np.int64(over >> shift)
