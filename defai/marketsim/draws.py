"""Random numbers that are the same on every machine.

The C library's `log`, `exp` and `cos` differ in the last bit from one system to the next, and a market that has to
repeat itself to the wei cannot stand on them. Everything here is made of Python's Mersenne Twister, of IEEE 754's
four operations (exactly rounded by the standard) and of `decimal`, whose `exp` is correctly rounded.
"""

from decimal import Context, Decimal
from functools import lru_cache
from hashlib import blake2b
from random import Random
from typing import Final

from defai.units import PIPS

_CONTEXT: Final = Context(prec=20)
_Q32: Final = 1 << 32


@lru_cache(maxsize=256)
def _exp_of_minus_q32(mean_pips: int) -> int:
    return int(_CONTEXT.exp(Decimal(-mean_pips).scaleb(-6, _CONTEXT)) * _Q32)


class Draws:
    """A stream of random numbers that belongs to a seed and a purpose, and to nothing else.

    Streams of different purposes are independent, so one more reader of one stream shifts no other stream.

    Args:
        seed: the run's seed.
        purpose: what the numbers are for: names and block numbers.
    """

    __slots__ = ("_random",)

    def __init__(self, seed: int, *purpose: str | int) -> None:
        digest = blake2b(repr((seed, *purpose)).encode(), digest_size=16).digest()
        source = Random(int.from_bytes(digest, "big"))  # noqa: S311  a simulation, not a secret
        self._random = source.random

    def unit(self) -> float:
        """Uniform in [0, 1)."""
        return self._random()

    def below(self, bound: int) -> int:
        """Uniform in 0..bound-1; `bound` is at most 2**53."""
        return int(self._random() * bound)

    def happens(self, probability: float) -> bool:
        """True with this probability."""
        return self._random() < probability

    def sign(self) -> int:
        """1 or -1, evenly."""
        return 1 if self._random() < 0.5 else -1

    def normal(self) -> float:
        """Mean 0, variance 1: the sum of twelve uniforms less six (kurtosis 2.9, within +-6)."""
        draw = self._random
        total = draw() + draw() + draw() + draw() + draw() + draw()
        return total + draw() + draw() + draw() + draw() + draw() + draw() - 6.0

    def poisson(self, mean_pips: int) -> int:
        """Poisson of a mean given in millionths, at most 20 of them (Knuth's product of uniforms)."""
        threshold, count = _exp_of_minus_q32(mean_pips), 0
        product = self._random() * _Q32
        while product > threshold:
            product *= self._random()
            count += 1
        return count

    def lognormal_pips(self, sigma_pips: int) -> int:
        """The exponential of a normal of this standard deviation (in millionths), in millionths; median 1,000,000."""
        exponent = Decimal(round(self.normal() * sigma_pips)).scaleb(-6, _CONTEXT)
        return int(_CONTEXT.exp(exponent) * PIPS)
