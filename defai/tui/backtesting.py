"""A backtest as the terminal knows it: what can be chosen, what was wished for, how far it is, what came of it."""

from defai.domain.answers import (
    BacktestDone,
    BacktestProgressed,
    BacktestRow,
    BacktestWish,
    SourceCard,
    StrategyCard,
)
from defai.late_dataclass import dataclass


@dataclass(slots=True)
class StrategyLine:
    """A strategy that can be chosen."""

    card: StrategyCard
    version: int = 0

    @property
    def key(self) -> str:
        """Its name."""
        return self.card.name

    @property
    def words(self) -> str:
        """What a filter searches."""
        return f"{self.card.name} {self.card.summary} {self.card.problem}"


@dataclass(slots=True)
class SourceLine:
    """History that can be chosen."""

    card: SourceCard
    version: int = 0

    @property
    def key(self) -> str:
        """Where it lies."""
        return self.card.path

    @property
    def words(self) -> str:
        """What a filter searches."""
        return f"{self.card.title} {self.card.kind} {self.card.path} {self.card.problem}"


@dataclass(slots=True)
class Contender:
    """The strategy or one of its baselines, with its figures."""

    row: BacktestRow
    version: int = 0

    @property
    def key(self) -> str:
        """Its name; the strategy may be called like one of its baselines."""
        return f"{self.row.name} {'baseline' if self.row.is_baseline else 'strategy'}"

    @property
    def words(self) -> str:
        """What a filter searches."""
        return self.row.name


@dataclass(slots=True)
class Desk:
    """Everything about the one backtest that a terminal runs at a time.

    Attributes:
        asked: whether the session was asked what can be chosen.
        refused: why nothing can be chosen or run; empty while it can.
        wish: what runs, or ran last.
        stopped: whether the person ended it.
        began, now: when it began, and the time, in seconds of the terminal's clock.
    """

    asked: bool = False
    refused: str = ""
    strategies: tuple[StrategyLine, ...] = ()
    sources: tuple[SourceLine, ...] = ()
    wish: BacktestWish | None = None
    progress: BacktestProgressed | None = None
    result: BacktestDone | None = None
    contenders: tuple[Contender, ...] = ()
    stopped: bool = False
    running: bool = False
    began: float = 0.0
    now: float = 0.0

    def begin(self, wish: BacktestWish, now: float) -> None:
        """Something runs from now on."""
        self.began = self.now = now
        self.wish, self.progress, self.result, self.contenders = wish, None, None, ()
        self.refused, self.stopped, self.running = "", False, True

    def take(self, update: BacktestProgressed | BacktestDone) -> None:
        """How far it is, or what came of it."""
        if isinstance(update, BacktestDone):
            self.result = update
            self.contenders = tuple(Contender(row) for row in update.rows)
        else:
            self.progress = update
