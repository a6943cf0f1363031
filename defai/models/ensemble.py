"""Trees as integers: thresholds, leaves and the sum of them, the same here, in LightGBM and on the chain."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from defai.models.compiled_walk import CompiledWalk, Flat, Walked
from defai.models.exponential import exp2_x24

Link = Literal["sum", "exp2"]
"""What becomes of the sum: it is the forecast, or the forecast's binary logarithm."""
MOST_LEAVES: Final = 128
"""In the encoding a child is one byte: below 128 a node of the same tree, from 128 on a leaf."""
LEAF_LIMIT_X24: Final = 2**39 - 1
"""In the encoding a leaf has at most five bytes, signed: up to 32,767 ticks."""
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


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear model in fixed point: `(sum of coefficient * value) >> shift`, rounded down.

    Attributes:
        terms: a feature's index and its coefficient.
        shift: fractional bits of the coefficients beyond the forecast's 24, the features' own included.
    """

    terms: tuple[tuple[int, int], ...]
    shift: int

    def predict_x24(self, values: Sequence[int]) -> int:
        """What it adds to the trees, times 2**24."""
        return sum(coefficient * values[feature] for feature, coefficient in self.terms) >> self.shift


@dataclass(frozen=True)
class Ensemble:
    """A sum of trees over integer features.

    Attributes:
        base_x24: what is added to the trees' leaves, times 2**24.
        linear: a linear model that the trees correct; None where there is none.
        link: whether the sum is the forecast, or its binary logarithm (`exponential`).
    """

    base_x24: int
    trees: tuple[Tree, ...]
    linear: Linear | None = None
    link: Link = "sum"

    def predict_x24(self, values: Sequence[int]) -> int:
        """The forecast times 2**24: exact, since all are integers."""
        return self.span_x24(values, 0)[0]

    def span_x24(self, values: Sequence[int], band_x24: int) -> tuple[int, int, int]:
        """The forecast and the ends of its band, times 2**24; by machine code once that has paid.

        Args:
            values: a row of features.
            band_x24: half the width of the band, as a part of the sum.
        """
        walked = self._walked
        if walked.walk is None and walked.worth_compiling(len(self.trees)):
            self.compile()
        if walked.walk is not None:
            span = walked.walk.span_x24(values, self._offset_x24(values), band_x24)
            if span is not None:
                return span
        total, said = self.sum_x24(values), self.forecast_x24
        if not band_x24:
            return (said(total),) * 3
        return said(total), said(total - band_x24), said(total + band_x24)

    def compile(self) -> bool:
        """Have the walk compiled now; whether that was possible. It takes a second where it was compiled before."""
        walked = self._walked
        if walked.walk is None and not walked.hopeless:
            try:
                walked.walk = CompiledWalk(
                    self._flat, sums_up=self.link == "sum", features=self.feature_count
                )
            except (ImportError, OverflowError):
                walked.hopeless = True
        return not walked.hopeless

    @cached_property
    def feature_count(self) -> int:
        """The least number of features that a row must have."""
        used = [feature for tree in self.trees for feature in tree.feature]
        used += [feature for feature, _ in self.linear.terms] if self.linear else []
        return max(used, default=-1) + 1

    def forecast_x24(self, total_x24: int) -> int:
        """What a sum says, times 2**24."""
        return total_x24 if self.link == "sum" else exp2_x24(total_x24)

    def sum_x24(self, values: Sequence[int]) -> int:
        """Sum of the base, the linear part and one leaf per tree, times 2**24."""
        nodes, leaves, roots = self._flat
        total = self._offset_x24(values)
        for root in roots:
            node = root
            while node >= 0:
                feature, threshold, left, right = nodes[node]
                node = left if values[feature] <= threshold else right
            total += leaves[~node]
        return total

    def __getstate__(self) -> dict[str, Any]:
        """What a copy elsewhere needs: machine code stays where it is."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def _offset_x24(self, values: Sequence[int]) -> int:
        return self.base_x24 if self.linear is None else self.base_x24 + self.linear.predict_x24(values)

    @cached_property
    def _walked(self) -> Walked:
        return Walked()

    @cached_property
    def _flat(self) -> Flat:
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

    def to_json(self) -> dict[str, Any]:
        """Integers only."""
        linear = self.linear
        return {
            **({} if self.link == "sum" else {"link": self.link}),
            "base_x24": self.base_x24,
            "linear": None
            if linear is None
            else {"terms": [list(term) for term in linear.terms], "shift": linear.shift},
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
        linear = raw["linear"]
        return cls(
            raw["base_x24"],
            tuple(
                Tree(*(tuple(tree[name]) for name in ("feature", "threshold", "left", "right", "leaf_x24")))
                for tree in raw["trees"]
            ),
            linear
            and Linear(tuple((feature, factor) for feature, factor in linear["terms"]), linear["shift"]),
            raw.get("link", "sum"),
        )
