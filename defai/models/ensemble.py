"""Trees as integers: thresholds, leaves and the sum of them, the same here, in LightGBM and on the chain."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from defai.errors import DefaiError

MOST_LEAVES: Final = 128
"""A child is one byte: below 128 a node of the same tree, from 128 on a leaf."""
LEAF_LIMIT_X24: Final = 2**39 - 1
"""A leaf is five bytes, signed: up to 32,767 ticks."""
THRESHOLD_LIMIT: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree: go left where `feature <= threshold`.

    Attributes:
        feature: index of the feature each node looks at.
        left, right: a child each; one that is not negative is a node, a negative one the leaf `~child`.
        leaf_x24: the leaves' values times 2**24.
    """

    feature: tuple[int, ...]
    threshold: tuple[int, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    leaf_x24: tuple[int, ...]


@dataclass(frozen=True)
class Ensemble:
    """A sum of trees over integer features.

    Attributes:
        base_x24: what is added to the trees' leaves, times 2**24.
    """

    base_x24: int
    trees: tuple[Tree, ...]

    def predict_x24(self, values: Sequence[int]) -> int:
        """Sum of the base and one leaf per tree, times 2**24: exact, since all are integers."""
        nodes, leaves, roots = self._flat
        total = self.base_x24
        for root in roots:
            node = root
            while node >= 0:
                feature, threshold, left, right = nodes[node]
                node = left if values[feature] <= threshold else right
            total += leaves[~node]
        return total

    @cached_property
    def _flat(self) -> tuple[list[tuple[int, int, int, int]], list[int], list[int]]:
        """All trees in one list of nodes and one of leaves, and where each tree starts."""
        nodes: list[tuple[int, int, int, int]] = []
        leaves: list[int] = []
        roots: list[int] = []
        for tree in self.trees:
            first_node, first_leaf = len(nodes), len(leaves)

            def moved(child: int, node: int = first_node, leaf: int = first_leaf) -> int:
                return child + node if child >= 0 else child - leaf

            roots.append(first_node if tree.feature else ~first_leaf)
            for feature, threshold, left, right in zip(
                tree.feature, tree.threshold, tree.left, tree.right, strict=True
            ):
                nodes.append((feature, threshold, moved(left), moved(right)))
            leaves.extend(tree.leaf_x24)
        return nodes, leaves, roots

    def packed(self) -> bytes:
        """The canonical encoding, big-endian: base (8 bytes), number of trees (2), then each tree.

        A tree is its number of nodes (1), its nodes (feature 1, threshold 4, left 1, right 1) and one leaf more than
        nodes (5 each). A child below 128 is a node, from 128 on the leaf `child - 128`.

        Raises:
            DefaiError: where something does not fit.
        """
        try:
            parts = [struct.pack(">qH", self.base_x24, len(self.trees))]
            for tree in self.trees:
                parts.append(struct.pack(">B", len(tree.feature)))
                for feature, threshold, left, right in zip(
                    tree.feature, tree.threshold, tree.left, tree.right, strict=True
                ):
                    parts.append(struct.pack(">BiBB", feature, threshold, _child(left), _child(right)))
                parts.extend(leaf.to_bytes(5, "big", signed=True) for leaf in tree.leaf_x24)
        except (struct.error, OverflowError) as error:
            raise DefaiError(
                "The model does not fit its encoding.",
                "At most 256 features, 128 leaves a tree, and leaves below 32,768 ticks.",
            ) from error
        return b"".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Integers only."""
        return {
            "base_x24": self.base_x24,
            "trees": [
                {
                    name: list(getattr(tree, name))
                    for name in ("feature", "threshold", "left", "right", "leaf_x24")
                }
                for tree in self.trees
            ],
        }

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> "Ensemble":
        """The reverse of `to_json`.

        Raises:
            KeyError: where a part is missing.
        """
        return cls(
            raw["base_x24"],
            tuple(
                Tree(*(tuple(tree[name]) for name in ("feature", "threshold", "left", "right", "leaf_x24")))
                for tree in raw["trees"]
            ),
        )


def _child(child: int) -> int:
    return child if child >= 0 else MOST_LEAVES + ~child
