"""Digests of many decisions in a row, on 64-bit words: compiled by `defai.amm.limbs.compiler`, like its modules.

What is hashed are lanes, lowest byte first, so that numbers, which a record has highest byte first, are turned round.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from defai.amm.limbs.keccak import (
    FIRST_BIT,
    LAST_BIT,
    RATE_BYTES,
    RATE_LANES,
    Lanes,
    absorb,
    permute,
)
from defai.amm.limbs.word import Word

Bytes: TypeAlias = NDArray[np.uint8]

STRUCT_LANES: Final = 52
"""Thirteen words of 32 bytes: the type's hash, and the twelve fields."""
STRUCT_BLOCKS: Final = 4
SEQUENCE_LANE: Final = 11
PREVIOUS_LANE: Final = 12
BLOCK_NUMBER_LANE: Final = 19
BLOCK_HASH_LANE: Final = 23
"""The last lane of it: where a hash ends in the block's number, it is all that changes."""
PAYLOAD_LANE: Final = 48
_W8: Final = np.uint64(8)
_W16: Final = np.uint64(16)
_W48: Final = np.uint64(48)
_BYTE: Final = np.uint64(0xFF)


def turned(number: Word) -> Word:
    """The number with its bytes in the other order."""
    result = np.uint64(0)
    rest = number
    for _ in range(8):
        result = result << _W8 | rest & _BYTE
        rest >>= _W8
    return result


def digest_payloads(
    around: Bytes,
    cuts: NDArray[np.int64],
    reasons: Bytes,
    ends: NDArray[np.int64],
    digests: Lanes,
    state: Lanes,
) -> None:
    """keccak256 of payloads that differ in their reason only, which stands in them twice.

    Args:
        around: what comes before, between and after the reasons, one after the other.
        cuts: where what is between begins, and where it ends.
        reasons: the reasons as they are spelled, one after the other.
        ends: where each of them ends.
        digests: four lanes each, to be written.
        state: room for 25 lanes.
    """
    begin = 0
    for i in range(ends.shape[0]):
        state[:] = np.uint64(0)
        at = 0
        for piece in range(5):
            source, first, last = around, 0, cuts[0]
            if piece % 2:
                source, first, last = reasons, begin, ends[i]
            elif piece:
                first, last = cuts[0] if piece == 2 else cuts[1], cuts[1] if piece == 2 else around.shape[0]
            for j in range(first, last):
                state[at >> 3] ^= np.uint64(source[j]) << np.uint64(8 * (at & 7))
                at += 1
                if at == RATE_BYTES:
                    permute(state)
                    at = 0
        state[at >> 3] ^= FIRST_BIT << np.uint64(8 * (at & 7))
        state[RATE_LANES - 1] ^= LAST_BIT
        permute(state)
        for j in range(4):
            digests[i, j] = state[j]
        begin = ends[i]


def merkle_levels(nodes: Lanes, block: Lanes, state: Lanes) -> None:
    """The root over some digests, as `defai.audit.merkle` has it, into the first of them.

    Args:
        nodes: four lanes each; written over.
        block: the padded block of 64 bytes.
        state: room for 25 lanes.
    """
    count = nodes.shape[0]
    while count > 1:
        for i in range(count // 2):
            swapped = not_before(nodes, 2 * i, 2 * i + 1)
            for j in range(4):
                block[j] = nodes[2 * i + 1 if swapped else 2 * i, j]
                block[4 + j] = nodes[2 * i if swapped else 2 * i + 1, j]
            absorb(state, block, 0, 1)
            for j in range(4):
                nodes[i, j] = state[j]
        if count % 2:
            for j in range(4):
                nodes[count // 2, j] = nodes[count - 1, j]
        count = (count + 1) // 2


def not_before(nodes: Lanes, a: int, b: int) -> bool:
    """Whether one digest, as bytes, comes after another or equals it."""
    for j in range(4):
        left, right = turned(nodes[a, j]), turned(nodes[b, j])
        if left != right:
            return bool(left > right)
    return True


def chain_digests(
    struct: Lanes,
    final: Lanes,
    sequence: int,
    first_number: int,
    payloads: NDArray[np.uint32],
    payload_digests: Lanes,
    digests: Lanes,
    state: Lanes,
) -> None:
    """Digests of decisions that differ in block and payload only, each chained to the one before.

    Args:
        struct: the EIP-712 struct's lanes, padded; the previous digest is that of the decision before the first.
        final: `0x1901`, the domain's separator, and room for the struct's hash, padded.
        sequence: of the first.
        first_number: its block's number; the next decision is upon the next block.
        payloads: which row of `payload_digests` each has.
        payload_digests: four lanes each.
        digests: four lanes each, to be written.
        state: room for 25 lanes.
    """
    for i in range(payloads.shape[0]):
        number = turned(np.uint64(first_number + i))
        struct[SEQUENCE_LANE] = turned(np.uint64(sequence + i))
        struct[BLOCK_NUMBER_LANE] = number
        struct[BLOCK_HASH_LANE] = number
        for j in range(4):
            struct[PAYLOAD_LANE + j] = payload_digests[payloads[i], j]
        absorb(state, struct, 0, STRUCT_BLOCKS)
        h0, h1, h2, h3 = state[0], state[1], state[2], state[3]
        final[4] = final[4] & (FIRST_BIT << _W16) - FIRST_BIT | h0 << _W16
        final[5] = h0 >> _W48 | h1 << _W16
        final[6] = h1 >> _W48 | h2 << _W16
        final[7] = h2 >> _W48 | h3 << _W16
        final[8] = h3 >> _W48 | FIRST_BIT << _W16
        absorb(state, final, 0, 1)
        for j in range(4):
            digests[i, j] = state[j]
            struct[PREVIOUS_LANE + j] = state[j]


def blocks_of(message: bytes) -> Lanes:
    """A message padded to whole blocks, as lanes."""
    short = len(message) % (8 * RATE_LANES)
    padded = message + b"\x01" + bytes(8 * RATE_LANES - short - 1)
    lanes = np.frombuffer(padded, dtype="<u8").astype(np.uint64)
    lanes[-1] |= LAST_BIT
    return lanes
