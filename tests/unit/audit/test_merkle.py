"""Merkle trees as OpenZeppelin verifies them: known answers, and what is refused."""

import pytest
from eth_hash.auto import keccak

from defai.audit.canonical import digest, from_hex
from defai.audit.merkle import merkle_proof, merkle_root, verify_proof

LEAVES = [digest(bytes([number])) for number in range(7)]


def joined(left: str, right: str) -> str:
    return "0x" + keccak(b"".join(sorted((from_hex(left), from_hex(right))))).hex()


def test_small_trees_by_hand() -> None:
    a, b, c, *_ = LEAVES
    assert merkle_root([a]) == a
    assert merkle_root([a, b]) == merkle_root([b, a]) == joined(a, b)
    assert merkle_root([a, b, c]) == joined(joined(a, b), c)
    assert merkle_proof([a], 0) == ()
    assert merkle_proof([a, b, c], 2) == (joined(a, b),)
    assert merkle_proof([a, b, c], 0) == (b, c)


def test_a_tree_needs_leaves() -> None:
    with pytest.raises(ValueError, match="at least one leaf"):
        merkle_root([])


@pytest.mark.parametrize("index", [-1, 7, 100])
def test_a_proof_is_of_a_leaf_that_is_there(index: int) -> None:
    with pytest.raises(IndexError, match="among 7"):
        merkle_proof(LEAVES, index)


def test_an_inner_node_is_not_a_leaf() -> None:
    root = merkle_root(LEAVES[:4])
    inner = joined(LEAVES[0], LEAVES[1])
    assert verify_proof(inner, (joined(LEAVES[2], LEAVES[3]),), root)
    assert inner not in LEAVES, (
        "a decision's digest is of 66 bytes, a node's of 64: nobody can make them equal"
    )
