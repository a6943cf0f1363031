"""One agent on minute bars, a hundred times as quick: the strategy is asked at every bar, the rest is done in columns.

As long as a strategy holds, nothing happens but that a decision is sealed, that money is counted, and that now and then
an anchor is paid for. So a stretch of bars is looked at ahead: what the portfolio will be worth after each, and where
the circuit breaker might trip. Then the strategy is asked, bar by bar, until it does anything else than hold. What it
answered then goes the general way, `Agent.step`, as do the bars on which something is settled. The results are those
of the general way, digest by digest; tests/conformance holds one against the other.
"""

from array import array
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from defai.agent.agent import Agent, AgentState
from defai.agent.intent_form import fault
from defai.amm.limbs.arrays import Words
from defai.amm.limbs.compiler import is_compiled, is_running
from defai.audit.holds import FUNCTIONS as HOLDS
from defai.backtest.curve import EquityCurve
from defai.backtest.hold_ledger import HoldLedger
from defai.domain.intents import Hold, Intent
from defai.market.bars import MINUTE_S
from defai.market.state import MarketState
from defai.strategy.api import Context
from defai.time_limit import OverrunError, TimeLimit
from defai.worlds.bar_context import BarContext, BarPoolView, Stretch, put_at, put_stretch
from defai.worlds.bar_path import FUNCTIONS as BARS
from defai.worlds.bar_path import Payment
from defai.worlds.bar_words import EQUITY
from defai.worlds.bars import BarsWorld

Asked: TypeAlias = Callable[[Context], Intent]
Engine: TypeAlias = Literal["auto", "columns", "reference"]
_FEW: Final = 20_000
"""Bars that are not worth waiting for the compiler, should it not have been at work before."""
_FEWER: Final = 10_000
"""Bars that are not worth loading what it left, should this process have no machine code yet: that takes as long."""
_SHORTEST: Final = 64
_LONGEST: Final = 4_096
_DOUBT: Final = 1e-9
"""Nearer to the limit than this, the general way says whether a drawdown is over it."""


Step: TypeAlias = Callable[[Asked | None], Awaitable[None]]


class Watched(Protocol):
    """A run, as far as the loop needs it; see `defai.backtest.runner.AgentRun`."""

    agent: Agent
    curve: EquityCurve
    times: "array[int]"
    steps: int
    idle: bool


def fits(world: BarsWorld, run: Watched, engine: Engine) -> bool:
    """Whether the loop is to be used: an agent without features, enough bars, and a compiler."""
    mandate = run.agent.mandate
    if engine == "reference" or mandate.model or mandate.watched:
        return False
    if [key.address for key in mandate.pools] != [world.key.address]:
        return False
    bars = len(world.bars) - world.row
    if engine == "auto" and bars < _FEWER and not is_running():
        return False
    try:
        compiled = is_compiled(BARS) and is_compiled(HOLDS)
    except ImportError:
        return False
    return engine == "columns" or compiled or bars >= _FEW


