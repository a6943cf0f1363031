"""Markets that a strategy is asked in: a hundred ordinary blocks, and the edges. All made up, the same every time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from random import Random
from typing import Final

from defai.agent.desk import Desk
from defai.agent.outlook import Outlook
from defai.amm import Pool, get_sqrt_ratio_at_tick, max_usable_tick
from defai.chain.mainnet import ALL_POOLS, USDC
from defai.domain.chain_events import Block, PoolSwapped
from defai.domain.decisions import FeatureRow, Forecast
from defai.domain.pool import PoolKey
from defai.domain.position import Position
from defai.errors import ConfigError, did_you_mean
from defai.market.state import MarketState
from defai.market.valuation import Valuation
from defai.portfolio.ledger import Portfolio
from defai.risk.limits import Limits
from defai.strategy.api import Context, Strategy
from defai.testing.builders import START_TICK, market_of, next_block, pool_with_liquidity, swap_event
from defai.units import Q24

BLOCKS: Final = 140
_QUIET: Final = 20
"""Blocks of the series in which nothing is decided: there is no history yet to speak of."""
_UNITS: Final = {"survival": "probability", "fees": "bps", "fee_lvr": "ratio"}
_OWNER: Final = "us"
_HOUR: Final = 60
"""Blocks, at a minute each."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One moment to decide at.

    Attributes:
        name: what it is called; the series' are called by their block.
    """

    name: str
    context: Context
    desk: Desk


def keys_of(strategy: Strategy) -> tuple[PoolKey, ...]:
    """The pools a strategy looks at.

    Raises:
        ConfigError: for a name that the network's list does not have.
    """
    by_name = {key.name: key for key in ALL_POOLS}
    for name in strategy.pools():
        if name not in by_name:
            hint = did_you_mean(name, list(by_name)) or f"There are: {', '.join(by_name)}."
            raise ConfigError(f"there is no pool '{name}'", hint)
    return tuple(by_name[name] for name in strategy.pools())


class Oracle:
    """Forecasts that mean nothing, drawn from the block's number: of the strategy's target, with a band."""

    def __init__(self, strategy: Strategy) -> None:
        self._target = strategy.target()

    def predict(self, row: FeatureRow) -> Forecast:
        """A forecast on a row."""
        target = self._target
        drawn = int.from_bytes(sha256(str(row.block_number).encode()).digest()[:4], "big") / 2**32
        unit = _UNITS.get(target.kind, "ticks") if target else "ticks"
        signed = target is not None and not target.is_positive
        size = 1.0 if unit == "probability" else 60.0
        value = (2 * drawn - 1) * size if signed else drawn * size
        low, high = value - size / 4, value + size / 4
        return Forecast(
            value_x24=int(value * Q24),
            unit=unit,
            name="made up",
            model_digest="0x" + "22" * 32,
            low_x24=int(low * Q24),
            high_x24=int(high * Q24),
            beats_baseline=True,
        )


def series(strategy: Strategy, blocks: int = BLOCKS) -> Iterator[Scene]:
    """Ordinary blocks, one after the other, in which the agent's money and positions change."""
    keys = keys_of(strategy)
    pools = {key: pool_with_liquidity(key) for key in keys}
    positions = _positions(pools[keys[0]], keys[0])
    market = market_of(pools)
    draw = Random(7)  # noqa: S311  no secret
    stand = _Stand(strategy, market, keys)
    for at in range(blocks):
        market.apply(_ordinary(market, keys, draw))
        if at >= _QUIET or not strategy.features():
            yield stand.scene(f"block {at}", *_holdings(at, keys[0], positions))


def edges(strategy: Strategy) -> Iterator[Scene]:
    """The edges, each by what it is."""
    keys = keys_of(strategy)
    edge = _Edges(strategy, keys)
    key, spacing = keys[0], keys[0].tick_spacing
    aligned = START_TICK // spacing * spacing
    far = max_usable_tick(spacing) // spacing * spacing - 2_400
    wide = (aligned - 20 * spacing, aligned + 20 * spacing)
    still = [next_block] * _HOUR
    yield edge.at("no history at all")
    yield edge.at("one block of history", next_block)
    yield edge.at("nothing has happened for an hour", *still, held=wide)
    yield edge.at("no liquidity in the pool", *still, make=partial(pool_with_liquidity, bands=()))
    yield edge.at("a crash of the base token", *still, partial(_jump, key=key, ticks=6_900), held=wide)
    yield edge.at("a rise of the base token", *still, partial(_jump, key=key, ticks=-6_900), held=wide)
    at_tick = partial(pool_with_liquidity, tick=aligned)
    lower, upper = (aligned, wide[1]), (wide[0], aligned)
    yield edge.at("the price at the band's lower tick", *still, make=at_tick, held=lower)
    yield edge.at("the price at the band's upper tick", *still, make=at_tick, held=upper)
    yield edge.at("a band of one spacing", *still, make=at_tick, held=(aligned, aligned + spacing))
    at_end = partial(pool_with_liquidity, tick=far, bands=((1_200, 10**12),))
    yield edge.at("the price near the end of all ticks", *still, make=at_end)
    yield edge.at("gas at a thousand times its price", *still, _dear_gas)
    yield edge.at("no money", *still, amount=0)
    yield edge.at("one unit of each token", *still, amount=1)
    yield edge.at("more money than the pool", *still, amount=10**26)


