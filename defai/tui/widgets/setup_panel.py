"""What is shown before there is a market: what is being set up, and how far it is."""

from rich.text import Text
from textual.widgets import Static

from defai.tui.fleet import FleetState
from defai.tui.format import bar
from defai.tui.opening import BAR_CELLS, CLAIM, NAME
from defai.tui.themes import Palette, palette_of


class SetupPanel(Static):
    """The name, the steps done, the one under way, and a bar."""

    def display_setup(self, fleet: FleetState) -> None:
        """Show how far the session's set-up is."""
        self.update(progress(fleet, palette_of(self.app)))


def progress(fleet: FleetState, palette: Palette) -> Text:
    """The panel's text: at most eight steps done, the current one, a bar."""
    setup = fleet.setup
    text = Text()
    text.append(f"{NAME}\n", style=palette.style("accent"))
    text.append(f"{CLAIM}\n\n", style=palette.style("muted"))
    for step in fleet.setup_done[-8:]:
        text.append("✓ ", style=palette.style("pnl-up"))
        text.append(f"{step}\n", style=palette.style("muted"))
    text.append("… ", style=palette.style("waiting"))
    if setup is None:
        text.append(f"{fleet.opening}\n\n", style=palette.style("foreground"))
        text.append("░" * BAR_CELLS, style=palette.style("line"))
        return text
    text.append(f"{setup.text}\n\n", style=palette.style("foreground"))
    share = (setup.step - 1) / setup.steps if setup.steps else 0.0
    filled = bar(share, BAR_CELLS).rstrip()
    text.append(filled, style=palette.style("accent"))
    text.append("░" * (BAR_CELLS - len(filled)), style=palette.style("line"))
    text.append(f"  step {setup.step} of {setup.steps}", style=palette.style("muted"))
    return text
