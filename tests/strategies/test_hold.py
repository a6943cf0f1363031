"""Hold: the baseline that does nothing, whatever happens."""

from defai.domain.decisions import Action
from defai.testing.bars import walking_bars
from tests.strategies.scenes import both, dry, equity_usd, held, live_through, newborn


def test_it_holds_whatever_it_is_shown() -> None:
    for ctx in (both(), newborn(both()), dry(both()), both(apart=5_000)):
        assert "keeps its USDC and WETH" in held("hold", ctx)


async def test_a_run_ends_with_what_it_began() -> None:
    bars = walking_bars(120, seed=2)
    one = await live_through("hold", bars)
    assert {decision.action for decision in one.decisions} == {Action.HOLD}
    price = 10**12 / 1.0001 ** int(bars.close_tick[-1])
    paid = one.curve.gas_raw[-1] / 10**6
    assert abs(equity_usd(one) + paid - (10_000 + 5 * price)) < 2
