"""Well-known tokens, chain by chain: enough to tell from a pool's address alone what it trades.

An address that is wrong here names no pool wrongly. A pool's address is a hash of its tokens and its fee, so a pool is
recognised only where all of them are right.
"""

from collections.abc import Mapping
from typing import Final

from defai.chain.mainnet import USDC, USDT, WETH
from defai.domain.tokens import Token

ETHEREUM: Final = 1
OPTIMISM: Final = 10
POLYGON: Final = 137
ARBITRUM: Final = 42161

WELL_KNOWN: Final[Mapping[int, tuple[Token, ...]]] = {
    ETHEREUM: (
        USDC,
        USDT,
        WETH,
        Token("0x6B175474E89094C44Da98b954EedeAC495271d0F", "DAI", 18),
        Token("0x2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599", "WBTC", 8),
        Token("0x1f9840a85d5aF5bf1D1762F925BDADdC4201F984", "UNI", 18),
        Token("0x514910771AF9Ca656af840dff83E8264EcF986CA", "LINK", 18),
        Token("0x7Fc66500c84A76Ad7e9c93437bFc5Ac33E2DDaE9", "AAVE", 18),
        Token("0x9f8F72aA9304c8B593d555F12eF6589cC3A579A2", "MKR", 18),
        Token("0xD533a949740bb3306d119CC777fa900bA034cd52", "CRV", 18),
        Token("0x5A98FcBEA516Cf06857215779Fd812CA3beF1B32", "LDO", 18),
        Token("0xC18360217D8F7Ab5e7c516566761Ea12Ce7F9D72", "ENS", 18),
        Token("0x7D1AfA7B718fb893dB30A3aBc0Cfc608AaCfeBB0", "MATIC", 18),
        Token("0x7f39C581F595B53c5cb19bD0b3f8dA6c935E2Ca0", "wstETH", 18),
        Token("0xae78736Cd615f374D3085123A210448E74Fc6393", "rETH", 18),
        Token("0x853d955aCEf822Db058eb8505911ED77F175b99e", "FRAX", 18),
        Token("0x95aD61b0a150d79219dCF64E1E6Cc01f0B64C4cE", "SHIB", 18),
        Token("0x6982508145454Ce325dDbE47a25d4ec3d2311933", "PEPE", 18),
        Token("0x4d224452801ACEd8B2F0aebE155379bb5D594381", "APE", 18),
        Token("0xc00e94Cb662C3520282E6f5717214004A7f26888", "COMP", 18),
    ),
    OPTIMISM: (
        Token("0x7F5c764cBc14f9669B88837ca1490cCa17c31607", "USDC", 6),
        Token("0x94b008aA00579c1307B0EF2c499aD98a8ce58e58", "USDT", 6),
        Token("0xDA10009cBd5D07dd0CeCc66161FC93D7c9000da1", "DAI", 18),
        Token("0x4200000000000000000000000000000000000006", "WETH", 18),
        Token("0x68f180fcCe6836688e9084f035309E29Bf0A2095", "WBTC", 8),
        Token("0x4200000000000000000000000000000000000042", "OP", 18),
    ),
    POLYGON: (
        Token("0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174", "USDC", 6),
        Token("0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359", "USDC", 6),
        Token("0xc2132D05D31c914a87C6611C10748AEb04B58e8F", "USDT", 6),
        Token("0x8f3Cf7ad23Cd3CaDbD9735AFf958023239c6A063", "DAI", 18),
        Token("0x7ceB23fD6bC0adD59E62ac25578270cFf1b9f619", "WETH", 18),
        Token("0x0d500B1d8E8eF31E21C99d1Db9A6444d3ADf1270", "WMATIC", 18),
        Token("0x1BFD67037B42Cf73acF2047067bd4F2C47D9BfD6", "WBTC", 8),
        Token("0x53E0bca35eC356BD5ddDFebbD1Fc0fD03FaBad39", "LINK", 18),
        Token("0xD6DF932A45C0f255f85145f286eA0b292B21C90B", "AAVE", 18),
        Token("0xb33EaAd8d922B1083446DC23f610c2567fB5180f", "UNI", 18),
    ),
    ARBITRUM: (
        Token("0xFF970A61A04b1cA14834A43f5dE4533eBDDB5CC8", "USDC", 6),
        Token("0xaf88d065e77c8cC2239327C5EDb3A432268e5831", "USDC", 6),
        Token("0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9", "USDT", 6),
        Token("0xDA10009cBd5D07dd0CeCc66161FC93D7c9000da1", "DAI", 18),
        Token("0x82aF49447D8a07e3bd95BD0d56f35241523fBab1", "WETH", 18),
        Token("0x2f2a2543B76A4166549F7aaB2e75Bef0aefC5B0f", "WBTC", 8),
        Token("0x912CE59144191C1204E64559FE8253a0e49E6548", "ARB", 18),
    ),
}
"""By chain id; chains on which Uniswap's factory stands at the address that it has on Ethereum."""
