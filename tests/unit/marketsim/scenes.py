"""A small market to test with: the two tiers of USDC/WETH, in memory."""

from collections.abc import Iterable
from typing import Final

from defai.amm import Pool
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address, Token
from defai.marketsim.actions import MarketAction
from defai.marketsim.execution import perform
from defai.marketsim.generated_prices import generate
from defai.marketsim.market import Market

USDC: Final = Token("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", "USDC", 6)
WETH: Final = Token("0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2", "WETH", 18)
LOW: Final = PoolKey("0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640", USDC, WETH, 500, 10)
HIGH: Final = PoolKey("0x8ad599c3A0ff1De082011EFDDc58f1908eb6e6D8", USDC, WETH, 3000, 60)


def market(seed: int = 1, *, attackers: bool = False) -> Market:
    """A market of both tiers around a generated path."""
    return Market(seed, generate(seed), (LOW, HIGH), quote=USDC, attackers=attackers)


def opened(people: Market) -> dict[Address, Pool]:
    """The market's pools after its opening."""
    pools = {key.address: Pool(fee_pips=key.fee_pips, tick_spacing=key.tick_spacing) for key in people.keys}
    carry_out(people.opening(), pools)
    return pools


def carry_out(actions: Iterable[MarketAction], pools: dict[Address, Pool]) -> None:
    """Do to the pools what the market's people want."""
    for action in actions:
        perform(action, pools[action.pool])


def lived(people: Market, blocks: int) -> tuple[dict[Address, Pool], list[MarketAction]]:
    """The pools after some blocks, and everything that was done in them."""
    pools, done = opened(people), list[MarketAction]()
    for index in range(1, blocks + 1):
        actions = people.actions(index, pools)
        carry_out(actions, pools)
        done += actions
    return pools, done
