"""What is shown before there is a market: what is being set up, and how far it is."""

from rich.text import Text
from textual.widgets import Static

from defai.domain.stream import SetupProgressed
from defai.tui.format import bar
from defai.tui.themes import Palette, palette_of


class SetupPanel(Static):
    """The name, the steps done, the one under way, and a bar."""

    def display_setup(self, setup: SetupProgressed | None, done: list[str]) -> None:
        """Show how far the session's set-up is."""
        self.update(progress(setup, done, palette_of(self.app)))


def progress(setup: SetupProgressed | None, done: list[str], palette: Palette) -> Text:
    """The panel's text: at most eight steps done, the current one, a bar of 40 cells."""
    text = Text()
    text.append("d e f a i\n", style=palette.style("accent"))
    text.append("agents that can prove every decision\n\n", style=palette.style("muted"))
    for step in done[-8:]:
        text.append("✓ ", style=palette.style("pnl-up"))
        text.append(f"{step}\n", style=palette.style("muted"))
    if setup is None:
        text.append("… ", style=palette.style("waiting"))
        text.append("starting\n\n", style=palette.style("foreground"))
        text.append("░" * 40, style=palette.style("line"))
        return text
    text.append("… ", style=palette.style("waiting"))
    text.append(f"{setup.text}\n\n", style=palette.style("foreground"))
    share = (setup.step - 1) / setup.steps if setup.steps else 0.0
    filled = bar(share, 40).rstrip()
    text.append(filled, style=palette.style("accent"))
    text.append("░" * (40 - len(filled)), style=palette.style("line"))
    text.append(f"  step {setup.step} of {setup.steps}", style=palette.style("muted"))
    return text
