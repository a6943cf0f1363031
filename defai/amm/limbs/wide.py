"""Sums, products and comparisons of numbers of several words, the lowest word first."""

from defai.amm.limbs.word import (
    ONE,
    TWO_TO_64,
    TWO_TO_128,
    TWO_TO_192,
    U128,
    U192,
    U256,
    U320,
    U384,
    U448,
    U512,
    U576,
    W32,
    ZERO,
    Word,
    add_carry,
    mul_add,
    mul_high,
    sub_borrow,
)


def less2(a: U128, b: U128) -> bool:
    """Whether a < b."""
    return bool(a[1] < b[1] or (a[1] == b[1] and a[0] < b[0]))


def less3(a: U192, b: U192) -> bool:
    """Whether a < b."""
    _, borrow = sub_borrow(a[0], b[0], ZERO)
    _, borrow = sub_borrow(a[1], b[1], borrow)
    _, borrow = sub_borrow(a[2], b[2], borrow)
    return bool(borrow != ZERO)


def equal3(a: U192, b: U192) -> bool:
    """Whether a == b."""
    return bool(a[0] == b[0] and a[1] == b[1] and a[2] == b[2])


def less4(a: U256, b: U256) -> bool:
    """Whether a < b."""
    _, borrow = sub4(a, b)
    return bool(borrow != ZERO)


def less5(a: U320, b: U320) -> bool:
    """Whether a < b."""
    _, borrow = sub5(a, b)
    return bool(borrow != ZERO)


def less6(a: U384, b: U320) -> bool:
    """Whether a < b."""
    return bool(a[5] == ZERO and less5((a[0], a[1], a[2], a[3], a[4]), b))


def zero4(a: U256) -> bool:
    """Whether a is zero."""
    return bool(a[0] | a[1] | a[2] | a[3] == ZERO)


def add3(a: U192, b: U192) -> U192:
    """The sum, wrapping."""
    r0, carry = add_carry(a[0], b[0], ZERO)
    r1, carry = add_carry(a[1], b[1], carry)
    r2, carry = add_carry(a[2], b[2], carry)
    return r0, r1, r2


def sub3(a: U192, b: U192) -> U192:
    """The difference, wrapping."""
    r0, borrow = sub_borrow(a[0], b[0], ZERO)
    r1, borrow = sub_borrow(a[1], b[1], borrow)
    r2, borrow = sub_borrow(a[2], b[2], borrow)
    return r0, r1, r2


def add4(a: U256, b: U256) -> tuple[U256, Word]:
    """The sum, and the carry out."""
    r0, carry = add_carry(a[0], b[0], ZERO)
    r1, carry = add_carry(a[1], b[1], carry)
    r2, carry = add_carry(a[2], b[2], carry)
    r3, carry = add_carry(a[3], b[3], carry)
    return (r0, r1, r2, r3), carry


def increment4(a: U256, step: Word) -> tuple[U256, Word]:
    """The sum with one word, and the carry out."""
    r0, carry = add_carry(a[0], step, ZERO)
    r1, carry = add_carry(a[1], ZERO, carry)
    r2, carry = add_carry(a[2], ZERO, carry)
    r3, carry = add_carry(a[3], ZERO, carry)
    return (r0, r1, r2, r3), carry


def sub4(a: U256, b: U256) -> tuple[U256, Word]:
    """The difference, wrapping, and the borrow out."""
    r0, borrow = sub_borrow(a[0], b[0], ZERO)
    r1, borrow = sub_borrow(a[1], b[1], borrow)
    r2, borrow = sub_borrow(a[2], b[2], borrow)
    r3, borrow = sub_borrow(a[3], b[3], borrow)
    return (r0, r1, r2, r3), borrow


def negative4(a: U256) -> U256:
    """The two's complement."""
    return sub4((ZERO, ZERO, ZERO, ZERO), a)[0]


