"""What is typed for a backtest: its days, what it starts with, the strategy's parameters."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Input, Static

from defai.domain.answers import StrategyCard
from defai.domain.stream import ParameterCard
from defai.tui.format import UNKNOWN
from defai.tui.widgets.bounds import bounds, misfit


class BacktestForm(VerticalScroll, can_focus=False):
    """One line each. What is left as it was is not sent.

    Args:
        name: the widget's id.
    """

    DEFAULT_CLASSES: ClassVar[str] = "panel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", "next", show=False),
        Binding("up", "app.focus_previous", "previous", show=False),
    ]

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self._strategy: str | None = None
        self._cards: tuple[ParameterCard, ...] = ()
        self.boxes: dict[str, Input] = {}
        """By parameter: an author's name need not do as a widget's, nor be another than one of ours."""

    def compose(self) -> ComposeResult:
        """What every backtest has; the strategy's own parameters come below."""
        yield Static(id="backtest-summary", markup=False)
        yield row("days", typed("", "all, 20220719-20220815", "backtest-days"))
        yield row("history", typed("", "as chosen, or a path", "backtest-path"))
        yield row("starts with", typed("", "as in 10000USDC 5WETH", "backtest-balances"))
        yield Vertical(id="backtest-parameters")

    def display_form(self, card: StrategyCard | None) -> None:
        """Show the parameters of a strategy; what was typed for another is forgotten."""
        name = card.name if card else None
        if name == self._strategy:
            return
        self._strategy, self._cards = name, card.form if card else ()
        asks = " It asks a model, which is trained first." if card and card.needs_model else ""
        self.query_one("#backtest-summary", Static).update(f"{card.summary}{asks}" if card else "")
        self.run_worker(self._fill(), name="form", group="backtest-form", exclusive=True)

    async def _fill(self) -> None:
        place = self.query_one("#backtest-parameters", Vertical)
        await place.remove_children()
        self.boxes.clear()
        for card in self._cards:
            box = self.boxes[card.name] = typed(usual(card), bounds(card))
            await place.mount(row(card.name, box))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Mark what a parameter cannot be, as it is typed."""
        card = next((one for one in self._cards if self.boxes.get(one.name) is event.input), None)
        if card is not None and event.input.parent is not None:
            may_be = event.input.parent.query_one(".form-bounds", Static)
            wrong = bool(self._misfit(card))
            may_be.update(f"✗ {bounds(card)}" if wrong else bounds(card) if event.value else "")
            may_be.set_class(wrong, "-wrong")

    def _words(self, card: ParameterCard) -> str:
        return self.boxes[card.name].value.strip() if card.name in self.boxes else ""

    def _misfit(self, card: ParameterCard) -> str:
        words = self._words(card)
        return misfit(card, words) if words and words != usual(card) else ""

    @property
    def problem(self) -> tuple[str, Input] | None:
        """The first parameter that cannot be what is typed, in a sentence, and where it is; None where all can."""
        for card in self._cards:
            need = self._misfit(card)
            if need:
                return f"{card.name} has to be {need}, not {self._words(card)}.", self.boxes[card.name]
        return None

    @property
    def wish(self) -> tuple[dict[str, str], str, tuple[str, ...]]:
        """Parameters that differ from their usual value, the days, the balances."""
        parameters = {}
        for card in self._cards:
            words = self._words(card)
            if words and words != usual(card):
                parameters[card.name] = words
        days = self.query_one("#backtest-days", Input).value.strip()
        balances = self.query_one("#backtest-balances", Input).value.replace(",", " ").split()
        return parameters, days or "-", tuple(balances)

    @property
    def path(self) -> str:
        """History that was typed instead of chosen; empty where it was not."""
        return self.query_one("#backtest-path", Input).value.strip()

    def enter(self) -> None:
        """Go to the first line."""
        self.query_one("#backtest-days", Input).focus()


def usual(card: ParameterCard) -> str:
    """What a parameter is where nobody types another."""
    return card.value or card.default or ""


def typed(value: str, hint: str, name: str | None = None) -> Input:
    """Where something is typed."""
    return Input(value, placeholder=hint, id=name, compact=True, select_on_focus=False)


def row(name: str, box: Input) -> Horizontal:
    """A name, where it is typed, and what it may be."""
    return Horizontal(
        Static(name or UNKNOWN, classes="form-name", markup=False),
        box,
        Static(str(box.placeholder) if box.value else "", classes="form-bounds", markup=False),
        classes="form-row",
    )
