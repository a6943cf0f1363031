"""A Uniswap v2 pair, exact to the last unit (UniswapV2Pair, with UniswapV2Library's quotes).

The pair knows how many tokens it holds, since whatever it holds beyond its reserves counts as paid in.
"""

from math import isqrt
from typing import Final, NamedTuple

from defai.amm.errors import AmmRevert
from defai.amm.full_math import MAX_UINT256, to_uint256

MINIMUM_LIQUIDITY: Final = 1000
"""Liquidity that the first mint locks away for ever."""
NOBODY: Final = "0x" + "00" * 20
"""The zero address, which holds the locked liquidity."""

_MAX_RESERVE: Final = (1 << 112) - 1


def get_amount_out(amount_in: int, reserve_in: int, reserve_out: int) -> int:
    """What an exact input buys, the fee of 0.3 % taken off, rounded down.

    Raises:
        AmmRevert: 'UniswapV2Library: INSUFFICIENT_INPUT_AMOUNT' or 'UniswapV2Library: INSUFFICIENT_LIQUIDITY'.
    """
    if amount_in <= 0:
        raise AmmRevert("UniswapV2Library: INSUFFICIENT_INPUT_AMOUNT")
    if reserve_in <= 0 or reserve_out <= 0:
        raise AmmRevert("UniswapV2Library: INSUFFICIENT_LIQUIDITY")
    with_fee = _mul(amount_in, 997)
    return _mul(with_fee, reserve_out) // _add(_mul(reserve_in, 1000), with_fee)


def get_amount_in(amount_out: int, reserve_in: int, reserve_out: int) -> int:
    """What an exact output costs, the fee of 0.3 % included, rounded up (by one where it divides evenly, too).

    Raises:
        AmmRevert: 'UniswapV2Library: INSUFFICIENT_OUTPUT_AMOUNT' or 'UniswapV2Library: INSUFFICIENT_LIQUIDITY',
            'ds-math-sub-underflow' or '' where the pair doesn't hold the amount.
    """
    if amount_out <= 0:
        raise AmmRevert("UniswapV2Library: INSUFFICIENT_OUTPUT_AMOUNT")
    if reserve_in <= 0 or reserve_out <= 0:
        raise AmmRevert("UniswapV2Library: INSUFFICIENT_LIQUIDITY")
    numerator = _mul(_mul(reserve_in, amount_out), 1000)
    if amount_out > reserve_out:
        raise AmmRevert("ds-math-sub-underflow")
    if amount_out == reserve_out:
        raise AmmRevert("", "The whole reserve can't be bought.")
    return numerator // ((reserve_out - amount_out) * 997) + 1


class V2PairSnapshot(NamedTuple):
    """Everything that changes in a pair, at one moment. Don't change its parts."""

    numbers: tuple[int, ...]
    liquidity: dict[str, int]


