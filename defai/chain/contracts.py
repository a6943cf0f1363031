"""Calls of Uniswap's contracts, packed by hand: needs no chain, takes microseconds."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from defai.amm import MAX_SQRT_RATIO, MIN_SQRT_RATIO
from defai.chain import mainnet
from defai.chain.codec import WORD, address_word, checksum, keccak, selector, word
from defai.chain.pairs import swap_in_pair
from defai.domain.operations import (
    AddLiquidity,
    BurnPosition,
    Call,
    CollectOwed,
    MintPosition,
    Operation,
    RemoveLiquidity,
    SwapExactInput,
)
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address, Token
from defai.errors import NotFoundError

MAX_UINT128: Final = (1 << 128) - 1
MAX_UINT256: Final = (1 << 256) - 1

POOL_SWAP: Final = "swap(address,bool,int256,uint160,bytes)"
EXACT_INPUT_SINGLE: Final = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"
MINT: Final = "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
INCREASE_LIQUIDITY: Final = "increaseLiquidity((uint256,uint256,uint256,uint256,uint256,uint256))"
DECREASE_LIQUIDITY: Final = "decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))"
COLLECT: Final = "collect((uint256,address,uint128,uint128))"
BURN: Final = "burn(uint256)"
APPROVE: Final = "approve(address,uint256)"
TRANSFER: Final = "transfer(address,uint256)"
CREATE_POOL: Final = "createAndInitializePoolIfNecessary(address,address,uint24,uint160)"
GROW_OBSERVATIONS: Final = "increaseObservationCardinalityNext(uint16)"


def encode_operations(
    operations: Sequence[Operation], *, vault: Address, pools: Mapping[Address, PoolKey], deadline: int
) -> tuple[Call, ...]:
    """The calls that carry operations out, one each, in order. Whatever they pay goes to the vault.

    Args:
        operations: what is to be done.
        vault: the account that will make the calls, and own what comes of them.
        pools: the pools the operations name, by address.
        deadline: Unix time after which minting, adding and removing liquidity revert; a swap in a pool has none.

    Raises:
        NotFoundError: where an operation names a pool that isn't in `pools`.
        ValueError: where a swap's amount is not positive.
    """
    return tuple(_encode(operation, vault, pools, deadline) for operation in operations)


def _encode(operation: Operation, vault: Address, pools: Mapping[Address, PoolKey], deadline: int) -> Call:
    match operation:
        case SwapExactInput():
            key = _pool(pools, operation.pool)
            return (swap_in_pair if key.is_pair else pool_swap)(
                key,
                zero_for_one=operation.zero_for_one,
                recipient=vault,
                amount_in=operation.amount_in,
                amount_out_minimum=operation.amount_out_minimum,
            )
        case MintPosition():
            return mint(_pool(pools, operation.pool), operation, recipient=vault, deadline=deadline)
        case AddLiquidity(token_id, desired0, desired1, minimum0, minimum1):
            return _manager(INCREASE_LIQUIDITY, token_id, desired0, desired1, minimum0, minimum1, deadline)
        case RemoveLiquidity(token_id, liquidity, minimum0, minimum1):
            return _manager(DECREASE_LIQUIDITY, token_id, liquidity, minimum0, minimum1, deadline)
        case CollectOwed(token_id):
            return _manager(COLLECT, token_id, int(vault, 16), MAX_UINT128, MAX_UINT128)
        case BurnPosition(token_id):
            return _manager(BURN, token_id)


def pool_swap(
    key: PoolKey, *, zero_for_one: bool, recipient: Address, amount_in: int, amount_out_minimum: int
) -> Call:
    """Sell an exact amount in a pool itself, as a vault does: without the router, nothing has to be approved.

    Args:
        key: the pool.
        zero_for_one: whether token0 is sold.
        recipient: who gets what is bought.
        amount_in: what is sold, in its smallest unit.
        amount_out_minimum: the least that must come out; the pool hands it back unread, the vault holds it against
            what it got.

    Raises:
        ValueError: where the amount is not positive.
    """
    if amount_in <= 0:
        raise ValueError("a swap needs a positive amount in")
    limit = MIN_SQRT_RATIO + 1 if zero_for_one else MAX_SQRT_RATIO - 1
    words = (int(recipient, 16), int(zero_for_one), amount_in, limit, 5 * WORD, WORD, amount_out_minimum)
    return Call(key.address, selector(POOL_SWAP) + b"".join(map(word, words)))


def exact_input_single(
    key: PoolKey,
    *,
    zero_for_one: bool,
    recipient: Address,
    amount_in: int,
    amount_out_minimum: int,
    sqrt_price_limit_x96: int = 0,
) -> Call:
    """Sell an exact amount in one pool through SwapRouter02.

    Args:
        key: the pool.
        zero_for_one: whether token0 is sold.
        recipient: who gets what is bought.
        amount_in: what is sold, in its smallest unit.
        amount_out_minimum: the least that must come out.
        sqrt_price_limit_x96: where the swap stops, in part unfilled; 0 for no limit.

    Raises:
        ValueError: where the amount is not positive.
    """
    if amount_in <= 0:
        raise ValueError("a swap needs a positive amount in")
    data = b"".join(
        (
            selector(EXACT_INPUT_SINGLE),
            address_word(key.token(zero=zero_for_one).address),
            address_word(key.token(zero=not zero_for_one).address),
            word(key.fee_pips),
            address_word(recipient),
            word(amount_in),
            word(amount_out_minimum),
            word(sqrt_price_limit_x96),
        )
    )
    return Call(mainnet.SWAP_ROUTER_02, data)


def mint(key: PoolKey, operation: MintPosition, *, recipient: Address, deadline: int) -> Call:
    """Open a position through the position manager."""
    data = b"".join(
        (
            selector(MINT),
            address_word(key.token0.address),
            address_word(key.token1.address),
            word(key.fee_pips),
            word(operation.tick_lower),
            word(operation.tick_upper),
            word(operation.amount0_desired),
            word(operation.amount1_desired),
            word(operation.amount0_minimum),
            word(operation.amount1_minimum),
            address_word(recipient),
            word(deadline),
        )
    )
    return Call(mainnet.POSITION_MANAGER, data)


def create_pool(key: PoolKey, sqrt_price_x96: int) -> Call:
    """Create and initialise a pool where it isn't there yet, through the position manager."""
    data = b"".join(
        (
            selector(CREATE_POOL),
            address_word(key.token0.address),
            address_word(key.token1.address),
            word(key.fee_pips),
            word(sqrt_price_x96),
        )
    )
    return Call(mainnet.POSITION_MANAGER, data)