class BarLoop:
    """Lets one agent live through bars.

    Args:
        world: where it lives.
        market: as it sees it.
        run: what is written down about it.
        step: the general way: lets the agent take part in the newest bar.
        tell: told the moment that was reached, now and then.

    Raises:
        ImportError: where nothing can be compiled.
    """

    def __init__(
        self, world: BarsWorld, market: MarketState, run: Watched, step: Step, tell: Callable[[int], None]
    ) -> None:
        self._world, self._market, self._run, self._step, self._tell = world, market, run, step, tell
        self._agent = run.agent
        self._path = world.path()
        self._view = BarPoolView(world, world.key, world.window)
        self._holds = HoldLedger(world, run.agent)
        self._length = _SHORTEST
        self._limit = TimeLimit()

    async def live(self) -> None:
        """Until there are no more bars."""
        self._run.curve.reserve(len(self._world.bars) - self._world.row + 1)
        try:
            while self._world.row < len(self._world.bars):
                if self._agent.is_under_way or not self._world.is_settled:
                    await self._general(None)
                elif self._agent.state is AgentState.RUNNING and not self._run.idle:
                    await (self._ask_on() if self._agent.has_started else self._general(None))
                else:
                    await self._watch_on()
        finally:
            self._holds.close()

    async def _general(self, asked: Asked | None) -> None:
        """One bar as any other world would have it; the strategy's look at the pool may have let it happen already."""
        self._holds.hand_over()
        number = self._market.head.number + 1
        block = self._world.advance() if self._world.row < number else self._world.block_at(number)
        if block is not None:
            self._market.apply(block)
            await self._step(asked)

    async def _watch_on(self) -> None:
        """Bars on which nobody decides."""
        first = self._world.row
        count = min(_LONGEST, len(self._world.bars) - first)
        worths = self._path.worths(self._world.pool, self._agent.desk.portfolio, first, count)
        if worths is None or not len(worths):
            await self._general(None)
        else:
            self._pass(first, worths)

    async def _ask_on(self) -> None:
        """Bars on which the strategy holds, and the one on which it does not."""
        first, desk = self._world.row, self._agent.desk
        count = min(self._length, len(self._world.bars) - first)
        anchors = self._holds.anchors(first, count)
        payments = [Payment(anchor.at + 1, anchor.amount_raw) for anchor in anchors if anchor.at + 1 < count]
        worths = self._path.worths(self._world.pool, desk.portfolio, first, count, payments)
        asked: Asked | None = None
        payloads: list[int] = []
        if worths is not None and len(worths):
            try:
                asked = self._limit.ask(self._ask, first, self._quiet(worths), worths, payloads)
            except OverrunError as overrun:
                asked = partial(_raise, overrun)
        done = len(payloads)
        if worths is not None and done:
            self._run.times.frombytes(self._pass(first, worths[:done]).tobytes())
            desk.drawdown(_highest(worths[:done, 2 * EQUITY : 2 * EQUITY + 2]))
            await self._holds.keep(payloads, first, anchors, worths)
        self._length = min(2 * self._length, _LONGEST) if done == count else _SHORTEST
        if done < count:
            await self._general(asked)

    def _ask(self, first: int, quiet: int, worths: Words, payloads: list[int]) -> Asked | None:
        """Ask the strategy at every bar until it does not hold: what it did then, and into `payloads` its holds'."""
        decide, window, numbers = self._agent.mandate.strategy.decide, self._world.window, self._holds.known
        stretch, bare, limit = self._stretch(first, worths), object.__new__, self._limit
        keep, reason, number = payloads.append, None, 0
        for at in range(quiet):
            window.end = first + at + 1
            context = bare(BarContext)
            put_stretch(context, stretch)
            put_at(context, at)
            limit.asked += 1
            try:
                intent = decide(context)
            except (Exception, SystemExit) as error:  # noqa: BLE001  an author's code may raise anything; the agent deals with it
                return partial(_raise, error)
            if type(intent) is not Hold:
                return partial(_give, intent)
            if intent.reason is not reason:
                if type(intent.reason) is not str or intent.reason not in numbers:
                    if fault(intent):
                        return partial(_give, intent)
                    self._holds.learn(intent.reason)
                reason = intent.reason
                number = numbers[reason]
            keep(number)
        return None

    def _stretch(self, first: int, worths: Words) -> Stretch:
        desk = self._agent.desk
        positions = desk.portfolio.positions
        return Stretch(
            agent=self._agent.name,
            world=self._world,
            first_row=first,
            views=(self._view,),
            portfolio=desk.portfolio,
            valuation=desk.valuation,
            worths=worths,
            position=positions[-1] if positions else None,
            outcomes=self._agent.outcomes,
        )

    def _quiet(self, worths: Words) -> int:
        """How many bars it takes until the circuit breaker might trip."""
        desk = self._agent.desk
        low, high = worths[:, 2 * EQUITY], worths[:, 2 * EQUITY + 1].view(np.int64)
        equity = high.astype(np.float64) * 2.0**64 + low.astype(np.float64)
        peaks = np.maximum.accumulate(np.maximum(equity, float(desk.peak_raw)))
        trips = equity < peaks * (1 - float(desk.limits.max_drawdown) + _DOUBT)
        return int(np.argmax(trips)) if trips.any() else len(worths)

    def _pass(self, first: int, worths: Words) -> NDArray[np.int64]:
        """Let bars happen, and write down what everything is worth after each; the moments of their ends."""
        moments = self._world.bars.timestamps[first : first + len(worths)] + MINUTE_S
        self._world.pass_by(first + len(worths))
        self._market.head = self._world.block_at(first + len(worths))
        self._run.curve.extend(self._agent.desk, moments, first + 1, worths)
        self._run.steps += len(worths)
        self._tell(self._market.head.timestamp)
        return moments


def _highest(words: Words) -> int:
    """The greatest of some numbers of two words each, two's complement."""
    high = words[:, 1].view(np.int64)
    top = int(high.max())
    return top << 64 | int(words[high == top, 0].max())


def _raise(error: BaseException, _: Context) -> Intent:
    raise error


def _give(intent: Intent, _: Context) -> Intent:
    return intent
