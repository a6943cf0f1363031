"""Division of numbers of several words.

Schoolbook division (Knuth, TAOCP 2, algorithm D) whose digits are found by multiplying with a reciprocal (Möller and
Granlund, "Improved division by invariant integers", 2011, algorithms 2, 4, 5 and 6), since dividing two words by one
is no operation of most machines. Digits that are zero at first sight cost nothing: most quotients are short. A digit's
first correction is as likely as not, so that it is masked: a processor would guess a branch wrongly half the time.
"""

from typing import Final

import numpy as np

from defai.amm.limbs.wide import add3, add5, less2, less5, sub3, sub5
from defai.amm.limbs.word import (
    FULL,
    ONE,
    U128,
    U192,
    U256,
    U320,
    U384,
    U512,
    W63,
    ZERO,
    Word,
    add_carry,
    leading_zeros,
    mul_add,
    mul_high,
    sub_borrow,
)

_W11: Final = np.uint64(11)
_W13: Final = np.uint64(13)
_W24: Final = np.uint64(24)
_W31: Final = np.uint64(31)
_W40: Final = np.uint64(40)
_W47: Final = np.uint64(47)
_W55: Final = np.uint64(55)
_TWO_TO_60: Final = np.uint64(1 << 60)
_SEED: Final = np.uint64((1 << 19) - 3 * (1 << 8))


def reciprocal(divisor: Word) -> Word:
    """`(2**128 - 1) // divisor - 2**64`, for a divisor with its top bit set."""
    d40 = (divisor >> _W24) + ONE
    v0 = _SEED // (divisor >> _W55)
    v1 = (v0 << _W11) - (v0 * v0 * d40 >> _W40) - ONE
    v2 = (v1 << _W13) + (v1 * (_TWO_TO_60 - v1 * d40) >> _W47)
    odd = divisor & ONE
    error = ((v2 >> ONE) & (ZERO - odd)) - v2 * ((divisor >> ONE) + odd)
    v3 = (v2 << _W31) + (mul_high(v2, error) >> ONE)
    _, high = mul_add(v3, divisor, divisor, ZERO)
    return v3 - high - divisor


def reciprocal_of_two(d0: Word, d1: Word) -> Word:
    """`(2**192 - 1) // (d1 * 2**64 + d0) - 2**64`, for a divisor with its top bit set."""
    v = reciprocal(d1)
    p = d1 * v + d0
    if p < d0:
        v -= ONE
        if p >= d1:
            v -= ONE
            p -= d1
        p -= d1
    low, high = mul_add(v, d0, ZERO, ZERO)
    p += high
    if p < high:
        v -= ONE
        if p > d1 or (p == d1 and low >= d0):
            v -= ONE
    return v


def two_by_one(u0: Word, u1: Word, divisor: Word, v: Word) -> U128:
    """Quotient and remainder of two words by one with its top bit set and reciprocal v; u1 < divisor."""
    q0, q1 = mul_add(v, u1, u0, ZERO)
    q1 += u1 + ONE
    r = u0 - q1 * divisor
    mask = ZERO - np.uint64(r > q0)
    q1 += mask
    r += divisor & mask
    if r >= divisor:
        q1 += ONE
        r -= divisor
    return q1, r


def three_by_two(u: U192, d0: Word, d1: Word, v: Word) -> U192:
    """Quotient and remainder (two words) of three words by two with the top bit set; (u1, u2) < (d0, d1)."""
    q0, q1 = mul_add(v, u[2], u[1], ZERO)
    q1 += u[2]
    r1 = u[1] - q1 * d1
    low, high = mul_add(d0, q1, ZERO, ZERO)
    r0, borrow = sub_borrow(u[0], low, ZERO)
    r1 -= high + borrow
    r0, borrow = sub_borrow(r0, d0, ZERO)
    r1 -= d1 + borrow
    q1 += ONE
    mask = ZERO - np.uint64(r1 >= q0)
    q1 += mask
    r0, carry = add_carry(r0, d0 & mask, ZERO)
    r1 += (d1 & mask) + carry
    if r1 > d1 or (r1 == d1 and r0 >= d0):
        q1 += ONE
        r0, borrow = sub_borrow(r0, d0, ZERO)
        r1 -= d1 + borrow
    return q1, r0, r1


def divide_by_word(n: U320, divisor: Word) -> tuple[U320, bool]:
    """Quotient, and whether a remainder is left, by a divisor below 2**20; n takes at most 276 bits."""
    if n[1] | n[2] | n[3] | n[4] == ZERO:
        quotient = n[0] // divisor
        return (quotient, ZERO, ZERO, ZERO, ZERO), bool(quotient * divisor != n[0])
    s = leading_zeros(divisor)
    d = divisor << s
    return divide_by_normal_word(n, s, d, reciprocal(d))


