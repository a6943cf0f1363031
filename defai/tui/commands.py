"""The command palette: what the action registry offers here, by name."""

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from defai.tui.actions import EVERYWHERE, Act, acts


class ActionProvider(Provider):
    """Offers every action that works on the screen the palette was opened from."""

    def _offers(self) -> list[Act]:
        scope = str(getattr(self.screen, "scope", ""))
        return [act for act in acts(scope, EVERYWHERE) if act.palette]

    async def discover(self) -> Hits:
        """Everything, before a word is typed."""
        for act in self._offers():
            yield DiscoveryHit(title(act), partial(self._run, act), help=act.help)

    async def search(self, query: str) -> Hits:
        """What matches the words typed."""
        matcher = self.matcher(query)
        for act in self._offers():
            score = max(matcher.match(title(act)), matcher.match(act.help))
            if score > 0:
                yield Hit(score, matcher.highlight(title(act)), partial(self._run, act), help=act.help)

    async def _run(self, act: Act) -> None:
        await self.screen.run_action(act.action if act.scope != EVERYWHERE else f"app.{act.action}")


def title(act: Act) -> str:
    """An action as the palette lists it: "Halt all"."""
    return f"{act.label[:1].upper()}{act.label[1:]}"
