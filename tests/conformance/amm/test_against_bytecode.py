"""Random operations done to the real pool bytecode and to ours must agree in everything."""

from contextlib import closing
from random import Random

import pytest

from defai.amm import MAX_SQRT_RATIO, MIN_SQRT_RATIO, get_sqrt_ratio_at_tick
from defai.chain.anvil import Anvil, AnvilOptions
from tests.conformance.amm.anvil_evm import AnvilEvm
from tests.conformance.amm.evm import CONTRACTS, START_TIME, Evm
from tests.conformance.amm.random_operations import Operator
from tests.conformance.amm.twin import Exchange, Twin

pytestmark = pytest.mark.skipif(
    not CONTRACTS.exists(), reason="Uniswap's artifacts are not fetched; run `make setup`"
)

KINDS = [
    (100, 1, get_sqrt_ratio_at_tick(0)),
    (500, 10, 1720033615368495409631536392506644),
    (3000, 60, get_sqrt_ratio_at_tick(-70_000) + 12345),
    (10_000, 200, get_sqrt_ratio_at_tick(880_000)),
    (999_999, 16_383, MAX_SQRT_RATIO - 1),
    (0, 2, MIN_SQRT_RATIO),
]


def run(kind: tuple[int, int, int], seed: int, operations: int, evm: Evm | None = None) -> Twin:
    fee_pips, tick_spacing, start_x96 = kind
    twin = Twin(Exchange(evm=evm), fee_pips=fee_pips, tick_spacing=tick_spacing)
    operator = Operator(twin, Random(seed))  # noqa: S311  a test that can be repeated, no secret
    for early in (
        operator.swap,
        operator.mint,
        operator.burn,
        operator.collect,
        operator.flash,
        operator.look,
    ):
        early()  # an uninitialised pool refuses by name
    twin.initialize(start_x96)
    twin.initialize(start_x96)
    for count in range(operations):
        operator.step()
        if count % 200 == 199:
            twin.check_everything()
    twin.check_everything()
    return twin


@pytest.mark.parametrize(("seed", "kind"), list(enumerate(KINDS)))
def test_random_operations_agree_with_the_bytecode(seed: int, kind: tuple[int, int, int]) -> None:
    twin = run(kind, seed, operations=120)

    assert twin.outcomes["swap", None] > 20
    assert twin.outcomes["mint", None] > 5


async def test_random_operations_agree_with_the_bytecode_on_anvil() -> None:
    """Each one a transaction, mined in a block of its own at the time that is said."""
    options = AnvilOptions(timestamp=START_TIME - 1, extra=("--disable-code-size-limit",))
    async with Anvil(options) as anvil:
        with closing(AnvilEvm(anvil.url)) as evm:
            twin = run(KINDS[1], seed=7, operations=120, evm=evm)

    assert evm.transactions > 80
    assert twin.outcomes["swap", None] > 25
    assert twin.outcomes["mint", None] > 5


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_operations_agree_with_the_bytecode(seed: int, kind: tuple[int, int, int]) -> None:
    run(kind, seed=100 + seed, operations=350)