def divide_by_normal_word(n: U320, s: Word, d: Word, v: Word) -> tuple[U320, bool]:
    """The same, where the divisor shifted by s has its top bit set and reciprocal v are known."""
    back = W63 - s
    r = n[4] << s | n[3] >> ONE >> back
    q4 = ZERO
    q3 = ZERO
    q2 = ZERO
    if r | n[3] | n[2] != ZERO:
        q4, r = two_by_one(r, ZERO, d, v)
        q3, r = two_by_one(n[3] << s | n[2] >> ONE >> back, r, d, v)
        q2, r = two_by_one(n[2] << s | n[1] >> ONE >> back, r, d, v)
    else:
        r = n[1] >> ONE >> back
    q1, r = two_by_one(n[1] << s | n[0] >> ONE >> back, r, d, v)
    q0, r = two_by_one(n[0] << s, r, d, v)
    return (q0, q1, q2, q3, q4), bool(r != ZERO)


def _digit_by_two(r0: Word, r1: Word, n: Word, d0: Word, d1: Word, v: Word) -> U192:
    """The next digit of a division by two words: the digit, and what is left."""
    if r1 == ZERO and r0 < d1:
        return ZERO, n, r0
    return three_by_two((n, r0, r1), d0, d1, v)


def normal_two(divisor: U128) -> U320:
    """A divisor made ready: shifted until its top bit is set, the shift, the reciprocal, whether it was one word.

    Worth keeping where the same is divided by again. Zero is taken for one.
    """
    d0, d1 = divisor
    short = ZERO
    if d1 == ZERO:
        d0, d1 = ZERO, d0 if d0 != ZERO else ONE
        short = ONE
    s = leading_zeros(d1)
    d1 = d1 << s | d0 >> ONE >> (W63 - s)
    d0 <<= s
    return d0, d1, s, reciprocal_of_two(d0, d1), short


def divide_by_two(n: U384, divisor: U128) -> tuple[U384, bool]:
    """Quotient, and whether a remainder is left, by a divisor other than zero."""
    return divide_by_normal_two(n, normal_two(divisor))


def divide_by_normal_two(n: U384, normal: U320) -> tuple[U384, bool]:
    """The same, by a divisor that `normal_two` made ready."""
    n6, n5, n4, n3, n2, n1, n0 = ZERO, n[5], n[4], n[3], n[2], n[1], n[0]
    d0, d1, s, v, short = normal
    if short != ZERO:
        n6, n5, n4, n3, n2, n1, n0 = n5, n4, n3, n2, n1, n0, ZERO
    back = W63 - s
    r1 = n6 >> ONE >> back
    r0 = n6 << s | n5 >> ONE >> back
    q5, r0, r1 = _digit_by_two(r0, r1, n5 << s | n4 >> ONE >> back, d0, d1, v)
    q4, r0, r1 = _digit_by_two(r0, r1, n4 << s | n3 >> ONE >> back, d0, d1, v)
    q3, r0, r1 = _digit_by_two(r0, r1, n3 << s | n2 >> ONE >> back, d0, d1, v)
    q2, r0, r1 = _digit_by_two(r0, r1, n2 << s | n1 >> ONE >> back, d0, d1, v)
    q1, r0, r1 = _digit_by_two(r0, r1, n1 << s | n0 >> ONE >> back, d0, d1, v)
    q0, r0, r1 = _digit_by_two(r0, r1, n0 << s, d0, d1, v)
    return (q0, q1, q2, q3, q4, q5), bool(r0 | r1 != ZERO)


def _greatest_digit(r: U320, n: Word, d: U320) -> tuple[Word, U320]:
    """The next digit where the two top words of what is left equal the divisor's: the greatest there is.

    What is left is then short of the divisor by less than 2**192, so that the greatest digit leaves
    `d - 2**64 * shortage + n`, which is not negative: the divisor has its top bit set.
    """
    a, _ = sub5(r, d)
    s, _ = add5((n, a[0], a[1], a[2], a[3]), d)
    return FULL, s


def digit_by_three(r: U192, n: Word, d: U192, v: Word) -> tuple[Word, U192]:
    """The next digit of a division by three words with the top bit set; v of the upper two; r < d."""
    if not less2((r[1], r[2]), (d[1], d[2])):
        a = sub3(r, d)
        return FULL, add3((n, a[0], a[1]), d)  # as in `_greatest_digit`
    q, t1, t2 = three_by_two(r, d[1], d[2], v)
    low, high = mul_add(q, d[0], ZERO, ZERO)
    s0, borrow = sub_borrow(n, low, ZERO)
    s1, borrow = sub_borrow(t1, high, borrow)
    s2, borrow = sub_borrow(t2, ZERO, borrow)
    if borrow == ZERO:
        return q, (s0, s1, s2)
    return q - ONE, add3((s0, s1, s2), d)


