"""Pools on the stand-in: created at a price, and given liquidity by a passive provider's own transactions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isqrt
from typing import Final

from defai.amm import amounts_for_liquidity, get_sqrt_ratio_at_tick, get_tick_at_sqrt_ratio, max_usable_tick
from defai.chain import mainnet
from defai.chain.codec import selector, word
from defai.chain.contracts import GROW_OBSERVATIONS, approve, create_pool, mint
from defai.chain.keys import Signer
from defai.chain.local import LocalChain
from defai.chain.pairs import add_liquidity
from defai.chain.tx import Step, Wallet, carry_out
from defai.domain.operations import Call, MintPosition
from defai.domain.pool import PoolKey
from defai.domain.tokens import Token
from defai.units import GWEI, Q96, WEI

OBSERVATIONS: Final = 200
"""Oracle observations a new pool has room for: a time-weighted price reaches back as many blocks."""
_REFERENCE_LIQUIDITY: Final = 10**24
_SPARE: Final = 10_000
"""Smallest units funded beyond what is deposited: minting rounds up."""
_CREATE_GAS: Final = 6_000_000
_GROW_GAS: Final = 10_000_000
_MINT_GAS: Final = 800_000
_APPROVE_GAS: Final = 100_000
_TIP_WEI: Final = GWEI


@dataclass(frozen=True, slots=True)
class Band:
    """Liquidity around the price.

    Attributes:
        half_width_ticks: how far it reaches to either side; None for the full range.
        worth0_raw: what is deposited, both tokens together, in token0's smallest unit.
    """

    half_width_ticks: int | None
    worth0_raw: int


def _usd(millions: int) -> int:
    """Millions of dollars in USDC's smallest unit."""
    return millions * 10**12


DEFAULT_BANDS: Final[Mapping[int, tuple[Band, ...]]] = {
    500: (Band(None, _usd(24)), Band(4_000, _usd(12)), Band(1_500, _usd(6)), Band(500, _usd(3))),
    3000: (Band(None, _usd(24)), Band(6_000, _usd(12)), Band(2_400, _usd(4))),
}
"""Depth of the USDC/WETH pools by fee, in USDC."""
PAIR_WORTH0_RAW: Final = _usd(24)
"""Depth of a pair, in USDC: that of a pool's full range."""


