"""Where things stand on Ethereum mainnet, and on every stand-in and fork of it."""

from collections.abc import Iterable
from typing import Final

from defai.domain.pool import PoolKey
from defai.domain.tokens import Address, Token

V3_FACTORY: Final[Address] = "0x1F98431c8aD98523631AE4a59f267346ea31F984"
TICK_LENS: Final[Address] = "0xbfd8137f7d1516D3ea5cA83523914859ec47F573"
QUOTER: Final[Address] = "0xb27308f9F90D607463bb33eA1BeBb41C27CE5AB6"
SWAP_ROUTER: Final[Address] = "0xE592427A0AEce92De3Edee1F18E0157C05861564"
NFT_DESCRIPTOR: Final[Address] = "0x42B24A95702b9986e82d421cC3568932790A48Ec"
POSITION_DESCRIPTOR: Final[Address] = "0xEe6A57eC80ea46401049E92587E52f5Ec1c24785"
POSITION_MANAGER: Final[Address] = "0xC36442b4a4522E871399CD717aBDD847Ab11FE88"
QUOTER_V2: Final[Address] = "0x61fFE014bA17989E743c5F6cB21bF9697530B21e"
SWAP_ROUTER_02: Final[Address] = "0x68b3465833fb72A70ecDF485E0e4C7bD8665Fc45"
V2_FACTORY: Final[Address] = "0x5C69bEe701ef814a2B6a3EDD4B1652CB9cc5aA6f"
V2_ROUTER: Final[Address] = "0x7a250d5630B4cF539739dF2C5dAcb4c659F2488D"
MULTICALL3: Final[Address] = "0xcA11bde05977b3631167028862bE2a173976CA11"

USDC: Final = Token("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", "USDC", 6)
USDT: Final = Token("0xdAC17F958D2ee523a2206206994597C13D831ec7", "USDT", 6)
WETH: Final = Token("0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2", "WETH", 18)
TOKENS: Final[tuple[Token, ...]] = (USDC, USDT, WETH)

USDC_WETH_005: Final = PoolKey("0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640", USDC, WETH, 500, 10)
USDC_WETH_030: Final = PoolKey("0x8ad599c3A0ff1De082011EFDDc58f1908eb6e6D8", USDC, WETH, 3000, 60)
POOLS: Final[tuple[PoolKey, ...]] = (USDC_WETH_005, USDC_WETH_030)
"""The pools that are always there."""
USDC_WETH_V2: Final = PoolKey("0xB4e16d0168e52d35CaCD2c6185b44281Ec28C9Dc", USDC, WETH, 3000, 1, version=2)
PAIRS: Final[tuple[PoolKey, ...]] = (USDC_WETH_V2,)
"""Pairs of Uniswap v2 that can be asked for; a market has them where somebody does."""
ALL_POOLS: Final = (*POOLS, *PAIRS)


def pools_with(names: Iterable[str]) -> tuple[PoolKey, ...]:
    """The pools that are always there, and the pairs among these names."""
    wanted = frozenset(names)
    return (*POOLS, *(key for key in PAIRS if key.name in wanted))


POOL_INIT_CODE_HASH: Final = bytes.fromhex("e34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54")
"""keccak256 of the pool's creation code, which its CREATE2 address is made of (v3-periphery, PoolAddress.sol)."""
TICK_SPACINGS: Final[dict[int, int]] = {100: 1, 500: 10, 3000: 60, 10000: 200}
"""Tick spacing by fee in pips, as the factory has them enabled."""