def add5(a: U320, b: U320) -> tuple[U320, Word]:
    """The sum, and the carry out."""
    r0, carry = add_carry(a[0], b[0], ZERO)
    r1, carry = add_carry(a[1], b[1], carry)
    r2, carry = add_carry(a[2], b[2], carry)
    r3, carry = add_carry(a[3], b[3], carry)
    r4, carry = add_carry(a[4], b[4], carry)
    return (r0, r1, r2, r3, r4), carry


def sub5(a: U320, b: U320) -> tuple[U320, Word]:
    """The difference, wrapping, and the borrow out."""
    r0, borrow = sub_borrow(a[0], b[0], ZERO)
    r1, borrow = sub_borrow(a[1], b[1], borrow)
    r2, borrow = sub_borrow(a[2], b[2], borrow)
    r3, borrow = sub_borrow(a[3], b[3], borrow)
    r4, borrow = sub_borrow(a[4], b[4], borrow)
    return (r0, r1, r2, r3, r4), borrow


def widened(a: U320) -> U384:
    """The same number with one more word."""
    return a[0], a[1], a[2], a[3], a[4], ZERO


def add6(a: U384, b: U320) -> tuple[U384, Word]:
    """The sum, and the carry out."""
    r, carry = add5((a[0], a[1], a[2], a[3], a[4]), b)
    r5, carry = add_carry(a[5], ZERO, carry)
    return (r[0], r[1], r[2], r[3], r[4], r5), carry


def sub6(a: U384, b: U384) -> tuple[U384, Word]:
    """The difference, wrapping, and the borrow out."""
    r, borrow = sub5((a[0], a[1], a[2], a[3], a[4]), (b[0], b[1], b[2], b[3], b[4]))
    r5, borrow = sub_borrow(a[5], b[5], borrow)
    return (r[0], r[1], r[2], r[3], r[4], r5), borrow


def float3(a: U192) -> float:
    """The nearest float, or one next to it."""
    return float(a[2]) * TWO_TO_128 + float(a[1]) * TWO_TO_64 + float(a[0])


def float4(a: U256) -> float:
    """The nearest float, or one next to it."""
    return float(a[3]) * TWO_TO_192 + float3((a[0], a[1], a[2]))


def float5(a: U320) -> float:
    """The nearest float, or one next to it."""
    return float3((a[2], a[3], a[4])) * TWO_TO_128 + (float(a[1]) * TWO_TO_64 + float(a[0]))


def float6(a: U384) -> float:
    """The nearest float, or one next to it."""
    return float3((a[3], a[4], a[5])) * TWO_TO_192 + float3((a[0], a[1], a[2]))


def row3(a: U192, factor: Word, c: U192) -> U256:
    """`a * factor + c`."""
    r0, high = mul_add(a[0], factor, c[0], ZERO)
    r1, high = mul_add(a[1], factor, c[1], high)
    r2, high = mul_add(a[2], factor, c[2], high)
    return r0, r1, r2, high


def row4(a: U256, factor: Word, c: U256) -> U320:
    """`a * factor + c`."""
    r0, high = mul_add(a[0], factor, c[0], ZERO)
    r1, high = mul_add(a[1], factor, c[1], high)
    r2, high = mul_add(a[2], factor, c[2], high)
    r3, high = mul_add(a[3], factor, c[3], high)
    return r0, r1, r2, r3, high


def row5(a: U320, factor: Word, c: U320) -> U384:
    """`a * factor + c`."""
    r0, high = mul_add(a[0], factor, c[0], ZERO)
    r1, high = mul_add(a[1], factor, c[1], high)
    r2, high = mul_add(a[2], factor, c[2], high)
    r3, high = mul_add(a[3], factor, c[3], high)
    r4, high = mul_add(a[4], factor, c[4], high)
    return r0, r1, r2, r3, r4, high


def mul_2x2_high(a: U128, b: U128) -> U128:
    """`a * b >> 128`."""
    low, high = mul_add(a[1], b[0], mul_high(a[0], b[0]), ZERO)
    _, carry = mul_add(a[0], b[1], low, ZERO)
    return mul_add(a[1], b[1], high, carry)


