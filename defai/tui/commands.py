"""The command palette: what the action registry offers here, the agents and the colours, by name."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from defai.tui.actions import EVERYWHERE, Act
from defai.tui.themes import THEME_WORDS

if TYPE_CHECKING:
    from defai.tui.steering import Steering

Offer = tuple[str, str, Callable[[], object]]
"""What it is called, what it does in a sentence, and the doing."""


class ActionProvider(Provider):
    """Offers every action that does something on the screen the palette was opened from."""

    @property
    def _terminal(self) -> "Steering":
        return cast("Steering", self.app)

    def _acts(self) -> Iterator[Offer]:
        board = self._terminal.board()
        for act in board.offers() if board else ():
            if act.palette:
                name = (
                    f"{title(act)}  {act.key}"
                    if act.rank is not None or act.scope == EVERYWHERE
                    else title(act)
                )
                yield name, act.help, partial(self._run, act)

    def _others(self) -> Iterator[Offer]:
        terminal = self._terminal
        for name in terminal.fleet.agents:
            agent = unmarked(name)
            yield f"Open {agent}", f"The agent {agent}.", partial(terminal.open_agent, name)
        for address, pool in terminal.fleet.pools.items():
            shown = unmarked(pool.name)
            yield f"Open {shown}", f"The pool {shown}.", partial(terminal.open_pool, address)
        for theme, words in THEME_WORDS.items():
            yield f"Colours: {words}", "Use these colours from now on.", partial(terminal.wear, theme)

    async def discover(self) -> Hits:
        """Everything, before a word is typed."""
        for name, words, do in self._acts():
            yield DiscoveryHit(name, do, help=words)

    async def search(self, query: str) -> Hits:
        """What matches the words typed."""
        matcher = self.matcher(query)
        for name, words, do in (*self._acts(), *self._others()):
            score = max(matcher.match(name), matcher.match(words))
            if score > 0:
                yield Hit(score, matcher.highlight(name), do, help=words)

    async def _run(self, act: Act) -> None:
        board = self._terminal.board()
        if board is not None:
            await board.run_action(act.action if act.scope != EVERYWHERE else f"app.{act.action}")


def unmarked(name: str) -> str:
    """A name of somebody else's as the palette can show it: it takes whatever stands in brackets for markup."""
    return name.replace("[", "(").replace("]", ")")


def title(act: Act) -> str:
    """An action as the palette lists it: "Halt all"."""
    return f"{act.label[:1].upper()}{act.label[1:]}"
