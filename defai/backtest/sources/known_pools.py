"""Which pool a file is of: files of events name an address at most, never the tokens."""

import re
from collections.abc import Mapping
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Final, NamedTuple

from defai.backtest.sources.tokens import WELL_KNOWN
from defai.chain.codec import checksum
from defai.chain.contracts import pool_key
from defai.chain.mainnet import POOLS, TICK_SPACINGS, USDC, WETH
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address, Token
from defai.errors import ConfigError, did_you_mean

CHAINS: Final[Mapping[str, int]] = {
    "ethereum": 1,
    "optimism": 10,
    "bsc": 56,
    "polygon": 137,
    "base": 8453,
    "arbitrum": 42161,
}
"""Chain ids by the names that files carry."""

_NAME: Final = re.compile(r"(?:(?P<chain>[a-z0-9]+)-)?(?P<pool>0x[0-9a-fA-F]{40})")
_TRADED: Final = re.compile(r"(?P<token0>\w+)(?::(?P<d0>\d+))?/(?P<token1>\w+)(?::(?P<d1>\d+))?@(?P<fee>\d+)")
_SYMBOLS: Final[Mapping[str, int]] = {
    token.symbol: token.decimals for tokens in WELL_KNOWN.values() for token in tokens
}
_TOKENS: Final[Mapping[Address, Token]] = {
    token.address: token for tokens in WELL_KNOWN.values() for token in tokens
}


class Place(NamedTuple):
    """Where a pool stands: the chain's id, 0 where nobody says, and its address; empty where nobody says."""

    chain_id: int
    pool: Address


def place_of(path: Path) -> Place:
    """What a file's name says: `polygon-0x45dd…-2022-01-05.tick.csv.gz`."""
    match = _NAME.search(path.name)
    if match is None:
        return Place(0, "")
    return Place(CHAINS.get(match["chain"] or "", 0), checksum(match["pool"]))


def find_pool(place: Place, traded: str | None) -> PoolKey:
    """The pool at a place.

    Args:
        place: from a file's name.
        traded: what it trades, from the user: `USDC:6/WETH:18@500` (symbols, decimals, fee in pips); decimals of
            well-known tokens may be left out. It comes before what is known of the address.

    Raises:
        ConfigError: where neither says what the pool trades.
    """
    if traded is not None:
        return _pool_of(traded, place)
    known = _recognised(place)
    if known is not None:
        return known
    what = f"The pool {place.pool}" if place.pool else "A pool whose address the file's name doesn't give"
    raise ConfigError(f"{what} is not one we know.", "Say what it trades: --pool USDC:6/WETH:18@500.")


def _recognised(place: Place) -> PoolKey | None:
    """The pool whose address comes of two well-known tokens and one of the factory's fees."""
    for key in POOLS:
        if key.address == place.pool:
            return key
    chains = [place.chain_id] if place.chain_id in WELL_KNOWN else list(WELL_KNOWN)
    return next((pools[place.pool] for pools in map(_pools_on, chains) if place.pool in pools), None)


@cache
def _pools_on(chain_id: int) -> Mapping[Address, PoolKey]:
    """All pools that there can be of a chain's well-known tokens; whether they are there is another matter."""
    keys = (
        pool_key(one, other, fee_pips)
        for one, other in combinations(WELL_KNOWN[chain_id], 2)
        if one.symbol != other.symbol
        for fee_pips in TICK_SPACINGS
    )
    return {key.address: key for key in keys}


def find_token(address: str) -> Token:
    """A token by its address.

    Raises:
        ConfigError: where we don't know it.
    """
    token = _TOKENS.get(checksum(address))
    if token is None:
        raise ConfigError(
            f"The token {address} is not one we know.", "Say what the pool trades: --pool USDC:6/WETH:18@500."
        )
    return token


def _pool_of(traded: str, place: Place) -> PoolKey:
    match = _TRADED.fullmatch(traded)
    if match is None:
        raise ConfigError(f"'{traded}' says no pool.", "Write --pool USDC:6/WETH:18@500.")
    tokens = [_token(match["token0"], match["d0"], 0), _token(match["token1"], match["d1"], 1)]
    fee_pips = int(match["fee"])
    if fee_pips not in TICK_SPACINGS:
        tiers = ", ".join(str(tier) for tier in TICK_SPACINGS)
        raise ConfigError(f"No factory has a fee tier of {fee_pips} pips.", f"There are: {tiers}.")
    return PoolKey(place.pool or "0x" + "00" * 20, tokens[0], tokens[1], fee_pips, TICK_SPACINGS[fee_pips])


def _token(symbol: str, decimals: str | None, number: int) -> Token:
    if decimals is None and symbol not in _SYMBOLS:
        raise ConfigError(
            f"The decimals of {symbol} are not known.",
            did_you_mean(symbol, list(_SYMBOLS)) or f"Write them: {symbol}:18.",
        )
    known = {"USDC": USDC.address, "WETH": WETH.address}.get(symbol)
    address = known or "0x" + f"{number + 1:040x}"
    return Token(address, symbol, int(decimals) if decimals else _SYMBOLS[symbol])
