"""The bytes of an ensemble: what its digest is of, and what stands on the chain as contract code.

All numbers are big-endian, signed ones in two's complement. ModelRegistry.sol walks these very bytes.

    version u8 | bytes of a leaf u8 | features u16 | trees u16 | base i64 | linear terms u8 | linear shift u8
    for each linear term: feature u8 | coefficient i64
    for each tree:        its number of nodes u8
    for each tree:        its nodes | one leaf more than nodes
    a node:               threshold i32 | feature u8 | left u8 | right u8

A child below 128 is a node of the same tree and stands behind its parent, from 128 on it is the leaf `child - 128`.
A tree without nodes is part of the base. The number of features is the least that a row must have. Leaves are as wide
as the largest needs. Version 1 is of an ensemble whose sum is the forecast, version 2 of one whose sum is the
forecast's binary logarithm (`exponential`).
"""

import struct
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from defai.errors import DefaiError
from defai.models.ensemble import LEAF_LIMIT_X24, MOST_LEAVES, Ensemble, Linear, Link, Tree

BLOB_VERSIONS: Final[Mapping[Link, int]] = MappingProxyType({"sum": 1, "exp2": 2})
"""First byte of the encoding, by what becomes of the sum."""
_LINKS: Final = {version: link for link, version in BLOB_VERSIONS.items()}
_HEADER: Final = struct.Struct(">BBHHqBB")
_TERM: Final = struct.Struct(">Bq")
_NODE: Final = struct.Struct(">iBBB")


def pack(ensemble: Ensemble) -> bytes:
    """The canonical encoding of an ensemble.

    Raises:
        DefaiError: where something does not fit.
    """
    trees = [tree for tree in ensemble.trees if tree.feature]
    leaves = [leaf for tree in trees for leaf in tree.leaf_x24]
    constant = sum(tree.leaf_x24[0] for tree in ensemble.trees if not tree.feature)
    linear = ensemble.linear or Linear((), 0)
    try:
        width = _leaf_width(leaves)
        header = _HEADER.pack(
            BLOB_VERSIONS[ensemble.link],
            width,
            _feature_count(ensemble),
            len(trees),
            ensemble.base_x24 + constant,
            len(linear.terms),
            linear.shift,
        )
        terms = [_TERM.pack(feature, coefficient) for feature, coefficient in linear.terms]
        counts = bytes(len(tree.feature) for tree in trees)
        return b"".join([header, *terms, counts, *(_packed_tree(tree, width) for tree in trees)])
    except (struct.error, OverflowError, ValueError) as error:
        raise DefaiError(
            "The model does not fit its encoding.",
            "At most 256 features, 128 leaves a tree, and leaves below 32,768 ticks.",
        ) from error


def unpack(blob: bytes) -> Ensemble:
    """The ensemble of these bytes, as found on the chain: anyone may have put them there.

    Raises:
        DefaiError: where these are not the bytes that `pack` gives of some ensemble.
    """
    try:
        version, width, _, trees, base_x24, terms, shift = _HEADER.unpack_from(blob)
        if version not in _LINKS:
            raise DefaiError(f"The model is encoded in version {version}, which is none of {sorted(_LINKS)}.")
        at = _HEADER.size
        linear = Linear(tuple(_TERM.iter_unpack(blob[at : at + terms * _TERM.size])), shift)
        ensemble = Ensemble(
            base_x24,
            tuple(_unpacked_trees(blob, at + terms * _TERM.size, trees, width)),
            linear if terms else None,
            _LINKS[version],
        )
    except (struct.error, ValueError) as error:
        raise DefaiError("The model's bytes break off.") from error
    if not all(map(_leads_forward, ensemble.trees)) or pack(ensemble) != blob:
        raise DefaiError("The model's bytes are not an ensemble.")
    return ensemble


def _leaf_width(leaves: list[int]) -> int:
    """Bytes that hold every leaf."""
    largest = max((leaf if leaf >= 0 else ~leaf for leaf in leaves), default=0)
    if largest > LEAF_LIMIT_X24:
        raise OverflowError
    return largest.bit_length() // 8 + 1


def _feature_count(ensemble: Ensemble) -> int:
    used = [feature for tree in ensemble.trees for feature in tree.feature]
    used += [feature for feature, _ in ensemble.linear.terms] if ensemble.linear else []
    return max(used, default=-1) + 1


def _packed_tree(tree: Tree, width: int) -> bytes:
    if len(tree.leaf_x24) != len(tree.feature) + 1 or len(tree.leaf_x24) > MOST_LEAVES:
        raise ValueError(tree)
    nodes = zip(tree.feature, tree.threshold, tree.left, tree.right, strict=True)
    return b"".join(
        [
            *(_NODE.pack(threshold, feature, _child(a), _child(b)) for feature, threshold, a, b in nodes),
            *(leaf.to_bytes(width, "big", signed=True) for leaf in tree.leaf_x24),
        ]
    )


def _unpacked_trees(blob: bytes, at: int, trees: int, width: int) -> Iterator[Tree]:
    counts, at = blob[at : at + trees], at + trees
    for nodes in counts:
        first_leaf = at + nodes * _NODE.size
        end = first_leaf + (nodes + 1) * width
        fields = list(_NODE.iter_unpack(blob[at:first_leaf]))
        yield Tree(
            tuple(feature for _, feature, _, _ in fields),
            tuple(threshold for threshold, _, _, _ in fields),
            tuple(_unpacked_child(left) for _, _, left, _ in fields),
            tuple(_unpacked_child(right) for _, _, _, right in fields),
            tuple(
                int.from_bytes(blob[leaf : leaf + width], "big", signed=True)
                for leaf in range(first_leaf, end, width)
            ),
        )
        at = end


def _leads_forward(tree: Tree) -> bool:
    """Whether every walk ends: children stand behind their parents and within the tree."""
    nodes = len(tree.feature)
    children = [child for pair in zip(tree.left, tree.right, strict=True) for child in pair]
    return all(at // 2 < child < nodes or -nodes - 1 <= child < 0 for at, child in enumerate(children))


def _child(child: int) -> int:
    return child if child >= 0 else MOST_LEAVES + ~child


def _unpacked_child(child: int) -> int:
    return child if child < MOST_LEAVES else ~(child - MOST_LEAVES)
