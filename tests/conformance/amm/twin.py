"""A pool of ours and the real bytecode, side by side: every operation is done to both and compared."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, NamedTuple

from eth_hash.auto import keccak

from defai.amm import AmmRevert, Pool
from tests.conformance.amm.evm import START_TIME, Evm, EvmRevertError, signed, words

SUPPLY: Final = 1 << 255
_FACTORY: Final = "v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json"
_ERC20: Final = "v2-core/build/ERC20.json"


class Exchange:
    """The factory, two tokens and some payers, in one EVM.

    Args:
        payers: how many.
        evm: where; in this process, unless another one is given.
    """

    def __init__(self, payers: int = 3, evm: Evm | None = None) -> None:
        self.evm = evm or Evm()
        self.factory = self.evm.deploy(_FACTORY)
        self.tokens = sorted(
            (self.evm.deploy(_ERC20, SUPPLY), self.evm.deploy(_ERC20, SUPPLY)),
            key=lambda token: int(token, 16),
        )
        self.payers = [self.evm.deploy_payer() for _ in range(payers)]
        for token in self.tokens:
            for payer in self.payers:
                self.evm.call(token, "transfer(address,uint256)", payer, SUPPLY // payers)

    def create_pool(self, fee_pips: int, tick_spacing: int) -> str:
        """A new pool, with a fee the factory may not know yet."""
        known = self.evm.call(self.factory, "feeAmountTickSpacing(uint24)", fee_pips)[0]
        if not known:
            self.evm.call(self.factory, "enableFeeAmount(uint24,int24)", fee_pips, tick_spacing)
        answer = self.evm.call(self.factory, "createPool(address,address,uint24)", *self.tokens, fee_pips)
        return f"0x{answer[0]:040x}"


class Outcome(NamedTuple):
    """What an operation gave, or the reason why it was refused."""

    amounts: tuple[int, ...]
    reverted: str | None = None


class Twin:
    """One pool, twice.

    Args:
        exchange: where the real one is created.
        fee_pips: the fee.
        tick_spacing: the tick spacing; the factory knows only one for a fee.
    """

    def __init__(self, exchange: Exchange, *, fee_pips: int, tick_spacing: int) -> None:
        self.exchange = exchange
        self.evm = exchange.evm
        self.address = exchange.create_pool(fee_pips, tick_spacing)
        self.ours = Pool(fee_pips=fee_pips, tick_spacing=tick_spacing)
        self.now = START_TIME
        self.evm.at(self.now)
        self.outcomes: dict[tuple[str, str | None], int] = {}

    def wait(self, seconds: int) -> None:
        """Let time pass for both."""
        self.now += seconds
        self.evm.at(self.now)

    def initialize(self, sqrt_price_x96: int) -> Outcome:
        """Set the first price."""
        return self._both(
            "initialize",
            lambda: (self.ours.initialize(sqrt_price_x96, self.now),)[:0],
            lambda: self.evm.call(self.address, "initialize(uint160)", sqrt_price_x96),
        )

    def swap(self, *, zero_for_one: bool, amount_specified: int, limit_x96: int) -> Outcome:
        """Swap."""

        def ours() -> tuple[int, int]:
            quoted = self._quoted(zero_for_one, amount_specified, limit_x96)
            result = self.ours.swap(
                zero_for_one=zero_for_one,
                amount_specified=amount_specified,
                sqrt_price_limit_x96=limit_x96,
                timestamp=self.now,
            )
            assert result == quoted
            return result.amount0, result.amount1

        return self._both(
            "swap",
            ours,
            lambda: self.evm.call(
                self.address,
                "swap(address,bool,int256,uint160,bytes)",
                *(
                    self.exchange.payers[0],
                    int(zero_for_one),
                    amount_specified,
                    limit_x96,
                    0xA0,
                    self._payment(),
                ),
                via=self.exchange.payers[0],
            ),
        )

    def mint(self, owner: int, tick_lower: int, tick_upper: int, liquidity: int) -> Outcome:
        """Add liquidity to a payer's position."""
        payer = self.exchange.payers[owner]
        return self._both(
            "mint",
            lambda: self.ours.mint(payer, tick_lower, tick_upper, liquidity, self.now),
            lambda: self.evm.call(
                self.address,
                "mint(address,int24,int24,uint128,bytes)",
                *(payer, tick_lower, tick_upper, liquidity, 0xA0, self._payment()),
                via=payer,
            ),
        )

    def burn(self, owner: int, tick_lower: int, tick_upper: int, liquidity: int) -> Outcome:
        """Take liquidity from a payer's position."""
        payer = self.exchange.payers[owner]
        return self._both(
            "burn",
            lambda: self.ours.burn(payer, tick_lower, tick_upper, liquidity, self.now),
            lambda: self.evm.call(
                self.address, "burn(int24,int24,uint128)", tick_lower, tick_upper, liquidity, via=payer
            ),
        )

    def collect(self, owner: int, tick_lower: int, tick_upper: int, amount0: int, amount1: int) -> Outcome:
        """Collect what a payer's position is owed."""
        payer = self.exchange.payers[owner]
        return self._both(
            "collect",
            lambda: self.ours.collect(payer, tick_lower, tick_upper, amount0, amount1),
            lambda: self.evm.call(
                self.address,
                "collect(address,int24,int24,uint128,uint128)",
                *(payer, tick_lower, tick_upper, amount0, amount1),
                via=payer,
            ),
        )

    def flash(self, amount0: int, amount1: int, gift0: int, gift1: int) -> Outcome:
        """Borrow at most what is there, and pay back the loan with `gift` more (or, negative, less) than the fee."""
        payer = self.exchange.payers[0]
        amount0, amount1 = (
            min(amount, held) for amount, held in zip((amount0, amount1), self.balances(), strict=True)
        )
        paid0, paid1 = (
            max(loan + -(-loan * self.ours.fee_pips // 1_000_000) + gift, 0) - loan
            for loan, gift in ((amount0, gift0), (amount1, gift1))
        )

        def ours() -> tuple[()]:
            self.ours.flash(amount0, amount1, paid0=paid0, paid1=paid1)
            return ()

        return self._both(
            "flash",
            ours,
            lambda: self.evm.call(
                self.address,
                "flash(address,uint256,uint256,bytes)",
                *(payer, amount0, amount1, 0x80, self._payment(amount0 + gift0, amount1 + gift1)),
                via=payer,
            ),
        )

    def balances(self) -> tuple[int, int]:
        """The tokens that the real pool holds."""
        token0, token1 = (
            self.evm.call(token, "balanceOf(address)", self.address)[0] for token in self.exchange.tokens
        )
        return token0, token1

    def set_fee_protocol(self, fee_protocol0: int, fee_protocol1: int) -> Outcome:
        """Set the protocol's share."""

        def ours() -> tuple[()]:
            self.ours.set_fee_protocol(fee_protocol0, fee_protocol1)
            return ()

        return self._both(
            "set_fee_protocol",
            ours,
            lambda: self.evm.call(self.address, "setFeeProtocol(uint8,uint8)", fee_protocol0, fee_protocol1),
        )

    def collect_protocol(self, amount0: int, amount1: int) -> Outcome:
        """Pay the protocol out."""
        return self._both(
            "collect_protocol",
            lambda: self.ours.collect_protocol(amount0, amount1),
            lambda: self.evm.call(
                self.address,
                "collectProtocol(address,uint128,uint128)",
                self.exchange.factory,
                amount0,
                amount1,
            ),
        )

    def grow(self, cardinality_next: int) -> Outcome:
        """Make room for observations."""

        def ours() -> tuple[()]:
            self.ours.increase_observation_cardinality_next(cardinality_next)
            return ()

        return self._both(
            "grow",
            ours,
            lambda: self.evm.call(
                self.address, "increaseObservationCardinalityNext(uint16)", cardinality_next
            ),
        )

    def observe(self, seconds_ago: int) -> Outcome:
        """Ask the oracle."""

        def theirs() -> list[int]:
            answer = self.evm.call(self.address, "observe(uint32[])", 0x20, 1, seconds_ago)
            return [signed(answer[3], 56), answer[5]]

        return self._both("observe", lambda: self.ours.observe([seconds_ago], self.now)[0], theirs)

    def cumulatives_inside(self, tick_lower: int, tick_upper: int) -> Outcome:
        """Ask the oracle about a range."""
        return self._both(
            "cumulatives_inside",
            lambda: self.ours.snapshot_cumulatives_inside(tick_lower, tick_upper, self.now),
            lambda: self.evm.call(
                self.address, "snapshotCumulativesInside(int24,int24)", tick_lower, tick_upper
            ),
        )

    def check_state(self, ticks: Iterable[int], positions: Iterable[tuple[str, int, int]]) -> None:
        """Compare what the contract has in storage: the pool's own fields, and some ticks and positions."""
        ours, call = self.ours, partial(self.evm.call, self.address)
        slot0 = call("slot0()")
        oracle = ours.oracle
        assert [slot0[0], signed(slot0[1]), *slot0[2:6]] == [
            *(ours.sqrt_price_x96, ours.tick, oracle.index, oracle.cardinality, oracle.cardinality_next),
            ours.fee_protocol,
        ]
        assert call("liquidity()") == [ours.liquidity]
        assert call("feeGrowthGlobal0X128()") == [ours.fee_growth_global0_x128]
        assert call("feeGrowthGlobal1X128()") == [ours.fee_growth_global1_x128]
        assert call("protocolFees()") == [ours.protocol_fees0, ours.protocol_fees1]
        for tick in ticks:
            state = ours.ticks.get(tick, (0,) * 7)
            theirs = call("ticks(int24)", tick)
            assert [theirs[0], signed(theirs[1]), *theirs[2:4], signed(theirs[4]), *theirs[5:]] == [
                *state,
                int(tick in ours.ticks),
            ]
        for key in positions:
            packed = bytes.fromhex(key[0][2:]) + b"".join(
                (tick % (1 << 24)).to_bytes(3, "big") for tick in key[1:]
            )
            theirs = call("positions(bytes32)", keccak(packed))
            assert theirs == list(ours.positions.get(key, (0,) * 5)), key

    def check_everything(self) -> None:
        """Compare all there is: every tick, bitmap word, position and observation."""
        self.check_state(self.ours.ticks, self.ours.positions)
        spacing = self.ours.tick_spacing
        for position in range(
            (-887272 // spacing) >> 8, ((887272 // spacing) >> 8) + 1, max(1, 64 // spacing)
        ):
            word = self.evm.call(self.address, "tickBitmap(int16)", position)[0]
            assert word == self.ours.tick_map.words.get(position, 0)
        for index, observation in enumerate(self.ours.oracle.observations):
            theirs = self.evm.call(self.address, "observations(uint256)", index)
            assert [theirs[0], signed(theirs[1]), *theirs[2:]] == list(observation)

    def _quoted(self, zero_for_one: bool, amount_specified: int, limit_x96: int) -> object:
        before = self.ours.snapshot()
        quoted = self.ours.quote(
            zero_for_one=zero_for_one, amount_specified=amount_specified, sqrt_price_limit_x96=limit_x96
        )
        assert self.ours.snapshot() == before
        return quoted

    def _payment(self, extra0: int = 0, extra1: int = 0) -> bytes:
        return words(0x80, *self.exchange.tokens, extra0, extra1)

    def _both(
        self, name: str, ours: Callable[[], tuple[int, ...]], theirs: Callable[[], list[int]]
    ) -> Outcome:
        before = self.ours.snapshot()
        try:
            outcome = Outcome(tuple(ours()))
        except AmmRevert as revert:
            outcome = Outcome((), revert.reason)
            assert self.ours.snapshot() == before, "a refused operation changed the pool"
        try:
            expected = Outcome(tuple(signed(word) for word in theirs()))
        except EvmRevertError as revert:
            expected = Outcome((), revert.reason)
        assert outcome == expected, f"{name}: ours {outcome}, the bytecode {expected}"
        key = (name, outcome.reverted)
        self.outcomes[key] = self.outcomes.get(key, 0) + 1
        return outcome
