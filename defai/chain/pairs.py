"""Pairs of Uniswap v2 on a chain: which one it is, what it holds, and a swap in it."""

from typing import Final

from defai.amm import AmmRevert, PairPool
from defai.chain import mainnet
from defai.chain.codec import WORD, address_word, selector, unhex, unsigned, word
from defai.chain.rpc import Json, Request, Rpc
from defai.domain.operations import Call
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.errors import DivergenceError, NotFoundError
from defai.market.state import PairReport

GET_PAIR: Final = "getPair(address,address)"
RESERVES: Final = "getReserves()"
SWAP_IN_PAIR: Final = "swapExactTokensForTokens(uint256,uint256,address[],address)"
ADD_LIQUIDITY: Final = "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)"


def find_pair(key: PoolKey) -> Call:
    """What the factory is asked for: the pair of two tokens."""
    tokens = address_word(key.token0.address) + address_word(key.token1.address)
    return Call(mainnet.V2_FACTORY, selector(GET_PAIR) + tokens)


def reserves_request(key: PoolKey, block: str) -> Request:
    """The eth_call for a pair's reserves.

    Args:
        key: the pair.
        block: a block's number in hex, or "latest".
    """
    return "eth_call", ({"to": key.address, "data": "0x" + selector(RESERVES).hex()}, block)


def read_reserves(key: PoolKey, answer: Json) -> PairReport:
    """What a pair says of itself.

    Raises:
        DivergenceError: where there is no pair in use.
        ValueError: where the answer is no data.
    """
    data = unhex(answer)
    if len(data) != 3 * WORD:
        raise DivergenceError(f"There is no Uniswap v2 pair at {key.address} ({key.name}) at that block.")
    try:
        return PairReport.of(unsigned(data), unsigned(data, 1))
    except AmmRevert as refusal:
        raise DivergenceError(f"The pair {key.name} holds nothing at that block.") from refusal


async def snapshot_pair(rpc: Rpc, key: PoolKey, block: str, timestamp: int) -> PairPool:
    """A pair as it stands after a block.

    Raises:
        NotFoundError: where no pair in use stands there at that block.
    """
    (answer,) = await rpc.batch([reserves_request(key, block)])
    try:
        report = read_reserves(key, answer)
    except DivergenceError as missing:
        raise NotFoundError(missing.sentence) from missing
    return PairPool(report.reserve0, report.reserve1, timestamp)


def swap_in_pair(
    key: PoolKey, *, zero_for_one: bool, recipient: Address, amount_in: int, amount_out_minimum: int
) -> Call:
    """Sell an exact amount in a pair through SwapRouter02, which has to be allowed to take it.

    Args:
        key: the pair.
        zero_for_one: whether token0 is sold.
        recipient: who gets what is bought.
        amount_in: what is sold, in its smallest unit.
        amount_out_minimum: the least that must come out.

    Raises:
        ValueError: where the amount is not positive.
    """
    if amount_in <= 0:
        raise ValueError("a swap needs a positive amount in")
    sold, bought = key.token(zero=zero_for_one).address, key.token(zero=not zero_for_one).address
    head = word(amount_in) + word(amount_out_minimum) + word(4 * WORD) + address_word(recipient)
    path = word(2) + address_word(sold) + address_word(bought)
    return Call(mainnet.SWAP_ROUTER_02, selector(SWAP_IN_PAIR) + head + path)


def add_liquidity(key: PoolKey, amount0: int, amount1: int, *, recipient: Address, deadline: int) -> Call:
    """Provide both tokens to a pair through the v2 router, which creates it where it isn't there yet."""
    words = (amount0, amount1, 0, 0, int(recipient, 16), deadline)
    tokens = address_word(key.token0.address) + address_word(key.token1.address)
    return Call(mainnet.V2_ROUTER, selector(ADD_LIQUIDITY) + tokens + b"".join(map(word, words)))
