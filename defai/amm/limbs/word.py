"""One 64-bit word: sums with carry, products with a high half."""

from typing import Final, TypeAlias

import numpy as np

Word: TypeAlias = np.uint64
U128: TypeAlias = tuple[Word, Word]
U192: TypeAlias = tuple[Word, Word, Word]
U256: TypeAlias = tuple[Word, Word, Word, Word]
U320: TypeAlias = tuple[Word, Word, Word, Word, Word]
U384: TypeAlias = tuple[Word, Word, Word, Word, Word, Word]
U448: TypeAlias = tuple[Word, Word, Word, Word, Word, Word, Word]
U512: TypeAlias = tuple[Word, Word, Word, Word, Word, Word, Word, Word]
U576: TypeAlias = tuple[Word, Word, Word, Word, Word, Word, Word, Word, Word]

ZERO: Final = np.uint64(0)
ONE: Final = np.uint64(1)
W32: Final = np.uint64(32)
W63: Final = np.uint64(63)
FULL: Final = np.uint64((1 << 64) - 1)
TWO_TO_64: Final = 2.0**64
TWO_TO_128: Final = 2.0**128
TWO_TO_192: Final = 2.0**192
LOW_HALF: Final = np.uint64((1 << 32) - 1)


def mul_high(a: Word, b: Word) -> Word:
    """The upper word of a product; compiled, it is one instruction (`defai.amm.limbs.compiler`)."""
    return np.uint64(int(a) * int(b) >> 64)


def leading_zeros(a: Word) -> Word:
    """How many upper bits are zero; compiled, it is one instruction."""
    return np.uint64(64 - int(a).bit_length())


def add_carry(a: Word, b: Word, carry: Word) -> U128:
    """`a + b + carry`: the word, and the carry out."""
    partial = a + b
    total = partial + carry
    return total, np.uint64(partial < a) | np.uint64(total < partial)


def sub_borrow(a: Word, b: Word, borrow: Word) -> U128:
    """`a - b - borrow`: the word, and the borrow out."""
    partial = a - b
    total = partial - borrow
    return total, np.uint64(a < b) | np.uint64(partial < borrow)


def mul_add(a: Word, b: Word, c: Word, d: Word) -> U128:
    """`a * b + c + d`, which always fits two words."""
    low = a * b
    high = mul_high(a, b)
    partial = low + c
    total = partial + d
    return total, high + np.uint64(partial < low) + np.uint64(total < partial)