def approve(token: Token, spender: Address, amount_raw: int = MAX_UINT256) -> Call:
    """Let a contract take a token from the caller; without limit unless told."""
    return Call(token.address, selector(APPROVE) + address_word(spender) + word(amount_raw))


def transfer(token: Token, recipient: Address, amount_raw: int) -> Call:
    """Pay a token."""
    return Call(token.address, selector(TRANSFER) + address_word(recipient) + word(amount_raw))


@cache
def pool_address(token_a: Address, token_b: Address, fee_pips: int) -> Address:
    """Where the factory deploys a pool: CREATE2 of the tokens and the fee (v3-periphery's PoolAddress)."""
    token0, token1 = sorted((token_a, token_b), key=lambda address: int(address, 16))
    salt = keccak(address_word(token0) + address_word(token1) + word(fee_pips))
    factory = bytes.fromhex(mainnet.V3_FACTORY[2:])
    return checksum("0x" + keccak(b"\xff" + factory + salt + mainnet.POOL_INIT_CODE_HASH)[12:].hex())


def pool_key(token_a: Token, token_b: Token, fee_pips: int) -> PoolKey:
    """The key of the pool of two tokens, given in any order, at one of the factory's own fees.

    Raises:
        KeyError: where the factory has no such fee.
    """
    token0, token1 = sorted((token_a, token_b), key=lambda token: int(token.address, 16))
    address = pool_address(token0.address, token1.address, fee_pips)
    return PoolKey(address, token0, token1, fee_pips, mainnet.TICK_SPACINGS[fee_pips])


def _manager(signature: str, *values: int) -> Call:
    return Call(mainnet.POSITION_MANAGER, selector(signature) + b"".join(map(word, values)))


def _pool(pools: Mapping[Address, PoolKey], address: Address) -> PoolKey:
    try:
        return pools[address]
    except KeyError:
        raise NotFoundError(f"The pool {address} is not among the {len(pools)} that are watched.") from None
