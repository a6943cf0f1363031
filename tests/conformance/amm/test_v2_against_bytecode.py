"""Random operations done to the real v2 pair bytecode and to ours must agree in everything."""

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from defai.amm import AmmRevert, V2Pair
from defai.amm.v2_pair import NOBODY, get_amount_in, get_amount_out
from tests.conformance.amm.evm import CONTRACTS, DEPLOYER, START_TIME, EvmRevertError
from tests.conformance.amm.twin import Exchange

pytestmark = pytest.mark.skipif(
    not CONTRACTS.exists(), reason="Uniswap's artifacts are not fetched; run `make setup`"
)

FEE_TO = "0x" + "fe" * 20


class V2Twin:
    """One pair, twice."""

    def __init__(self, *, fee_to: str | None) -> None:
        self.exchange = Exchange()
        self.evm = self.exchange.evm
        factory = self.evm.deploy("v2-core/build/UniswapV2Factory.json", DEPLOYER)
        if fee_to:
            self.evm.call(factory, "setFeeTo(address)", fee_to)
        answer = self.evm.call(factory, "createPair(address,address)", *self.exchange.tokens)
        self.address = f"0x{answer[0]:040x}"
        self.ours = V2Pair(fee_to)
        self.owners = [*self.exchange.payers, NOBODY, *([fee_to] if fee_to else [])]
        self.now = START_TIME
        self.outcomes: Counter[str] = Counter()

    def wait(self, seconds: int) -> None:
        self.now += seconds
        self.evm.at(self.now)

    def transfer(self, amount0: int, amount1: int) -> None:
        for token, amount in zip(self.exchange.tokens, (amount0, amount1), strict=True):
            if amount:
                self.evm.call(
                    token, "transfer(address,uint256)", self.address, amount, via=self.exchange.payers[0]
                )

    def mint(self, owner: int, amount0: int, amount1: int) -> None:
        payer = self.exchange.payers[owner]

        def theirs() -> list[int]:
            self.transfer(amount0, amount1)
            return self.evm.call(self.address, "mint(address)", payer)

        self._both(lambda: [self.ours.mint(payer, amount0, amount1, self.now)], theirs)

    def burn(self, owner: int, liquidity: int) -> None:
        payer = self.exchange.payers[owner]

        def theirs() -> list[int]:
            self.evm.call(self.address, "transfer(address,uint256)", self.address, liquidity, via=payer)
            return self.evm.call(self.address, "burn(address)", payer)

        self._both(lambda: [*self.ours.burn(payer, liquidity, self.now)], theirs)

    def swap(self, amounts_in: tuple[int, int], amounts_out: tuple[int, int]) -> None:
        def ours() -> list[int]:
            self.ours.swap(
                amount0_in=amounts_in[0],
                amount1_in=amounts_in[1],
                amount0_out=amounts_out[0],
                amount1_out=amounts_out[1],
                timestamp=self.now,
            )
            return []

        def theirs() -> list[int]:
            self.transfer(*amounts_in)
            signature = "swap(uint256,uint256,address,bytes)"
            return self.evm.call(self.address, signature, *amounts_out, self.exchange.payers[1], 0x80, 0)

        self._both(ours, theirs)

    def donate(self, amount0: int, amount1: int) -> None:
        self.transfer(amount0, amount1)
        self.ours.donate(amount0, amount1)

    def skim(self) -> None:
        self.evm.call(self.address, "skim(address)", self.exchange.payers[2])
        self.ours.skim()

    def sync(self) -> None:
        def ours() -> list[int]:
            self.ours.sync(self.now)
            return []

        self._both(ours, lambda: self.evm.call(self.address, "sync()"))

    def check(self) -> None:
        def call(signature: str, *arguments: str) -> int:
            return self.evm.call(self.address, signature, *arguments)[0]

        ours = self.ours
        reserve0, reserve1, timestamp = self.evm.call(self.address, "getReserves()")
        assert (reserve0, reserve1) == (ours.reserve0, ours.reserve1)
        assert timestamp == ours.timestamp or not ours.total_supply
        balances = [
            self.evm.call(token, "balanceOf(address)", self.address)[0] for token in self.exchange.tokens
        ]
        assert balances == [ours.balance0, ours.balance1]
        assert call("totalSupply()") == ours.total_supply
        assert call("kLast()") == ours.k_last
        assert call("price0CumulativeLast()") == ours.price0_cumulative_x112
        assert call("price1CumulativeLast()") == ours.price1_cumulative_x112
        for owner in self.owners:
            assert call("balanceOf(address)", owner) == ours.liquidity_of.get(owner, 0)

    def _both(self, ours: Callable[[], list[int]], theirs: Callable[[], list[int]]) -> None:
        before, checkpoint = self.ours.snapshot(), self.evm.machine.snapshot()
        reason = expected_reason = None
        answer, expected = [], []
        try:
            answer = ours()
        except AmmRevert as revert:
            reason = revert.reason
            assert self.ours.snapshot() == before
        try:
            expected = theirs()
        except EvmRevertError as revert:
            expected_reason = revert.reason
            self.evm.machine.revert(checkpoint)
        assert (answer, reason) == (expected, expected_reason)
        self.outcomes[reason or "done"] += 1


