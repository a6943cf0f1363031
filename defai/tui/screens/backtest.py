"""Backtest: is a strategy better than doing nothing, than the simplest thing, over which history?"""

from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input
from textual.worker import Worker

from defai.domain.answers import BacktestUpdate, BacktestWish
from defai.errors import DefaiError
from defai.tui.actions import BACKTEST, Act, bindings
from defai.tui.backtesting import Contender, SourceLine, StrategyLine
from defai.tui.browsing import has_windows
from defai.tui.fleet import Parts
from defai.tui.messages import LineOpened, LineSelected
from defai.tui.screens.choosing import PART, Choosing
from defai.tui.themes import palette_of
from defai.tui.widgets.backtest_form import BacktestForm
from defai.tui.widgets.backtest_text import (
    contender_columns,
    equity_picture,
    source_columns,
    strategy_columns,
    write_desk,
)
from defai.tui.widgets.chart import LineChart
from defai.tui.widgets.grid import LineGrid
from defai.tui.widgets.page import Page
from defai.tui.widgets.text_view import TextPanel

_PANELS: Final = ("strategies", "sources", "backtest-form", "backtest-state", "contenders", "backtest-equity")


class BacktestScreen(Choosing):
    """Strategies, histories and settings on the left; how far it is and what came of it on the right."""

    scope: ClassVar[str] = BACKTEST
    panels: ClassVar[tuple[str, ...]] = _PANELS
    CSS_PATH = "backtest.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(BACKTEST)
    AUTO_FOCUS = "#strategies"

    def __init__(self) -> None:
        super().__init__()
        self._run: Worker[None] | None = None
        self._typed: Input | None = None

    def compose_body(self) -> ComposeResult:
        """What is chosen beside what came of it."""
        with Horizontal(id="backtest-both"):
            with Vertical(id="backtest-wish"):
                yield LineGrid[StrategyLine](
                    strategy_columns(),
                    empty="The session is asked for its strategies.",
                    source="strategies",
                    words=lambda one: one.words,
                )
                yield LineGrid[SourceLine](
                    source_columns(),
                    empty="The session is asked for its histories.",
                    source="sources",
                    words=lambda one: one.words,
                )
                yield BacktestForm("backtest-form")
            with Vertical(id="backtest-outcome"):
                yield TextPanel("backtest-state")
                yield LineGrid[Contender](
                    contender_columns(),
                    empty="The strategy and its baselines stand here once they have run.",
                    source="contenders",
                    words=lambda one: one.words,
                )
                yield LineChart("backtest-equity")

    # -- painting --------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Let the time be seen to go by while nothing else is told."""
        self.set_interval(1.0, lambda: self._paint_state() if self.desk.running and self.is_current else None)

    def paint(self, parts: Parts) -> None:
        """Show what changed."""
        if PART in parts:
            self._paint_choice()
            self._paint_state()

    def _paint_state(self) -> None:
        desk = self.desk
        desk.now = self.terminal.clock()
        self.set_class(desk.wish is not None, "-ran")
        state = self.query_one("#backtest-state", TextPanel)
        page = Page(palette_of(self.app), max(40, state.scrollable_content_region.width), label=10, indent=1)
        write_desk(page, desk)
        state.display_text(page.text)
        self.entitle(state, "Running" if desk.running else "Result" if desk.result else "Backtest")
        self._paint_outcome()
        self.paint_keys()

    def _paint_outcome(self) -> None:
        grid = self.query_one("#contenders", LineGrid)
        self.shape(grid, max(4, len(self.desk.contenders) + 3))
        grid.show(self.desk.contenders, self.desk.result)
        self.entitle(grid, "Against its baselines")
        chart = self.query_one(LineChart)
        self.entitle(chart, "Equity, USD", "▸ the strategy" if self.desk.result else "")
        if chart.is_shown:
            chart.display_picture(equity_picture(self.desk.result, max(1, chart.size.width - 12)))

    # -- what a person does ----------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what there is something to do with."""
        if action == "run":
            return self.desk.running or bool(self.desk.strategies)
        if action == "report":
            return bool(self.desk.result and self.desk.result.report)
        if action == "copy":
            return bool(self.desk.result and self.desk.result.command)
        if action in {"filter", "export", "open"}:
            return bool(self.desk.strategies)
        return super().check_action(action, parameters)

    def called(self, act: Act) -> str:
        """The same key runs and ends."""
        if act.action == "run" or (act.action == "submit" and not self.filter_bar.display):
            return "end the run" if self.desk.running else "run"
        return super().called(act)

    def action_run(self) -> None:
        """Run what is chosen; end what runs."""
        if self.desk.running:
            self._end_run()
            return
        strategy, source = self.strategies.selected, self.sources.selected
        problem = strategy.card.problem if strategy else "A strategy has to be chosen."
        path = self.form.path
        if not path:
            problem = problem or (
                source.card.problem if source else "A history has to be chosen, or its path typed."
            )
            path = source.key if source else ""
        if problem or strategy is None:
            self.notify(problem, severity="warning", markup=False)
            return
        if self.form.problem is not None:
            problem, box = self.form.problem
            self.notify(problem, severity="warning", markup=False)
            if box.is_on_screen:
                box.focus()
            return
        wish = BacktestWish(strategy.key, path, *self.form.wish)
        self.desk.begin(wish, self.terminal.clock())
        self._typed = self.focused if isinstance(self.focused, Input) else None
        if self._typed is not None or self.has_class("-narrow"):
            self.call_after_refresh(self.query_one("#contenders").focus)
        wishes = self.terminal.wishes
        self._run = wishes.follow(wishes.control.backtest(wish), self._take, self._over)
        self._paint_state()

    def _end_run(self) -> None:
        if self._run is not None:
            self._run.cancel()
        self.desk.running, self.desk.stopped = False, True
        self._paint_state()

    def _take(self, update: BacktestUpdate) -> None:
        if self.desk.running:
            self.desk.take(update)
            self.terminal.show_parts({PART})

    def _over(self, refusal: DefaiError | None) -> None:
        self.desk.running = False
        if refusal is not None:
            self.desk.refused = str(refusal)
            if self._typed is not None and self._typed.is_on_screen:
                self._typed.focus()  # what was refused is most likely what was typed
        elif self.desk.result is None:
            self.desk.refused = "The backtest ended without a result."
        self.terminal.show_parts({PART})
        if self.app.current_mode != self.scope:
            words = self.desk.refused or f"{self.desk.wish.strategy if self.desk.wish else ''} is through"
            self.notify(f"Backtest: {words}", markup=False)

    def action_open(self) -> None:
        """Choose what is under the cursor and go on."""
        if isinstance(self.focused, LineGrid):
            self.focused.open_selected()

    def action_form(self) -> None:
        """Go where the settings are typed."""
        self.remove_class("-ran")
        if not self.form.is_on_screen:
            self._enlarge(self.form)
        self.call_after_refresh(self.form.enter)

    def action_report(self) -> None:
        """Open the report in a browser; where none can, say where it lies, and copy that."""
        report = Path(self.desk.result.report or "") if self.desk.result else None
        if report is None:
            return
        if not report.is_file():
            self.notify(f"It lies on the session's machine: {report}", severity="warning", markup=False)
        elif self.app.is_web or not has_windows():
            self.app.copy_to_clipboard(str(report))
            self.notify(f"There is no browser here. Copied where the report is: {report}", markup=False)
        else:
            self.run_worker(
                partial(self.app.open_url, report.absolute().as_uri()), name="browser", thread=True
            )

    def action_copy(self) -> None:
        """Copy the command that makes the same run."""
        self.terminal.copy("command", self.desk.result.command if self.desk.result else None)

    @property
    def can_step_back(self) -> bool:
        """Whether there is something here to close before one leaves."""
        return isinstance(self.focused, Input) or super().can_step_back

    def step_back(self) -> bool:
        """Out of the settings first."""
        if isinstance(self.focused, Input) and not self.filter_bar.display and self.maximized is None:
            self.strategies.focus()
            return True
        return super().step_back()

    # -- what the widgets say --------------------------------------------------------------------------------------

    def on_line_selected(self, message: LineSelected) -> None:
        """Another strategy has other parameters."""
        if message.source == "strategies":
            self._paint_form()

    def on_line_opened(self, message: LineOpened) -> None:
        """From the strategy to the history, from there to the settings."""
        if message.source == "strategies":
            self.sources.focus()
        elif message.source == "sources":
            self.action_form()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the settings runs."""
        if event.input.id != "filter-words" and not self.desk.running:
            event.stop()
            self.action_run()
