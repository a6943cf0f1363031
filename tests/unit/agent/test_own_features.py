"""An author's own feature that fails or never ends stops his agent, and nobody else."""

import re
from pathlib import Path

import pytest

from defai.agent.desk import Desk
from defai.agent.outlook import Outlook
from defai.chain.mainnet import USDC, USDC_WETH_005, WETH
from defai.market.valuation import Valuation
from defai.portfolio.ledger import Portfolio
from defai.risk.limits import Limits
from defai.strategy.registry import load
from defai.testing.builders import market_of, next_block, pool_with_liquidity
from defai.time_limit import TimeLimit

OWN = '''
from defai.features import Past, feature
from defai.strategy.api import Context, Hold, Intent, Strategy


@feature("own_{what}", version=1, unit="ticks", warm_up=2, source="made up")
def {what}(past: Past) -> int:
    """Made up."""
    {body}


class Own(Strategy):
    """Has a feature of its own."""

    def features(self): return ("own_{what}",)

    def decide(self, ctx: Context) -> Intent:
        return Hold(reason=str(ctx.features))
'''


def outlook_of(folder: Path, what: str, body: str) -> Outlook:
    (folder / f"{what}.py").write_text(OWN.replace("{what}", what).replace("{body}", body))
    names = load(f"{folder / what}.py:Own").strategy.features()
    market = market_of({USDC_WETH_005: pool_with_liquidity()})
    for _ in range(4):
        market.apply(next_block(market))
    balances = {USDC.address: 10**10, WETH.address: 10**18}
    desk = Desk(market, Valuation(USDC_WETH_005, USDC), Portfolio.opening(balances), Limits(), lambda _: ())
    return Outlook("own", desk, names)


@pytest.mark.parametrize(
    ("what", "body", "why"),
    [
        ("dividing", "return 1 // 0", r"\(own_dividing\) raised ZeroDivisionError"),
        ("floating", "return 1.5", r"raised TypeError: the feature own_floating gave float, not int"),
        ("leaving", "raise SystemExit(3)", r"\(own_leaving\) raised SystemExit: 3"),
        ("endless", "while True: pass", r"\(own_endless\) took longer than 0.2 s and was interrupted"),
    ],
)
def test_what_it_does_is_told_and_goes_no_further(tmp_path: Path, what: str, body: str, why: str) -> None:
    outlook = outlook_of(tmp_path, what, body)
    outlook._limit = TimeLimit(limit_s=0.2)
    context = outlook.context([USDC_WETH_005], None, outlook._desk.valued(), ())
    assert context.features is None
    assert re.search(why, outlook.fault), outlook.fault


def test_one_that_answers_is_shown(tmp_path: Path) -> None:
    outlook = outlook_of(tmp_path, "quiet", "return 7")
    context = outlook.context([USDC_WETH_005], None, outlook._desk.valued(), ())
    assert not outlook.fault
    assert context.features is not None
    assert context.features.values == (7,)
