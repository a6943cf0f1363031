"""What a backtest runs on, whatever it was made from: a history that any number of worlds can be opened on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from defai.agent.ports import World
from defai.domain.pool import PoolKey
from defai.domain.tokens import Token
from defai.errors import ConfigError, did_you_mean
from defai.market.valuation import Valuation
from defai.session.history import HistoryRecipe
from defai.worlds.audit_logs import MemoryAuditLog
from defai.worlds.carrying_out import Till
from defai.worlds.event_history import EventHistory
from defai.worlds.replay import Flow, ReplayWorld
from defai.worlds.seating import SeatRequest


class BacktestWorld(World, Protocol):
    """A world in memory that keeps count of what plans came to."""

    @property
    def till(self) -> Till:
        """What came of each agent's plans."""

    @property
    def audit_log(self) -> MemoryAuditLog:
        """Keeps decisions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A history to run on.

    Attributes:
        kind: "events", "bars" or "prices".
        fidelity: what is exact and what is estimated, in a sentence.
        exact_share: share of the recorded swaps that come out to the last unit; None where that means nothing.
        priced_gas: whether gas has a price here; where not, none is charged and none is reported.
        sha256: of the files' contents.
        settings: how the history is run, by option: the flow, for one.
        other_flow: opens one on the same history, where recorded swaps are made again by the other rule; None where
            there is only one.
        until: the same history, ended before whatever was not known at a moment yet (seconds since 1970); what the
            pools held at its beginning stays what the whole history tells of it. None where there is no such thing.
        window: the same history from a moment up to and without another, for agents who join it late or leave it early;
            what came before may be lived through without them. None where there is no such thing.
        make_world: opens a new world on the same history, for these agents.
        step_s: time from block to block, where it is always the same; None where it is not.
        decisions_a_day: how many an agent takes in a day that takes one at each block.
        recipe: what models are trained on that have to go with this history.
        first_time: when the history begins, in seconds since 1970; None where nobody says.
        last_time: when its last block, bar or price is from.
    """

    kind: str
    keys: tuple[PoolKey, ...]
    valuation: Valuation
    fidelity: str
    exact_share: float | None
    priced_gas: bool
    sha256: str
    source: str
    settings: Mapping[str, str | int | None]
    make_world: Callable[[Sequence[SeatRequest]], BacktestWorld]
    other_flow: Callable[[Sequence[SeatRequest]], BacktestWorld] | None = None
    until: "Callable[[int], Ground] | None" = None
    window: "Callable[[int, int], Ground] | None" = None
    step_s: int | None = None
    decisions_a_day: int = 1_440
    recipe: HistoryRecipe = field(default_factory=HistoryRecipe)
    first_time: int | None = None
    last_time: int | None = None

    def share_at(self, moment: int) -> float:
        """How much of the history has been lived through at a moment, 0..1; 0 where nobody knows its ends."""
        if self.first_time is None or self.last_time is None or self.last_time <= self.first_time:
            return 0.0
        return min(max((moment - self.first_time) / (self.last_time - self.first_time), 0.0), 1.0)


def events_ground(
    history: EventHistory,
    *,
    numeraire: str | None = None,
    flow: Flow = Flow.AMOUNTS,
    first_time: int | None = None,
    end_time: int | None = None,
) -> Ground:
    """A ground of recorded events.

    Args:
        history: what happened.
        numeraire: symbol of the token that counts as money; by default the dollar of the pool, else its ether.
        flow: how recorded swaps are made again; see `defai.worlds.replay`.
        first_time: agents join at the first block from this moment on.
        end_time: the run ends before the first block from this moment on.
    """
    valuation = valuation_of(history.keys, numeraire)
    other = Flow.PRICES if flow is Flow.AMOUNTS else Flow.AMOUNTS

    def make(requests: Sequence[SeatRequest], rule: Flow = flow) -> ReplayWorld:
        return ReplayWorld(history, valuation, requests, flow=rule, first_time=first_time, end_time=end_time)

    def window(first: int | None, end: int) -> Ground:
        return events_ground(history, numeraire=numeraire, flow=flow, first_time=first, end_time=end)

    return Ground(
        kind="events",
        keys=history.keys,
        valuation=valuation,
        fidelity=history.fidelity,
        exact_share=history.exact_share,
        priced_gas=history.priced_gas,
        sha256=history.sha256,
        source=history.source,
        settings={"flow": flow.value},
        make_world=make,
        other_flow=lambda requests: make(requests, other),
        until=lambda moment: window(first_time, min(moment + 1, end_time or moment + 1)),
        window=window,
        decisions_a_day=max(
            1, len(history.blocks) * 86_400 // max(history.last_time - history.first_time, 1)
        ),
        first_time=max(history.first_time, first_time or 0),
        last_time=min(history.last_time, (end_time or history.last_time + 1) - 1),
    )


_MONEY = ("USDC", "USDT", "DAI", "WETH", "ETH")
"""What counts as money where nobody says, the likeliest first."""


def valuation_of(keys: Sequence[PoolKey], numeraire: str | None) -> Valuation:
    """What money is on some pools: the first of them prices it.

    Raises:
        ConfigError: where the pool does not trade the numeraire, or nobody can tell which of its tokens it is.
    """
    key = keys[0]
    tokens = {token.symbol: token for token in (key.token0, key.token1)}
    wanted = numeraire or next((symbol for symbol in _MONEY if symbol in tokens), None)
    if wanted is None:
        raise ConfigError(
            f"Neither {' nor '.join(tokens)} is known to be money.", "Say which is: --numeraire SYMBOL."
        )
    if wanted not in tokens:
        hint = did_you_mean(wanted, list(tokens)) or f"It trades {' and '.join(tokens)}."
        raise ConfigError(f"{key.name} does not trade {wanted}.", hint)
    return Valuation(key, tokens[wanted])


def tokens_of(keys: Sequence[PoolKey]) -> dict[str, Token]:
    """The tokens of some pools by symbol."""
    return {token.symbol: token for key in keys for token in (key.token0, key.token1)}
