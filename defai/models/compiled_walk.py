"""Forecasts by machine code: an ensemble's trees in arrays, and when it pays to load a compiler for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct, error
from typing import Any, Final

from defai.models.exponential import FACTORS_X64, HIGHEST_X24, LOWEST_X24

FUNCTIONS: Final = ("defai.models.tree_walk",)
"""What has to be compiled."""
WORTH_LOADING: Final = 3_000_000
"""Trees walked in Python, two to three seconds' worth: by then the compiler would have been loaded."""
WORTH_USING: Final = 100_000
"""The same where the compiler is loaded already and has nothing to compile."""
_OFFSET_LIMIT: Final = 1 << 61
_MOST_FEATURES: Final = 256
_MOST_PLACES: Final = 1 << 16
"""Nodes and leaves of a tree: half a word leads from one to another."""
_GREATEST: Final = (1 << 31) - 1

Flat = tuple[list[tuple[int, int, int, int]], list[int], list[int]]


@dataclass(slots=True)
class Walked:
    """How much an ensemble was asked, until it is compiled.

    Attributes:
        trees: walked in Python so far.
        walk: the compiled walk, once there is one.
        hopeless: whether there will be none: no compiler, or trees that don't fit.
    """

    trees: int = 0
    walk: "CompiledWalk | None" = None
    hopeless: bool = False

    def worth_compiling(self, trees: int) -> bool:
        """Count one more walk; whether the next one had better be compiled."""
        before, self.trees = self.trees, self.trees + trees
        if self.hopeless or self.trees < WORTH_USING:
            return False
        if self.trees >= WORTH_LOADING:
            return True
        return before < WORTH_USING and _is_at_hand()


class CompiledWalk:
    """An ensemble's walk, compiled at its first use and kept on disk.

    Args:
        flat: nodes, leaves and roots, as `Ensemble` has them.
        sums_up: whether the sum is the forecast; else it is the forecast's binary logarithm.
        features: how many features it looks at.

    Raises:
        ImportError: where nothing can be compiled.
        OverflowError: where something does not fit the arrays.
    """

    def __init__(self, flat: Flat, *, sums_up: bool, features: int) -> None:
        import numpy as np  # noqa: PLC0415  a forecast by Python needs none

        from defai.amm.limbs.compiler import compiled_beside, machine_code  # noqa: PLC0415  the same
        from defai.models.tree_walk import SPAN  # noqa: PLC0415  the same

        if features > _MOST_FEATURES:
            raise OverflowError
        self._features = features
        self._form = Struct(f"{features + SPAN}q")
        self._span = Struct(f"{SPAN}q")
        self._seen_at = np.frombuffer
        words, values, lanes = _laid_out(flat, features + SPAN - 1)
        self._arrays: tuple[Any, ...] = (
            np.array(words, dtype=np.int64),
            np.array(values, dtype=np.int64),
            np.array(lanes, dtype=np.int64).reshape(len(lanes), -1),
            np.array([] if sums_up else [factor - (1 << 64) for factor in FACTORS_X64], dtype=np.uint64),
            np.array([LOWEST_X24, HIGHEST_X24], dtype=np.int64),
        )
        self._places: list[tuple[bytearray, Any]] = []
        self._forecast = machine_code(
            compiled_beside(*FUNCTIONS)["forecast_span"], *self._arrays, self._place()[1]
        )

    def _place(self) -> tuple[bytearray, Any]:
        """A place for a row, as bytes and as an array: threads that forecast at the same time have one each."""
        buffer = bytearray(self._form.size)
        return buffer, self._seen_at(buffer, "q")

    def span_x24(self, values: Sequence[int], offset_x24: int, band_x24: int) -> tuple[int, int, int] | None:
        """Forecast, low and high; None where a number is too large for a word or a feature is missing."""
        if len(values) != self._features:
            values = values[: self._features]
        if abs(offset_x24) + abs(band_x24) > _OFFSET_LIMIT:
            return None
        places = self._places
        try:
            place = places.pop()
        except IndexError:
            place = self._place()
        buffer, row = place
        try:
            self._form.pack_into(buffer, 0, *values, offset_x24, band_x24, 0)
        except error:
            return None
        self._forecast(*self._arrays, row)
        value, low, high = self._span.unpack_from(buffer, 8 * self._features)
        places.append(place)
        return value, low, high


def _is_at_hand() -> bool:
    from defai.amm.limbs import compiler  # noqa: PLC0415  a forecast by Python needs none

    return compiler.is_loaded() and compiler.is_compiled(FUNCTIONS)


def _laid_out(flat: Flat, zero: int) -> tuple[list[int], list[int], list[list[int]]]:
    """Nodes as words, leaves' values beside them, and trees of like depth together; see `tree_walk`.

    Args:
        flat: as `CompiledWalk` has it.
        zero: where in a row there is a zero.
    """
    from defai.models.tree_walk import LANES  # noqa: PLC0415  numpy, which a forecast by Python needs not

    nodes, leaves, roots = flat
    leaf = _GREATEST << 32 | zero << 16
    words: list[int] = [leaf]
    values: list[int] = [0]
    placed: list[tuple[int, int]] = []
    for root in roots:
        start = len(words)
        deepest = _lay_tree(root, nodes, leaves, words, values, leaf)
        placed.append((deepest, start))
    if sum(max((abs(value) for value in values), default=0) for _ in placed) > _OFFSET_LIMIT:
        raise OverflowError
    placed.sort()
    lanes = []
    for at in range(0, len(placed), LANES):
        group = placed[at : at + LANES]
        starts = [start for _, start in group] + [0] * (LANES - len(group))
        lanes.append([*starts, group[-1][0]])
    return words, values, lanes or [[0] * (LANES + 1)]


def _lay_tree(
    root: int,
    nodes: Sequence[tuple[int, int, int, int]],
    leaves: Sequence[int],
    words: list[int],
    values: list[int],
    leaf: int,
) -> int:
    """Append a tree, parents first; how many steps lead to its deepest leaf."""
    queue = [(root, 0)]
    deepest = 0
    for own, (child, depth) in enumerate(queue):  # it grows while it is gone through
        deepest = max(deepest, depth)
        if child < 0:
            words.append(leaf)
            values.append(leaves[~child])
            continue
        feature, threshold, left, right = nodes[child]
        place = len(queue)
        queue += [(left, depth + 1), (right, depth + 1)]
        if not -(1 << 31) <= threshold < 1 << 31 or not 0 <= feature < _MOST_FEATURES:
            raise OverflowError
        words.append(threshold << 32 | feature << 16 | place - own)
        values.append(0)
    if len(queue) > _MOST_PLACES:
        raise OverflowError
    return deepest