class _Edges:
    """Makes scenes of a strategy at the edges."""

    def __init__(self, strategy: Strategy, keys: Sequence[PoolKey]) -> None:
        self._strategy = strategy
        self._keys = keys

    def at(
        self,
        name: str,
        *blocks: Callable[[MarketState], Block],
        make: Callable[[PoolKey], Pool] = pool_with_liquidity,
        held: tuple[int, int] | None = None,
        amount: int | None = None,
    ) -> Scene:
        """A scene.

        Args:
            name: what it is called.
            blocks: make what happens, one after the other.
            make: makes each pool.
            held: lower and upper tick of the agent's position.
            amount: what it has of each token, in smallest units; the usual where nothing is said.
        """
        key = self._keys[0]
        pools = {one: make(one) for one in self._keys}
        mine = () if held is None or key.is_pair else (_mint(pools[key], key, 1, *held),)
        market = market_of(pools)
        for block in blocks:
            market.apply(block(market))
        both = _both(key)
        balances = both if amount is None else dict.fromkeys(both, amount)
        return _Stand(self._strategy, market, self._keys).scene(name, balances, mine)


class _Stand:
    """A strategy in a market, with whatever money a scene gives it."""

    def __init__(self, strategy: Strategy, market: MarketState, keys: Sequence[PoolKey]) -> None:
        key = keys[0]
        self._keys = keys
        numeraire = USDC if USDC in {key.token0, key.token1} else key.token1
        self._desk = Desk(market, Valuation(key, numeraire), Portfolio.opening({}), Limits(), lambda _: ())
        self._outlook = Outlook("checked", self._desk, strategy.features())
        self._model = Oracle(strategy) if strategy.target() else None

    def scene(self, name: str, balances: dict[str, int], positions: tuple[Position, ...]) -> Scene:
        """A moment of the market with this money."""
        desk = self._desk
        desk.portfolio = replace(Portfolio.opening(balances), positions=positions)
        return Scene(name, self._outlook.context(self._keys, self._model, desk.valued(), ()), desk)


def _ordinary(market: MarketState, keys: Sequence[PoolKey], draw: Random) -> Block:
    events = []
    for key in keys:
        pool = market.pools[key.address].copy()
        for _ in range(draw.randrange(4)):
            zero = draw.random() < 0.5
            worth = draw.lognormvariate(9.5, 1.2)
            amount = int(worth * (10**6 if key.token(zero=zero) == USDC else 10**18 / 2_000))
            events.append(swap_event(pool, key, zero_for_one=zero, amount_in=max(amount, 1)))
    return next_block(market, events)


def _holdings(
    at: int, key: PoolKey, positions: Sequence[Position]
) -> tuple[dict[str, int], tuple[Position, ...]]:
    """What the agent has at a block: each kind of state comes round every few blocks."""
    first, second, both = key.token0, key.token1, _both(key)
    states: list[tuple[dict[str, int], tuple[Position, ...]]] = [
        (both, ()),
        (both, tuple(positions[0:1])),
        (both, tuple(positions[1:2])),
        (both, tuple(positions[2:3])),
        ({first.address: both[first.address]}, ()),
        ({second.address: both[second.address]}, ()),
        (both, tuple(positions)),
    ]
    return states[at % len(states)]


def _both(key: PoolKey) -> dict[str, int]:
    """Some 15,000 dollars of each of a pool's tokens."""
    tokens = (key.token0, key.token1)
    return {one.address: (15_000 if one == USDC else 7) * 10**one.decimals for one in tokens}


def _positions(pool: Pool, key: PoolKey) -> list[Position]:
    """One band with the price in it, one above, one below; none in a pair, which has no positions."""
    if key.is_pair:
        return []
    spacing = key.tick_spacing
    middle = pool.tick // spacing * spacing
    bands = [(-20, 20), (30, 60), (-60, -30)]
    return [
        _mint(pool, key, number, middle + low * spacing, middle + high * spacing)
        for number, (low, high) in enumerate(bands, 1)
    ]


def _mint(pool: Pool, key: PoolKey, number: int, lower: int, upper: int) -> Position:
    liquidity = 10**15
    pool.mint(_OWNER, lower, upper, liquidity)
    grown = pool.fee_growth_inside(lower, upper)
    return Position(number, key.address, lower, upper, liquidity, *grown, 0, 0, 1)


def _jump(market: MarketState, key: PoolKey, ticks: int) -> Block:
    pool = market.pools[key.address].copy()
    target = get_sqrt_ratio_at_tick(pool.tick + ticks)
    done = pool.swap(zero_for_one=ticks < 0, amount_specified=10**40, sqrt_price_limit_x96=target)
    state = (done.sqrt_price_x96, done.liquidity, done.tick)
    return next_block(market, [PoolSwapped(key.address, "t", "t", done.amount0, done.amount1, *state, 0, "")])


def _dear_gas(market: MarketState) -> Block:
    block = next_block(market)
    return replace(block, base_fee_wei=1_000 * block.base_fee_wei)
