"""What a strategy looks at upon a bar, made when it is looked at: a `Context` like any other, at little cost.

A strategy is asked at every bar, and mostly looks at next to nothing before it says that it holds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from random import Random
from typing import Any, overload

from defai.agent import gas
from defai.agent.outlook import dice
from defai.amm import Pool
from defai.amm.frozen import FrozenPool, freeze
from defai.amm.limbs.arrays import Words
from defai.domain.decisions import FeatureRow, Forecast
from defai.domain.pool import PoolKey
from defai.domain.position import Position
from defai.domain.tokens import Address, Token
from defai.market.valuation import Valuation
from defai.market.window import Observation
from defai.portfolio.ledger import Portfolio
from defai.strategy.api import Context, Costs, Outcome, PoolView
from defai.worlds.bar_market import BarWindow
from defai.worlds.bar_pool import sqrt_ratio_at
from defai.worlds.bar_words import EQUITY
from defai.worlds.bars import BarsWorld

_set = object.__setattr__
"""Records are frozen, for those who look at them."""


class BarPast(Sequence[Observation]):
    """The bars up to now, to look at: rows of a window that somebody else moves."""

    __slots__ = ("_window",)

    def __init__(self, window: BarWindow) -> None:
        self._window = window

    def __len__(self) -> int:
        return len(self._window)

    def __iter__(self) -> Iterator[Observation]:
        return iter(self._window)

    @overload
    def __getitem__(self, index: int) -> Observation: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Observation]: ...
    def __getitem__(self, index: int | slice) -> Observation | Sequence[Observation]:
        """One row, or a tuple of them."""
        return self._window[index]

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy is plain rows."""
        return tuple, (list(self),)


class BarPoolView(PoolView):
    """The pool after the newest bar of its window; the pool itself follows when its state is looked at."""

    __slots__ = ("_frozen", "_frozen_at", "_ticks", "_window", "_world")
    _frozen: FrozenPool
    _frozen_at: int
    _ticks: memoryview
    _window: BarWindow
    _world: BarsWorld

    def __new__(cls, *_: object, **named: Any) -> Any:  # noqa: ANN401  what `dataclasses.replace` gives it
        """A plain view where one is made from all of a view's fields."""
        return PoolView(**named) if named else super().__new__(cls)

    def __init__(self, world: BarsWorld, pool_key: PoolKey, window: BarWindow) -> None:
        _set(self, "_world", world)
        _set(self, "_ticks", world.bars.close_tick.data)
        _set(self, "_window", window)
        _set(self, "_frozen_at", -1)
        _set(self, "key", pool_key)
        _set(self, "history", BarPast(window))

    @property
    def state(self) -> Pool:
        """The pool as it stands after the newest bar."""
        world, end = self._world, self._window.end
        if self._frozen_at != end:
            world.pass_by(end)
            _set(self, "_frozen", freeze(world.pool))
            _set(self, "_frozen_at", end)
        return self._frozen

    @property
    def tick(self) -> int:
        """As in any view."""
        return self._ticks[self._window.end - 1]

    @property
    def sqrt_price_x96(self) -> int:
        """As in any view."""
        return sqrt_ratio_at(self._ticks[self._window.end - 1])

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy is a plain view."""
        return PoolView, (self.key, self.state, tuple(self.history))


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Bars through which an agent's money stays as it is, but for the gas of its anchors.

    Attributes:
        agent: its name.
        world: where it lives.
        first_row: the first of the bars.
        views: the strategy's pools.
        portfolio: what the agent owns.
        valuation: what tokens are worth.
        worths: what it is worth after each bar; see `defai.worlds.bar_words`.
        position: the newest position in its pool.
        outcomes: what came of the agent's latest decisions.
    """

    agent: str
    world: BarsWorld
    first_row: int
    views: tuple[BarPoolView, ...]
    portfolio: Portfolio
    valuation: Valuation
    worths: Words
    position: Position | None
    outcomes: tuple[Outcome, ...]


class BarContext(Context):
    """What there is to look at after a bar of a stretch; it says the same whenever it is asked.

    Made by `put_stretch` and `put_at`.
    """

    __slots__ = ("_at", "_rng", "_stretch")
    _at: int
    _rng: Random
    _stretch: Stretch

    def __new__(cls, *_: object, **named: Any) -> Any:  # noqa: ANN401  what `dataclasses.replace` gives it
        """A plain context where one is made from all of a context's fields."""
        return Context(**named) if named else super().__new__(cls)

    @property
    def block_number(self) -> int:
        """As in any context; so below."""
        return self._stretch.first_row + self._at + 1

    @property
    def timestamp(self) -> int:
        """The end of the bar."""
        return self._stretch.world.block_at(self.block_number).timestamp

    @property
    def base_fee_wei(self) -> int:
        """What gas costs."""
        return self._stretch.world.block_at(self.block_number).base_fee_wei

    @property
    def pools(self) -> tuple[PoolView, ...]:
        """The strategy's pools."""
        return self._stretch.views

    @property
    def pool(self) -> PoolView:
        """The strategy's main pool."""
        return self._stretch.views[0]

    @property
    def features(self) -> FeatureRow | None:
        """None: a strategy with features is asked in the general way."""
        return None

    @property
    def forecast(self) -> Forecast | None:
        """None: the same."""
        return None

    @property
    def positions(self) -> tuple[Position, ...]:
        """The agent's open positions."""
        return self._stretch.portfolio.positions

    @property
    def position(self) -> Position | None:
        """The newest of them."""
        return self._stretch.position

    @property
    def balances(self) -> Mapping[Address, int]:
        """The vault's idle tokens."""
        return self._stretch.portfolio.balances

    @property
    def numeraire(self) -> Token:
        """The token that counts as a dollar."""
        return self._stretch.valuation.numeraire

    @property
    def base(self) -> Token:
        """The other one."""
        return self._stretch.valuation.base

    @property
    def equity_raw(self) -> int:
        """Worth of everything."""
        low, high = self._stretch.worths[self._at, 2 * EQUITY : 2 * EQUITY + 2].tolist()
        return int.from_bytes(low.to_bytes(8, "little") + high.to_bytes(8, "little"), "little", signed=True)

    @property
    def costs(self) -> Costs:
        """What acting costs."""
        stretch = self._stretch
        tick = int(stretch.world.bars.close_tick[stretch.first_row + self._at])
        return gas.costs(stretch.valuation, sqrt_ratio_at(tick), self.base_fee_wei)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What came of its latest decisions."""
        return self._stretch.outcomes

    @property
    def rng(self) -> Random:
        """The only randomness."""
        try:
            return self._rng
        except AttributeError:
            block = self._stretch.world.block_at(self.block_number)
            found = dice(self._stretch.agent, block.number, block.hash)
            _set(self, "_rng", found)
            return found

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy is a plain context."""
        return Context, tuple(getattr(self, field.name) for field in fields(Context))


put_stretch, put_at = (vars(BarContext)[name].__set__ for name in ("_stretch", "_at"))
"""What makes a context of `object.__new__(BarContext)`: without a detour, since this happens at every bar."""