def sqrt_price_x96(key: PoolKey, quote_per_token: Decimal, *, of: Token) -> int:
    """A pool's square-root price from what a person would say.

    Args:
        key: the pool.
        quote_per_token: how much of the pool's other token one of `of` costs: USDC per WETH where `of` is WETH.
        of: the token that is priced.

    Raises:
        ValueError: where the price is not positive, or the pool does not have that token.
    """
    if quote_per_token <= 0:
        raise ValueError(f"a price of {quote_per_token} is not positive")
    if of not in {key.token0, key.token1}:
        raise ValueError(f"{key.name} has no {of.symbol}")
    token1_per_token0 = Fraction(quote_per_token) if of == key.token0 else 1 / Fraction(quote_per_token)
    raw = token1_per_token0 * Fraction(10) ** (key.token1.decimals - key.token0.decimals)
    return isqrt(raw.numerator * Q96 * Q96 // raw.denominator)


async def seed_pools(
    chain: LocalChain,
    owner: Signer,
    *,
    prices_x96: Mapping[PoolKey, int],
    bands: Mapping[int, Sequence[Band]] | None = None,
    timestamp: int | None = None,
    base_fee_wei: int = GWEI,
) -> int:
    """Create pools and provide their first liquidity, in one block.

    Args:
        chain: a stand-in, or a fork where the pools may be there already.
        owner: the passive provider; it is funded out of thin air and owns the positions.
        prices_x96: the pools and pairs, and the square-root prices they start at.
        bands: liquidity of pools by fee in pips; `DEFAULT_BANDS` unless given. A pair gets `PAIR_WORTH0_RAW`.
        timestamp: the block's Unix time; 12 s after the newest block's without one.
        base_fee_wei: the block's base fee.

    Returns:
        The number of the block.

    Raises:
        DefaiError: where one of the transactions reverts.
    """
    wallet = await Wallet.connect(owner, chain.rpc)
    deposits = [
        (key, _deposit(key, band, price_x96))
        for key, price_x96 in prices_x96.items()
        if not key.is_pair
        for band in (bands or DEFAULT_BANDS)[key.fee_pips]
    ]
    provided = {key: _pair_amounts(price) for key, price in prices_x96.items() if key.is_pair}
    await _fund(chain, owner, deposits, provided)
    receipts = await carry_out(
        chain.rpc,
        wallet,
        _steps(prices_x96, deposits, provided, owner),
        max_fee_wei=2 * base_fee_wei + _TIP_WEI,
        priority_fee_wei=_TIP_WEI,
        settle=lambda: chain.mine(timestamp=timestamp, base_fee_wei=base_fee_wei),
    )
    return receipts[-1].block_number


def _steps(
    prices_x96: Mapping[PoolKey, int],
    deposits: Sequence[tuple[PoolKey, MintPosition]],
    provided: Mapping[PoolKey, tuple[int, int]],
    owner: Signer,
) -> list[Step]:
    tokens = {token.address: token for key in prices_x96 for token in (key.token0, key.token1)}
    calls = [
        (approve(token, spender), _APPROVE_GAS, f"approve {token.symbol}")
        for token in tokens.values()
        for spender in (mainnet.POSITION_MANAGER, *([mainnet.V2_ROUTER] if provided else ()))
    ]
    for key, price_x96 in prices_x96.items():
        if key.is_pair:
            continue
        grow = Call(key.address, selector(GROW_OBSERVATIONS) + word(OBSERVATIONS))
        calls.append((create_pool(key, price_x96), _CREATE_GAS, f"create the pool {key.name}"))
        calls.append((grow, _GROW_GAS, f"make room for observations in {key.name}"))
    for key, deposit in deposits:
        call = mint(key, deposit, recipient=owner.address, deadline=(1 << 64) - 1)
        calls.append((call, _MINT_GAS, f"provide liquidity to {key.name}"))
    for key, amounts in provided.items():
        call = add_liquidity(key, *amounts, recipient=owner.address, deadline=(1 << 64) - 1)
        calls.append((call, _CREATE_GAS, f"provide liquidity to {key.name}"))
    return [Step(call.target, call.data, gas, purpose) for call, gas, purpose in calls]


def _deposit(key: PoolKey, band: Band, price_x96: int) -> MintPosition:
    """The amounts that put a band's worth between its ticks at the price."""
    spacing = key.tick_spacing
    tick = get_tick_at_sqrt_ratio(price_x96)
    edge = max_usable_tick(spacing)
    reach = band.half_width_ticks
    lower = -edge if reach is None else max(-edge, (tick - reach) // spacing * spacing)
    upper = edge if reach is None else min(edge, -((-tick - reach) // spacing) * spacing)
    at_lower, at_upper = get_sqrt_ratio_at_tick(lower), get_sqrt_ratio_at_tick(upper)
    amount0, amount1 = amounts_for_liquidity(price_x96, at_lower, at_upper, _REFERENCE_LIQUIDITY)
    worth0 = amount0 + (amount1 << 192) // (price_x96 * price_x96)
    liquidity = _REFERENCE_LIQUIDITY * band.worth0_raw // worth0
    amount0, amount1 = amounts_for_liquidity(price_x96, at_lower, at_upper, liquidity)
    return MintPosition(key.address, lower, upper, amount0 + 1, amount1 + 1, 0, 0)


def _pair_amounts(price_x96: int) -> tuple[int, int]:
    """Half of a pair's worth in each token, at the price."""
    half = PAIR_WORTH0_RAW // 2
    return half, (half * price_x96 * price_x96) >> 192


async def _fund(
    chain: LocalChain,
    owner: Signer,
    deposits: Sequence[tuple[PoolKey, MintPosition]],
    provided: Mapping[PoolKey, tuple[int, int]],
) -> None:
    needs: dict[Token, int] = {}
    for key, amounts in provided.items():
        for token, amount_raw in zip((key.token0, key.token1), amounts, strict=True):
            needs[token] = needs.get(token, _SPARE) + amount_raw
    for key, deposit in deposits:
        needs[key.token0] = needs.get(key.token0, _SPARE) + deposit.amount0_desired
        needs[key.token1] = needs.get(key.token1, _SPARE) + deposit.amount1_desired
    await chain.fund_ether(owner.address, 1_000 * WEI)
    for token, amount_raw in needs.items():
        await chain.fund(owner.address, token, amount_raw)
