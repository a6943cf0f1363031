"""What a backtest is made from: the strategies and histories of the session, and what is typed beside them."""

from typing import Any, cast

from textual import events

from defai.domain.answers import SourceCard, StrategyCard
from defai.errors import DefaiError
from defai.tui.backtesting import Desk, SourceLine, StrategyLine
from defai.tui.screens.board import Board
from defai.tui.widgets.backtest_form import BacktestForm
from defai.tui.widgets.grid import LineGrid

PART = "backtest"
"""Of the screen, as it is named when it changed."""


class Choosing(Board):
    """A screen on which a strategy, a history and settings are chosen.

    Attributes:
        desk: what there is to choose, and what became of it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()

    @property
    def strategies(self) -> "LineGrid[StrategyLine]":
        """The strategies."""
        return self.query_one("#strategies", LineGrid)

    @property
    def sources(self) -> "LineGrid[SourceLine]":
        """The histories."""
        return self.query_one("#sources", LineGrid)

    @property
    def form(self) -> BacktestForm:
        """Where days, balances and parameters are typed."""
        return self.query_one(BacktestForm)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Ask what can be chosen, where that is not known yet."""
        super().on_screen_resume(event)
        if not self.desk.asked or (self.desk.refused and not self.desk.strategies):
            self.desk.asked, self.desk.refused = True, ""
            wishes = self.terminal.wishes
            wishes.ask(wishes.control.strategies(), self._know_strategies, self._refused)
            wishes.ask(wishes.control.sources(), self._know_sources, self._refused)

    def _know_strategies(self, cards: tuple[StrategyCard, ...]) -> None:
        self.desk.strategies = tuple(StrategyLine(card) for card in cards)
        self.strategies.empty = "None: `defai new-strategy NAME` begins one."
        self.strategies.repaint()
        self._paint_choice()

    def _know_sources(self, cards: tuple[SourceCard, ...]) -> None:
        self.desk.sources = tuple(SourceLine(card) for card in cards)
        self.sources.empty = "None yet: defai download-data gets one."
        self.sources.repaint()
        self._paint_choice()

    def _refused(self, refusal: DefaiError) -> None:
        self.desk.refused = str(refusal)
        self.strategies.empty = self.sources.empty = "Nothing can be chosen here."
        self.strategies.repaint()
        self.sources.repaint()
        self.terminal.show_parts({PART})

    def _paint_choice(self) -> None:
        for grid, lines, title in (
            (self.strategies, self.desk.strategies, "Strategy"),
            (self.sources, self.desk.sources, "History"),
        ):
            cast("LineGrid[Any]", grid).show(lines)
            self.entitle(grid, title, f"{len(lines)} to choose from" if lines else "")
        self._paint_form()
        self.paint_keys()

    def _paint_form(self) -> None:
        line = self.strategies.selected
        self.form.display_form(line.card if line else None)
        self.entitle(self.form, f"Settings of {line.key}" if line else "Settings")
