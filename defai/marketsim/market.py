"""The market: everyone else, block by block.

In each block the arbitrageur comes first, as at the top of real blocks: a pool that stands far enough outside its
no-arbitrage band to pay for the gas is brought back to the band's edge, in 12 s with one chance in three. Then noise
traders swap, mostly where the price is best, and last the providers whose hour has come move their bands. What an
agent sees after a block is therefore the reference's latest moves where the arbitrageur was late, and the noise of
that block: chances worth about what it costs to take them, that fade within a few blocks, and that somebody else is
after as well.

With the defaults (0.05 % and 0.3 % tiers, 10 million USD, generated prices) over 20,000 blocks of each of two seeds:

| what | measured |
|---|---|
| noise traders' volume a day, million USD: 0.05 %, 0.3 % | 24, 6 |
| arbitrageur's volume a day, million USD: 0.05 %, 0.3 % | 38, 6 |
| gap to the reference in bps, median and 99th percentile: 0.05 %, 0.3 % | 5 and 35, 18 and 50 |
| gap between the tiers in bps: median, 99th percentile, share of blocks above 35 (both fees) | 18, 60, 3 % |
| the gap's autocorrelation at 1, 5, 25 blocks: 0.05 % to the reference, between the tiers | 0.8 0.3 0.0, 0.9 0.8 0.5 |
| share of blocks in which buying in one tier and selling in the other pays, gas included | 1 % |
| of the 13 blocks in 1,000 that move the 0.05 % pool by more than 20 bps: taken back in 6 blocks | 9 bps |
| base fee in gwei: median, 99th percentile | 8, 28 |
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from defai.amm import Pool
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address, Token
from defai.errors import ConfigError
from defai.market.unborn import unborn
from defai.marketsim.actions import MarketAction, MarketInitialize, MarketSwap
from defai.marketsim.arbitrageur import Arbitrageur
from defai.marketsim.attackers import PendingSwap, SandwichAttacker
from defai.marketsim.base_fees import BaseFees
from defai.marketsim.draws import Draws
from defai.marketsim.execution import perform
from defai.marketsim.flow import NoiseTraders
from defai.marketsim.liquidity_providers import LiquidityProviders, shares_raw
from defai.marketsim.prices import PricePath
from defai.marketsim.reference import Reference
from defai.marketsim.scene import Actor, Scene
from defai.units import to_raw

_ETHER: frozenset[str] = frozenset({"WETH", "ETH"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketShape:
    """How large and how lively a market is. Dollars are quote tokens.

    Attributes:
        liquidity_usd: what all pools' liquidity is worth at the opening; 0 means that others provide it.
        swap_median_usd: median size of a noise trader's swap.
        swaps_an_hour: noise traders' swaps in all pools together.
        arbitrage_half_time_seconds: how long half of the arbitrageur's chances stay open.
        attacker_capital_usd: the most a sandwich attacker puts in.
        ether_usd: an ether in dollars, for gas, where the base token isn't ether.
    """

    liquidity_usd: Decimal = Decimal(10_000_000)
    swap_median_usd: Decimal = Decimal(1_500)
    swaps_an_hour: int = 240
    arbitrage_half_time_seconds: int = 24
    attacker_capital_usd: Decimal = Decimal(1_000_000)
    ether_usd: Decimal = Decimal(2_000)


class Market:
    """The other people in the market. The same seed, block and states give the same actions, on any machine.

    Everyone's luck in a block depends on the seed, the block and their trade alone: a pause, or one more agent, shifts
    nobody's dice. Block 0 is the opening; the point of the path at a block's index is its reference price.

    Args:
        seed: the run's seed.
        path: the reference, in quote tokens for one base token.
        pools: pools of one pair of tokens.
        quote: the token of that pair which counts as a dollar.
        attackers: whether a sandwich attacker is about.
        shape: sizes and speeds.
        base_fee_at: the base fee in wei at a moment (seconds since 1970), 0 where gas is free; None makes fees up from
            the path.

    Raises:
        ConfigError: where the pools don't trade one and the same pair with the quote token in it.
    """

    def __init__(
        self,
        seed: int,
        path: PricePath,
        pools: Sequence[PoolKey],
        *,
        quote: Token,
        attackers: bool = False,
        shape: MarketShape | None = None,
        base_fee_at: Callable[[int], int] | None = None,
    ) -> None:
        shape = shape or MarketShape()
        pairs = {(key.token0, key.token1) for key in pools}
        if len(pairs) != 1 or quote not in next(iter(pairs)):
            raise ConfigError(f"The market trades one pair of tokens with {quote.symbol} in it.")
        self.path = path
        self.keys = tuple(pools)
        self._seed = seed
        self._quote = quote
        self._ether_usd = shape.ether_usd
        token0, token1 = next(iter(pairs))
        self._base_is_ether = (token0 if token1 == quote else token1).symbol in _ETHER
        self._base_fees = BaseFees(path)
        self._base_fee_at = base_fee_at
        total_raw = to_raw(shape.liquidity_usd, quote.decimals)
        self._providers = (
            LiquidityProviders(seed, path, shares_raw(self.keys, total_raw)) if total_raw else None
        )
        traders = NoiseTraders(
            seed, to_raw(shape.swap_median_usd, quote.decimals), swaps_an_hour=shape.swaps_an_hour
        )
        arbitrageur = Arbitrageur(half_time_seconds=shape.arbitrage_half_time_seconds)
        self._people: tuple[Actor, ...] = (arbitrageur, traders)
        if self._providers:
            self._people += (self._providers,)
        capital_raw = to_raw(shape.attacker_capital_usd, quote.decimals)
        self._attacker = SandwichAttacker(capital_raw) if attackers else None

    @property
    def actors(self) -> tuple[str, ...]:
        """The names of all accounts that act; a world funds them."""
        names = tuple(name for people in self._people for name in people.names)
        return (*names, self._attacker.name) if self._attacker else names

    @property
    def last_block(self) -> int | None:
        """The last block that has a reference price; None where there is always another."""
        return None if self.path.length is None else self.path.length - 1

    @property
    def attacked(self) -> bool:
        """Whether an attacker is about."""
        return self._attacker is not None

    def timestamp(self, block_index: int) -> int:
        """When a block is mined, in seconds since 1970: the path's own time."""
        return self.path[block_index].timestamp

    def base_fee_wei(self, block_index: int) -> int:
        """What a unit of gas costs in a block: as given, or around 7 gwei in calm and more in turbulence."""
        if self._base_fee_at is not None:
            return self._base_fee_at(self.timestamp(block_index))
        return self._base_fees.at(block_index)

    def reference(self, block_index: int) -> Reference:
        """What the base token costs elsewhere when a block is mined."""
        quote_per_base = self.path[block_index].quote_per_base
        ether_usd = quote_per_base if self._base_is_ether else self._ether_usd
        return Reference(self._quote, quote_per_base, ether_usd)

    def opening(self, pools: Mapping[Address, Pool] | None = None) -> tuple[MarketAction, ...]:
        """Create the pools at the reference price and seed them with liquidity.

        Args:
            pools: states of the pools that exist already; they are seeded where they stand, and then moved to the
                reference.
        """
        reference = self.reference(0)
        actions: list[MarketAction] = []
        for key in self.keys:
            state = (pools or {}).get(key.address)
            scratch = state.copy() if state else unborn(key)
            target_x96 = reference.sqrt_price_x96(key)
            if not scratch.sqrt_price_x96 and not key.is_pair:
                actions.append(MarketInitialize(self.actors[0], key.address, target_x96))
                perform(actions[-1], scratch)
            if self._providers:
                for mint in self._providers.opening(key, scratch.sqrt_price_x96 or target_x96, reference):
                    actions.append(mint)
                    perform(mint, scratch)
            actions.extend(self._move(key, scratch, target_x96))
        return tuple(actions)

    def actions(self, block_index: int, pools: Mapping[Address, Pool]) -> tuple[MarketAction, ...]:
        """What everyone does in a block, in this order, given the pools' states before it.

        The actions are worked out on copies, each upon the one before. Agents' transactions that come in between change
        what a swap gets, never how far it moves the price: its limit stays.

        Args:
            block_index: 1 for the first block after the opening.
            pools: states by address; the market's pools that are missing or not initialised are left out. Nothing is
                changed.

        Raises:
            ConfigError: where the path has no price for the block.
            ValueError: where the block index is not positive.
        """
        if block_index < 1:
            raise ValueError("the market's first block is 1; block 0 is its opening")
        keys = tuple(key for key in self.keys if key.address in pools and pools[key.address].sqrt_price_x96)
        scene = Scene(
            block_index,
            self.timestamp(block_index) - self.timestamp(block_index - 1),
            self.reference(block_index),
            self.base_fee_wei(block_index),
            keys,
            {key.address: pools[key.address].copy() for key in keys},
        )
        actions: list[MarketAction] = []
        for people in self._people:
            for action in people.act(scene, Draws(self._seed, block_index, people.names[0])):
                perform(action, scene.pools[action.pool])
                actions.append(action)
        return tuple(actions)

    def attack(
        self, block_index: int, victim: PendingSwap, pool: Pool
    ) -> tuple[MarketSwap, MarketSwap] | None:
        """What the sandwich attacker, if there is one, does right before and right after a pending swap.

        Args:
            block_index: the block the swap will be in.
            victim: the swap.
            pool: the state it would meet; it stays as it is.
        """
        if self._attacker is None:
            return None
        key = next(key for key in self.keys if key.address == victim.pool)
        base_fee_wei = self.base_fee_wei(block_index)
        return self._attacker.attack(victim, key, pool, self.reference(block_index), base_fee_wei)

    def _move(self, key: PoolKey, pool: Pool, target_x96: int) -> list[MarketAction]:
        """The swap that brings a pool to a square-root price exactly, if it isn't there and has liquidity."""
        if pool.sqrt_price_x96 == target_x96:
            return []
        zero_for_one = pool.sqrt_price_x96 > target_x96
        result = pool.quote(
            zero_for_one=zero_for_one, amount_specified=1 << 120, sqrt_price_limit_x96=target_x96
        )
        amount_in = result.amount0 if zero_for_one else result.amount1
        if amount_in <= 0:
            return []
        return [MarketSwap(self.actors[0], key.address, zero_for_one, amount_in, target_x96)]