def divide_by_three(n: U384, divisor: U192) -> tuple[U192, bool]:
    """Quotient, and whether a remainder is left; the divisor's top word isn't zero, the quotient fits three words."""
    s = leading_zeros(divisor[2])
    back = W63 - s
    d = (
        divisor[0] << s,
        divisor[1] << s | divisor[0] >> ONE >> back,
        divisor[2] << s | divisor[1] >> ONE >> back,
    )
    v = reciprocal_of_two(d[1], d[2])
    r = (
        n[3] << s | n[2] >> ONE >> back,
        n[4] << s | n[3] >> ONE >> back,
        n[5] << s | n[4] >> ONE >> back,
    )
    q2, r = digit_by_three(r, n[2] << s | n[1] >> ONE >> back, d, v)
    q1, r = digit_by_three(r, n[1] << s | n[0] >> ONE >> back, d, v)
    q0, r = digit_by_three(r, n[0] << s, d, v)
    return (q0, q1, q2), bool(r[0] | r[1] | r[2] != ZERO)


def digit_by_five(r: U320, n: Word, d: U320, v: Word) -> tuple[Word, U320]:
    """The next digit of a division by five words: the digit, and what is left."""
    if r[4] == ZERO and r[3] < d[4]:
        return ZERO, (n, r[0], r[1], r[2], r[3])
    return _some_digit_by_five(r, n, d, v)


def _some_digit_by_five(r: U320, n: Word, d: U320, v: Word) -> tuple[Word, U320]:
    if not less2((r[3], r[4]), (d[3], d[4])):
        return _greatest_digit(r, n, d)
    q, t3, t4 = three_by_two((r[2], r[3], r[4]), d[3], d[4], v)
    low, high = mul_add(q, d[0], ZERO, ZERO)
    s0, borrow = sub_borrow(n, low, ZERO)
    low, high = mul_add(q, d[1], high, ZERO)
    s1, borrow = sub_borrow(r[0], low, borrow)
    low, high = mul_add(q, d[2], high, ZERO)
    s2, borrow = sub_borrow(r[1], low, borrow)
    s3, borrow = sub_borrow(t3, high, borrow)
    s4, borrow = sub_borrow(t4, ZERO, borrow)
    if borrow == ZERO:
        return q, (s0, s1, s2, s3, s4)
    s, _ = add5((s0, s1, s2, s3, s4), d)
    return q - ONE, s


def divide(n: U512, divisor: U320) -> tuple[bool, U256, bool]:
    """Whether the quotient fits four words, the quotient, and whether a remainder is left.

    A divisor of zero counts as a quotient that doesn't fit.
    """
    d = divisor
    if not less5((n[4], n[5], n[6], n[7], ZERO), d):
        return False, (ZERO, ZERO, ZERO, ZERO), False
    if d[2] | d[3] | d[4] | n[6] | n[7] == ZERO:
        q, inexact = divide_by_two((n[0], n[1], n[2], n[3], n[4], n[5]), (d[0], d[1]))
        return True, (q[0], q[1], q[2], q[3]), inexact
    n8, n7, n6, n5, n4, n3, n2, n1, n0 = ZERO, n[7], n[6], n[5], n[4], n[3], n[2], n[1], n[0]
    while d[4] == ZERO:
        d = (ZERO, d[0], d[1], d[2], d[3])
        n8, n7, n6, n5, n4, n3, n2, n1, n0 = n7, n6, n5, n4, n3, n2, n1, n0, ZERO
    s = leading_zeros(d[4])
    back = W63 - s
    d = (
        d[0] << s,
        d[1] << s | d[0] >> ONE >> back,
        d[2] << s | d[1] >> ONE >> back,
        d[3] << s | d[2] >> ONE >> back,
        d[4] << s | d[3] >> ONE >> back,
    )
    v = reciprocal_of_two(d[3], d[4])
    r = (
        n4 << s | n3 >> ONE >> back,
        n5 << s | n4 >> ONE >> back,
        n6 << s | n5 >> ONE >> back,
        n7 << s | n6 >> ONE >> back,
        n8 << s | n7 >> ONE >> back,
    )
    q3, r = digit_by_five(r, n3 << s | n2 >> ONE >> back, d, v)
    q2, r = digit_by_five(r, n2 << s | n1 >> ONE >> back, d, v)
    q1, r = digit_by_five(r, n1 << s | n0 >> ONE >> back, d, v)
    q0, r = digit_by_five(r, n0 << s, d, v)
    return True, (q0, q1, q2, q3), bool(r[0] | r[1] | r[2] | r[3] | r[4] != ZERO)