def mul_2x3(a: U128, b: U192) -> U320:
    """The product."""
    r = row3(b, a[0], (ZERO, ZERO, ZERO))
    s = row3(b, a[1], (r[1], r[2], r[3]))
    return r[0], s[0], s[1], s[2], s[3]


def mul_3x3(a: U192, b: U192) -> U320:
    """The product of two numbers of at most 160 bits, as prices are."""
    r = row3(a, b[0], (ZERO, ZERO, ZERO))
    s = row3(a, b[1], (r[1], r[2], r[3]))
    t = row3(a, b[2], (s[1], s[2], s[3]))
    return r[0], s[0], t[0], t[1], t[2]


def mul_4x3(a: U256, b: U192) -> U448:
    """The product."""
    r = row4(a, b[0], (ZERO, ZERO, ZERO, ZERO))
    s = row4(a, b[1], (r[1], r[2], r[3], r[4]))
    t = row4(a, b[2], (s[1], s[2], s[3], s[4]))
    return r[0], s[0], t[0], t[1], t[2], t[3], t[4]


def mul_4x4(a: U256, b: U256) -> U512:
    """The product."""
    r = mul_4x3(a, (b[0], b[1], b[2]))
    s = row4(a, b[3], (r[3], r[4], r[5], r[6]))
    return r[0], r[1], r[2], s[0], s[1], s[2], s[3], s[4]


def mul_4x5(a: U256, b: U320) -> U576:
    """The product; quicker where the first factor is short."""
    r = row5(b, a[0], (ZERO, ZERO, ZERO, ZERO, ZERO))
    s = row5(b, a[1], (r[1], r[2], r[3], r[4], r[5]))
    if a[2] | a[3] == ZERO:
        return r[0], s[0], s[1], s[2], s[3], s[4], s[5], ZERO, ZERO
    t = row5(b, a[2], (s[1], s[2], s[3], s[4], s[5]))
    u = row5(b, a[3], (t[1], t[2], t[3], t[4], t[5]))
    return r[0], s[0], t[0], u[0], u[1], u[2], u[3], u[4], u[5]


def less9(a: U576, b: U384) -> bool:
    """Whether a < b."""
    if a[6] | a[7] | a[8] != ZERO:
        return False
    _, borrow = sub5((a[0], a[1], a[2], a[3], a[4]), (b[0], b[1], b[2], b[3], b[4]))
    _, borrow = sub_borrow(a[5], b[5], borrow)
    return bool(borrow != ZERO)


def exceeds9(a: U576, b: U384) -> bool:
    """Whether a > b."""
    if a[6] | a[7] | a[8] != ZERO:
        return True
    _, borrow = sub5((b[0], b[1], b[2], b[3], b[4]), (a[0], a[1], a[2], a[3], a[4]))
    _, borrow = sub_borrow(b[5], a[5], borrow)
    return bool(borrow != ZERO)


def shifted_by_96(a: U320) -> U384:
    """`a << 96`, for at most 288 bits."""
    return (
        ZERO,
        a[0] << W32,
        a[1] << W32 | a[0] >> W32,
        a[2] << W32 | a[1] >> W32,
        a[3] << W32 | a[2] >> W32,
        a[4] << W32 | a[3] >> W32,
    )


def over_2_to_96(a: U320) -> tuple[U256, bool]:
    """`a >> 96`, and whether anything was cut off."""
    return (
        (
            a[1] >> W32 | a[2] << W32,
            a[2] >> W32 | a[3] << W32,
            a[3] >> W32 | a[4] << W32,
            a[4] >> W32,
        ),
        bool(a[0] | a[1] << W32 != ZERO),
    )


def rounded_up(a: U256, inexact: bool) -> U256:
    """One more, if anything was cut off. What is rounded here never fills all words."""
    return increment4(a, ONE)[0] if inexact else a
