"""Keccak-256 on 64-bit words, as Ethereum uses it: rate 1,088 bits, the original padding.

The permutation is Keccak-f[1600] of the Keccak reference (Bertoni, Daemen, Peeters, Van Assche, "The Keccak
reference", version 3.0, 2011), whose names its steps bear: theta, rho and pi, chi and iota. A state's 25 lanes are a
tuple, lane x + 5y at that place.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from defai.amm.limbs.word import Word

Row: TypeAlias = tuple[Word, Word, Word, Word, Word]
Lanes: TypeAlias = NDArray[np.uint64]

RATE_LANES: Final = 17
"""Lanes that a block fills; the rest of the state is the capacity."""
RATE_BYTES: Final = 8 * RATE_LANES
STATE_LANES: Final = 25
LAST_BIT: Final = np.uint64(1 << 63)
"""Ends the padding, in a block's last lane."""
FIRST_BIT: Final = np.uint64(1)
"""Begins it, right after the message."""
_W64: Final = np.uint64(64)


def _round_constants() -> NDArray[np.uint64]:
    """Of iota: bits 2**j - 1 are the output of the shift register x**8 + x**6 + x**5 + x**4 + 1."""
    constants, register = [], 1
    for _ in range(24):
        constant = 0
        for j in range(7):
            if register & 1:
                constant |= 1 << ((1 << j) - 1)
            register = (register << 1) ^ (0x171 if register >> 7 else 0)
        constants.append(constant)
    return np.array(constants, dtype=np.uint64)


_ROUND_CONSTANTS: Final = _round_constants()


def left(lane: Word, bits: int) -> Word:
    """The lane, turned left by 1 to 63 bits."""
    by = np.uint64(bits)
    return lane << by | lane >> (_W64 - by)


def row_mixed(b0: Word, b1: Word, b2: Word, b3: Word, b4: Word) -> Row:
    """Chi, on one row."""
    return b0 ^ (~b1 & b2), b1 ^ (~b2 & b3), b2 ^ (~b3 & b4), b3 ^ (~b4 & b0), b4 ^ (~b0 & b1)


def columns_mixed(c0: Word, c1: Word, c2: Word, c3: Word, c4: Word) -> Row:
    """Theta: what is added to the columns, given their parities."""
    return (c4 ^ left(c1, 1), c0 ^ left(c2, 1), c1 ^ left(c3, 1), c2 ^ left(c4, 1), c3 ^ left(c0, 1))


def permute(s: Lanes) -> None:
    """Keccak-f[1600], in place."""
    a0, a1, a2, a3, a4 = s[0], s[1], s[2], s[3], s[4]
    a5, a6, a7, a8, a9 = s[5], s[6], s[7], s[8], s[9]
    a10, a11, a12, a13, a14 = s[10], s[11], s[12], s[13], s[14]
    a15, a16, a17, a18, a19 = s[15], s[16], s[17], s[18], s[19]
    a20, a21, a22, a23, a24 = s[20], s[21], s[22], s[23], s[24]
    for i in range(24):
        d0, d1, d2, d3, d4 = columns_mixed(
            a0 ^ a5 ^ a10 ^ a15 ^ a20,
            a1 ^ a6 ^ a11 ^ a16 ^ a21,
            a2 ^ a7 ^ a12 ^ a17 ^ a22,
            a3 ^ a8 ^ a13 ^ a18 ^ a23,
            a4 ^ a9 ^ a14 ^ a19 ^ a24,
        )
        b0, b1, b2, b3, b4 = row_mixed(
            a0 ^ d0, left(a6 ^ d1, 44), left(a12 ^ d2, 43), left(a18 ^ d3, 21), left(a24 ^ d4, 14)
        )
        b5, b6, b7, b8, b9 = row_mixed(
            left(a3 ^ d3, 28), left(a9 ^ d4, 20), left(a10 ^ d0, 3), left(a16 ^ d1, 45), left(a22 ^ d2, 61)
        )
        b10, b11, b12, b13, b14 = row_mixed(
            left(a1 ^ d1, 1), left(a7 ^ d2, 6), left(a13 ^ d3, 25), left(a19 ^ d4, 8), left(a20 ^ d0, 18)
        )
        b15, b16, b17, b18, b19 = row_mixed(
            left(a4 ^ d4, 27), left(a5 ^ d0, 36), left(a11 ^ d1, 10), left(a17 ^ d2, 15), left(a23 ^ d3, 56)
        )
        b20, b21, b22, b23, b24 = row_mixed(
            left(a2 ^ d2, 62), left(a8 ^ d3, 55), left(a14 ^ d4, 39), left(a15 ^ d0, 41), left(a21 ^ d1, 2)
        )
        a0 = b0 ^ _ROUND_CONSTANTS[i]
        a1, a2, a3, a4 = b1, b2, b3, b4
        a5, a6, a7, a8, a9 = b5, b6, b7, b8, b9
        a10, a11, a12, a13, a14 = b10, b11, b12, b13, b14
        a15, a16, a17, a18, a19 = b15, b16, b17, b18, b19
        a20, a21, a22, a23, a24 = b20, b21, b22, b23, b24
    s[0], s[1], s[2], s[3], s[4] = a0, a1, a2, a3, a4
    s[5], s[6], s[7], s[8], s[9] = a5, a6, a7, a8, a9
    s[10], s[11], s[12], s[13], s[14] = a10, a11, a12, a13, a14
    s[15], s[16], s[17], s[18], s[19] = a15, a16, a17, a18, a19
    s[20], s[21], s[22], s[23], s[24] = a20, a21, a22, a23, a24


def absorb(state: Lanes, blocks: Lanes, first: int, count: int) -> None:
    """Hash padded blocks, from lane `first` on: the digest is the state's first four lanes.

    Args:
        state: 25 lanes, whatever is in them.
        blocks: lanes, lowest byte first, padded to whole blocks.
        first: where to begin.
        count: how many blocks.
    """
    state[:] = np.uint64(0)
    for block in range(count):
        begin = first + block * RATE_LANES
        for i in range(RATE_LANES):
            state[i] ^= blocks[begin + i]
        permute(state)