def run(seed: int, operations: int, *, fee_to: str | None) -> V2Twin:
    twin, rng = V2Twin(fee_to=fee_to), Random(seed)  # noqa: S311  a test that can be repeated, no secret
    bits = 60

    def size() -> int:
        return rng.getrandbits(rng.randint(1, rng.choice((bits, bits, 113))))

    for _ in range(operations):
        twin.wait(rng.choice((0, 1, 12, rng.randrange(1 << 20))))
        owner = rng.randrange(3)
        action = rng.choice(("mint", "mint", "burn", "burn", "swap", "swap", "swap", "swap", "swap", "other"))
        if action == "mint":
            twin.mint(owner, size(), size())
        elif action == "burn":
            held = twin.ours.liquidity_of.get(twin.exchange.payers[owner], 0)
            twin.burn(owner, rng.choice((held, held // 2, rng.randint(0, held), held + 1)))
        elif action == "swap":
            swap(twin, rng, size())
        else:
            rng.choice((lambda: twin.donate(size() % (1 << 40), size() % (1 << 40)), twin.skim, twin.sync))()
        twin.check()
    return twin


def swap(twin: V2Twin, rng: Random, amount: int) -> None:
    """The most that an amount buys, or one more, or something arbitrary."""
    zero_for_one = rng.random() < 0.5
    reserves = (twin.ours.reserve0, twin.ours.reserve1)[:: 1 if zero_for_one else -1]
    try:
        out = get_amount_out(amount, *reserves) + rng.choice((0, 0, 0, 1, -1))
    except AmmRevert:
        out = amount
    out = max(out, 0) if rng.random() < 0.9 else rng.choice((0, reserves[1], amount))
    twin.swap((amount, 0), (0, out)) if zero_for_one else twin.swap((0, amount), (out, 0))


@pytest.mark.parametrize("fee_to", [None, FEE_TO])
def test_random_operations_on_a_pair_agree_with_the_bytecode(fee_to: str | None) -> None:
    twin = run(3, 150, fee_to=fee_to)

    assert twin.outcomes["done"] > 50
    assert twin.outcomes["UniswapV2: K"] > 0


@pytest.mark.long
@pytest.mark.parametrize("fee_to", [None, FEE_TO])
@pytest.mark.parametrize("seed", range(5))
def test_ten_thousand_operations_on_a_pair_agree_with_the_bytecode(seed: int, fee_to: str | None) -> None:
    run(50 + seed, 1000, fee_to=fee_to)


def test_the_cheapest_input_is_the_one_quoted() -> None:
    twin = V2Twin(fee_to=None)
    twin.mint(0, 10**18, 3 * 10**12)
    cost = get_amount_in(10**9, 10**18, 3 * 10**12)
    twin.swap((cost - 2, 0), (0, 10**9))
    twin.swap((cost, 0), (0, 10**9))
    twin.check()

    assert twin.outcomes == {"done": 2, "UniswapV2: K": 1}
