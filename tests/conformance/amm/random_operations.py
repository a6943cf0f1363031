"""Random things to do to a pool: mostly sensible, often at the edges, sometimes wrong."""

from random import Random
from typing import Final

from defai.amm import MAX_SQRT_RATIO, MAX_TICK, MIN_SQRT_RATIO, MIN_TICK, AmmRevert, get_sqrt_ratio_at_tick
from tests.conformance.amm.twin import Twin

_U128: Final = (1 << 128) - 1


class Operator:
    """Does one random operation after another to a twin, and has the touched state compared each time."""

    def __init__(self, twin: Twin, rng: Random) -> None:
        self.twin = twin
        self.rng = rng
        self.ranges: list[tuple[int, int, int]] = []
        self.actions = (
            [self.swap] * 45 + [self.mint] * 22 + [self.burn] * 14 + [self.collect] * 8 + [self.flash] * 3
            + [self.protocol] * 3 + [self.look] * 5
        )  # fmt: skip

    def step(self) -> None:
        """One operation, and the comparison of what it touched."""
        before = dict(self.twin.ours.ticks)
        self.twin.wait(self.rng.choice((0, 0, 1, 12, self.rng.randrange(100_000))))
        touched, positions = self.rng.choice(self.actions)()
        after = self.twin.ours.ticks
        changed = {tick for tick in before.keys() | after.keys() if before.get(tick) is not after.get(tick)}
        self.twin.check_state(changed | touched, positions)

    def swap(self) -> tuple[set[int], set[tuple[str, int, int]]]:
        """A swap of any size, in any direction, to any limit."""
        pool, rng = self.twin.ours, self.rng
        zero_for_one = rng.random() < (0.5 if abs(pool.tick) < 400_000 else 0.9 if pool.tick > 0 else 0.1)
        amount = self._log_uniform(max(pool.liquidity.bit_length() + rng.randrange(-12, 8), 1))
        amount = rng.choice(
            (amount, -amount, 1, -1, (1 << 255) - 1, -(1 << 255), 0)[: rng.choice((2, 2, 2, 2, 7))]
        )
        limit_x96 = self._limit(zero_for_one=zero_for_one)
        if rng.random() < 0.3:
            amount, limit_x96 = (
                self._just_enough(limit_x96, zero_for_one=zero_for_one) or amount,
                self._end(zero_for_one),
            )
        self.twin.swap(zero_for_one=zero_for_one, amount_specified=amount, limit_x96=limit_x96)
        return set(), set()

    def mint(self) -> tuple[set[int], set[tuple[str, int, int]]]:
        """Liquidity of any size anywhere."""
        owner, lower, upper = self._range(fresh=0.6)
        most = self.twin.ours.max_liquidity_per_tick
        liquidity = self.rng.choice(
            (
                self._log_uniform(64),
                self._log_uniform(64),
                self._log_uniform(most.bit_length()),
                most,
                most // 3,
                1,
                0,
            )
        )
        if self.twin.mint(owner, lower, upper, liquidity).reverted is None:
            self.ranges.append((owner, lower, upper))
        return self._touched(owner, lower, upper)

    def burn(self) -> tuple[set[int], set[tuple[str, int, int]]]:
        """Some, all, none or too much of a position."""
        owner, lower, upper = self._range(fresh=0.05)
        key = (self.twin.exchange.payers[owner], lower, upper)
        held = self.twin.ours.positions[key].liquidity if key in self.twin.ours.positions else 0
        self.twin.burn(
            owner,
            lower,
            upper,
            self.rng.choice((held, held, held // 2, self.rng.randint(0, held), 0, held + 1, _U128)),
        )
        return self._touched(owner, lower, upper)

    def collect(self) -> tuple[set[int], set[tuple[str, int, int]]]:
        """All, some or nothing of what is owed."""
        owner, lower, upper = self._range(fresh=0.05)
        amounts = [self.rng.choice((_U128, self._log_uniform(80), 0)) for _ in range(2)]
        self.twin.collect(owner, lower, upper, *amounts)
        return self._touched(owner, lower, upper)

    def flash(self) -> tuple[set[int], set[tuple[str, int, int]]]:
        """A loan, paid back exactly, generously or short."""
        gift0, gift1 = (self.rng.choice((0, 0, 1, self._log_uniform(60), -1)) for _ in range(2))
        loan0, loan1 = (self.rng.choice((0, 1, self._log_uniform(100))) for _ in range(2))
        self.twin.flash(loan0, loan1, gift0, gift1)
        return set(), set()

    def protocol(self) -> tuple[set[int], set[tuple[str, int, int]]]:
        """The protocol's share set, right or wrong, or paid out."""
        if self.rng.random() < 0.5:
            self.twin.set_fee_protocol(self.rng.choice((0, 4, 7, 10, 3)), self.rng.choice((0, 4, 10, 11)))
        else:
            self.twin.collect_protocol(
                self.rng.choice((_U128, self._log_uniform(50))),
                self.rng.choice((_U128, self._log_uniform(50))),
            )
        return set(), set()

    def look(self) -> tuple[set[int], set[tuple[str, int, int]]]:
        """The oracle asked, or given more room."""
        if self.rng.random() < 0.15:
            self.twin.grow(self.rng.choice((0, 2, 5, 20, self.twin.ours.oracle.cardinality_next + 1)))
        self.twin.observe(
            self.rng.choice((0, 1, 12, self.rng.randrange(10_000), self.rng.randrange(10_000_000)))
        )
        _, lower, upper = self._range(fresh=0.1)
        self.twin.cumulatives_inside(lower, upper)
        return set(), set()

    def _log_uniform(self, bits: int) -> int:
        return self.rng.getrandbits(self.rng.randint(1, bits)) or 1

    def _touched(self, owner: int, lower: int, upper: int) -> tuple[set[int], set[tuple[str, int, int]]]:
        return {lower, upper}, {(self.twin.exchange.payers[owner], lower, upper)}

    def _range(self, *, fresh: float) -> tuple[int, int, int]:
        """An existing range, or, with that probability, a new one: near the price, wide, at an end, or impossible."""
        rng, pool = self.rng, self.twin.ours
        if self.ranges and rng.random() >= fresh:
            return rng.choice(self.ranges)
        spacing = pool.tick_spacing
        low, high = -(MAX_TICK // spacing), MAX_TICK // spacing
        here = pool.tick // spacing
        width = rng.choice((1, 3, 40, 700))
        near = here + rng.randint(-width, width)
        lower, upper = rng.choice(
            (
                (near, near + rng.randint(1, width)),
                (near, near + rng.randint(1, width)),
                (low, high),
                (low, near),
                (near, high),
                (low, low + 1),
                (high - 1, high),
            )
        )
        lower, upper = (min(max(tick, low), high) * spacing for tick in (lower, upper))
        if rng.random() < 0.06:
            lower, upper = rng.choice(
                (
                    (lower + 1, upper),
                    (upper, lower),
                    (lower, MAX_TICK + 1),
                    (MIN_TICK - 1, upper),
                    (lower, lower),
                )
            )
        return rng.randrange(len(self.twin.exchange.payers)), lower, upper

    def _just_enough(self, limit_x96: int, *, zero_for_one: bool) -> int:
        """The input or the output that takes the price exactly to a limit, or one unit more or less; 0 if none does."""
        try:
            result = self.twin.ours.quote(
                zero_for_one=zero_for_one, amount_specified=(1 << 255) - 1, sqrt_price_limit_x96=limit_x96
            )
        except AmmRevert:
            return 0
        return self.rng.choice((result.amount0, result.amount1)) + self.rng.choice((-1, 0, 0, 1))

    @staticmethod
    def _end(zero_for_one: bool) -> int:
        return MIN_SQRT_RATIO + 1 if zero_for_one else MAX_SQRT_RATIO - 1

    def _limit(self, *, zero_for_one: bool) -> int:
        rng, pool = self.rng, self.twin.ours
        end = self._end(zero_for_one)
        sign = -1 if zero_for_one else 1
        tick = pool.tick + sign * rng.randint(0, rng.choice((3, 300, 30_000)))
        spaced = tick // pool.tick_spacing * pool.tick_spacing
        somewhere = get_sqrt_ratio_at_tick(min(max(rng.choice((tick, spaced)), MIN_TICK), MAX_TICK))
        close = pool.sqrt_price_x96 + sign * rng.choice((0, 1, 2, self._log_uniform(60)))
        return rng.choice((end, end, somewhere, somewhere, somewhere + rng.randint(-1, 1), close))
