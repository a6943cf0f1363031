"""Merkle trees over decision digests, with proofs that OpenZeppelin's MerkleProof.verify accepts.

Inner nodes hash their children in ascending order; a node without a sibling moves up as it is. Leaves are decision
digests, which are EIP-712 hashes of 66 bytes and so never the hash of two nodes (64 bytes).
"""

from collections.abc import Sequence

from defai.audit.canonical import from_hex
from defai.audit.hashing import keccak


def merkle_root(digests: Sequence[str]) -> str:
    """The root over digests in their order.

    Raises:
        ValueError: where there is none.
    """
    return "0x" + _levels(digests)[-1][0].hex()


def merkle_proof(digests: Sequence[str], index: int) -> tuple[str, ...]:
    """The siblings that lead from the digest at `index` to the root, lowest first.

    Raises:
        IndexError: where there is no such digest.
    """
    if not 0 <= index < len(digests):
        raise IndexError(f"there is no leaf {index} among {len(digests)}")
    proof = []
    for level in _levels(digests)[:-1]:
        sibling = index ^ 1
        if sibling < len(level):
            proof.append("0x" + level[sibling].hex())
        index //= 2
    return tuple(proof)


def verify_proof(leaf: str, proof: Sequence[str], root: str) -> bool:
    """Whether a digest stands under a root."""
    node = from_hex(leaf)
    for sibling in proof:
        node = _join(node, from_hex(sibling))
    return node == from_hex(root)


def _levels(digests: Sequence[str]) -> list[list[bytes]]:
    if not digests:
        raise ValueError("a Merkle tree needs at least one leaf")
    levels = [[from_hex(leaf) for leaf in digests]]
    while len(levels[-1]) > 1:
        level = levels[-1]
        joined = [_join(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        levels.append(joined + level[len(joined) * 2 :])
    return levels


def _join(left: bytes, right: bytes) -> bytes:
    return keccak(left + right) if left < right else keccak(right + left)
