"""The walk through trees on arrays: what `compiled_walk` compiles, equal to that of `ensemble` to the last bit.

A walk waits for one load after the other, so four trees are walked at a time, each for as many steps as the deepest of
the four needs: a leaf is a node that leads to itself.

This module uses only what numba can compile, and imports no compiler.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Words: TypeAlias = NDArray[np.int64]

LANES = 4
"""Trees that are walked at a time."""
_BYTE = 0xFF
_PLACE = 0x7FFF_FFFF
"""Keeps a place visibly not negative, so that no wrapping around is compiled for it."""


def sum_leaves(nodes: Words, values: Words, lanes: Words, row: Words) -> None:
    """Add up one leaf of every tree, in the last place of the row.

    Args:
        nodes: shape (n,), nodes and leaves of all trees: threshold i32 | unused u8 | feature u8 | left u8 | right u8,
            children counted from their tree's root.
        values: shape (n,), the leaves' values times 2**24, 0 at nodes; the sum of one per tree fits 63 bits.
        lanes: shape (n, LANES + 1): where the roots of some trees are, and how many steps lead to any of their leaves.
        row: shape (features + 1,): the features, and the sum.
    """
    total = row[-1] * 0
    for group in range(len(lanes)):
        root_a, root_b = lanes[group, 0] & _PLACE, lanes[group, 1] & _PLACE
        root_c, root_d = lanes[group, 2] & _PLACE, lanes[group, 3] & _PLACE
        a, b, c, d = root_a, root_b, root_c, root_d
        for _ in range(lanes[group, LANES]):
            a = root_a + _child(nodes[a], row)
            b = root_b + _child(nodes[b], row)
            c = root_c + _child(nodes[c], row)
            d = root_d + _child(nodes[d], row)
        total += values[a] + values[b] + values[c] + values[d]
    row[-1] = total


def _child(node: int, row: Words) -> int:
    """Where a node leads to, counted from its tree's root."""
    side = 8 if row[(node >> 16) & _BYTE] <= node >> 32 else 0
    return (node >> side) & _BYTE