class V2Pair:
    """A pair. A refusal raises `AmmRevert` with the contract's reason and leaves the pair as it was.

    Args:
        fee_to: who gets the protocol's sixth of the growth, if anyone.

    Attributes:
        reserve0: token0 the pair reckons with.
        reserve1: token1 the pair reckons with.
        balance0: token0 the pair holds; more than the reserve where someone gave it some.
        balance1: token1 the pair holds.
        total_supply: all liquidity.
        liquidity_of: liquidity by owner.
        price0_cumulative_x112: the sum of token1 per token0 times seconds, in UQ112.112, wrapping at 256 bits.
        price1_cumulative_x112: the sum of token0 per token1 times seconds.
        k_last: the product of the reserves after the latest mint or burn; 0 while the protocol takes nothing.
        timestamp: the time of the latest operation that counted time, in seconds.
    """

    __slots__ = (
        "balance0",
        "balance1",
        "fee_to",
        "k_last",
        "liquidity_of",
        "price0_cumulative_x112",
        "price1_cumulative_x112",
        "reserve0",
        "reserve1",
        "timestamp",
        "total_supply",
    )

    def __init__(self, fee_to: str | None = None) -> None:
        self.fee_to = fee_to
        self.liquidity_of: dict[str, int] = {}
        self._set_numbers((0,) * 9)

    def mint(self, owner: str, amount0: int, amount1: int, timestamp: int | None = None) -> int:
        """Pay both tokens in and get liquidity for the scarcer one.

        Returns:
            The liquidity minted.

        Raises:
            AmmRevert: 'ds-math-sub-underflow' or 'UniswapV2: INSUFFICIENT_LIQUIDITY_MINTED' for too little,
                'UniswapV2: OVERFLOW' for too much.
        """
        balance0, balance1 = self._received(amount0, amount1)
        paid0, paid1 = balance0 - self.reserve0, balance1 - self.reserve1
        protocol = self._protocol_liquidity()
        supply = self.total_supply + protocol
        if supply:
            minted = min(_mul(paid0, supply) // self.reserve0, _mul(paid1, supply) // self.reserve1)
        else:
            minted = isqrt(_mul(paid0, paid1)) - MINIMUM_LIQUIDITY
            if minted < 0:
                raise AmmRevert("ds-math-sub-underflow")
        if minted <= 0:
            raise AmmRevert("UniswapV2: INSUFFICIENT_LIQUIDITY_MINTED")
        _check_reserves(balance0, balance1)
        if not supply:
            self._credit(NOBODY, MINIMUM_LIQUIDITY)
        self._credit_protocol(protocol)
        self._credit(owner, minted)
        self._update(balance0, balance1, timestamp)
        self.k_last = balance0 * balance1 if self.fee_to else 0
        return minted

    def burn(self, owner: str, liquidity: int, timestamp: int | None = None) -> tuple[int, int]:
        """Give liquidity back for its share of what the pair holds.

        Returns:
            Token0 and token1 paid out, rounded down.

        Raises:
            AmmRevert: 'ds-math-sub-underflow' where the owner has less, 'UniswapV2: INSUFFICIENT_LIQUIDITY_BURNED'
                where the share is nothing.
        """
        if liquidity > self.liquidity_of.get(owner, 0):
            raise AmmRevert("ds-math-sub-underflow")
        protocol = self._protocol_liquidity()
        supply = self.total_supply + protocol
        if not supply:
            raise AmmRevert("", "The pair holds nothing yet.")
        amount0 = _mul(liquidity, self.balance0) // supply
        amount1 = _mul(liquidity, self.balance1) // supply
        if amount0 <= 0 or amount1 <= 0:
            raise AmmRevert("UniswapV2: INSUFFICIENT_LIQUIDITY_BURNED")
        _check_reserves(self.balance0 - amount0, self.balance1 - amount1)
        self._credit_protocol(protocol)
        self._credit(owner, -liquidity)
        self._update(self.balance0 - amount0, self.balance1 - amount1, timestamp)
        self.k_last = self.reserve0 * self.reserve1 if self.fee_to else 0
        return amount0, amount1

    def swap(
        self,
        *,
        amount0_in: int = 0,
        amount1_in: int = 0,
        amount0_out: int = 0,
        amount1_out: int = 0,
        timestamp: int | None = None,
    ) -> None:
        """Pay in and take out, as long as the product of the reserves, less the fee, doesn't fall.

        Raises:
            AmmRevert: 'UniswapV2: INSUFFICIENT_OUTPUT_AMOUNT', 'UniswapV2: INSUFFICIENT_LIQUIDITY',
                'UniswapV2: INSUFFICIENT_INPUT_AMOUNT', 'UniswapV2: K' or 'UniswapV2: OVERFLOW'.
        """
        if amount0_out <= 0 and amount1_out <= 0:
            raise AmmRevert("UniswapV2: INSUFFICIENT_OUTPUT_AMOUNT")
        if amount0_out >= self.reserve0 or amount1_out >= self.reserve1:
            raise AmmRevert("UniswapV2: INSUFFICIENT_LIQUIDITY")
        received0, received1 = self._received(amount0_in, amount1_in)
        balance0, balance1 = received0 - to_uint256(amount0_out), received1 - to_uint256(amount1_out)
        paid0 = max(balance0 - (self.reserve0 - amount0_out), 0)
        paid1 = max(balance1 - (self.reserve1 - amount1_out), 0)
        if not paid0 and not paid1:
            raise AmmRevert("UniswapV2: INSUFFICIENT_INPUT_AMOUNT")
        product = _mul(_mul(balance0, 1000) - _mul(paid0, 3), _mul(balance1, 1000) - _mul(paid1, 3))
        if product < self.reserve0 * self.reserve1 * 1_000_000:
            raise AmmRevert("UniswapV2: K")
        _check_reserves(balance0, balance1)
        self._update(balance0, balance1, timestamp)

    def swap_exact_in(self, *, zero_for_one: bool, amount_in: int, timestamp: int | None = None) -> int:
        """Swap as the router does: pay exactly this in, take out what `get_amount_out` says.

        Raises:
            AmmRevert: what `get_amount_out` and `swap` raise.
        """
        if zero_for_one:
            amount_out = get_amount_out(amount_in, self.reserve0, self.reserve1)
            self.swap(amount0_in=amount_in, amount1_out=amount_out, timestamp=timestamp)
        else:
            amount_out = get_amount_out(amount_in, self.reserve1, self.reserve0)
            self.swap(amount1_in=amount_in, amount0_out=amount_out, timestamp=timestamp)
        return amount_out

    def donate(self, amount0: int, amount1: int) -> None:
        """Hand tokens over without an operation; the next mint or swap counts them as paid in."""
        self.balance0, self.balance1 = self._received(amount0, amount1)

    def skim(self) -> tuple[int, int]:
        """Pay out what the pair holds beyond its reserves."""
        excess = self.balance0 - self.reserve0, self.balance1 - self.reserve1
        self.balance0, self.balance1 = self.reserve0, self.reserve1
        return excess

    def sync(self, timestamp: int | None = None) -> None:
        """Make the reserves what the pair holds.

        Raises:
            AmmRevert: 'UniswapV2: OVERFLOW' where that needs more than 112 bits.
        """
        _check_reserves(self.balance0, self.balance1)
        self._update(self.balance0, self.balance1, timestamp)

    def snapshot(self) -> V2PairSnapshot:
        """The whole state, to come back to with `restore`."""
        numbers = (
            *(self.reserve0, self.reserve1, self.balance0, self.balance1, self.total_supply, self.k_last),
            *(self.price0_cumulative_x112, self.price1_cumulative_x112, self.timestamp),
        )
        return V2PairSnapshot(numbers, self.liquidity_of.copy())

    def restore(self, snapshot: V2PairSnapshot) -> None:
        """Bring back the state of a snapshot, exactly."""
        self._set_numbers(snapshot.numbers)
        self.liquidity_of = snapshot.liquidity.copy()

    def copy(self) -> "V2Pair":
        """An independent pair in the same state."""
        new = V2Pair(self.fee_to)
        new.restore(self.snapshot())
        return new

    def _set_numbers(self, numbers: tuple[int, ...]) -> None:
        self.reserve0, self.reserve1, self.balance0, self.balance1, self.total_supply, self.k_last = numbers[
            :6
        ]
        self.price0_cumulative_x112, self.price1_cumulative_x112, self.timestamp = numbers[6:]

    def _received(self, amount0: int, amount1: int) -> tuple[int, int]:
        return _add(self.balance0, to_uint256(amount0)), _add(self.balance1, to_uint256(amount1))

    def _protocol_liquidity(self) -> int:
        """A sixth of the growth of the root of the product since the latest mint or burn, as liquidity."""
        if not self.fee_to or not self.k_last:
            return 0
        root, root_last = isqrt(self.reserve0 * self.reserve1), isqrt(self.k_last)
        if root <= root_last:
            return 0
        return _mul(self.total_supply, root - root_last) // (root * 5 + root_last)

    def _credit_protocol(self, liquidity: int) -> None:
        if self.fee_to and liquidity:
            self._credit(self.fee_to, liquidity)

    def _credit(self, owner: str, liquidity: int) -> None:
        self.liquidity_of[owner] = self.liquidity_of.get(owner, 0) + liquidity
        self.total_supply += liquidity

    def _update(self, balance0: int, balance1: int, timestamp: int | None) -> None:
        now = self.timestamp if timestamp is None else timestamp
        seconds = (now - self.timestamp) & 0xFFFFFFFF
        if seconds and self.reserve0 and self.reserve1:
            price0_x112 = (self.reserve1 << 112) // self.reserve0
            price1_x112 = (self.reserve0 << 112) // self.reserve1
            self.price0_cumulative_x112 = (self.price0_cumulative_x112 + price0_x112 * seconds) & MAX_UINT256
            self.price1_cumulative_x112 = (self.price1_cumulative_x112 + price1_x112 * seconds) & MAX_UINT256
        self.timestamp = now
        self.reserve0 = self.balance0 = balance0
        self.reserve1 = self.balance1 = balance1


def _check_reserves(balance0: int, balance1: int) -> None:
    if balance0 > _MAX_RESERVE or balance1 > _MAX_RESERVE:
        raise AmmRevert("UniswapV2: OVERFLOW")


def _mul(a: int, b: int) -> int:
    product = a * b
    if product > MAX_UINT256:
        raise AmmRevert("ds-math-mul-overflow")
    return product


def _add(a: int, b: int) -> int:
    total = a + b
    if total > MAX_UINT256:
        raise AmmRevert("ds-math-add-overflow")
    return total
