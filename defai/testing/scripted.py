"""A strategy that does what a test tells it, one answer a block."""

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from pydantic import PrivateAttr

from defai.strategy.api import Context, Hold, Intent, Strategy

Answer: TypeAlias = Intent | Callable[[Context], Intent] | BaseException
"""An intent, what makes one of the context, or what is raised."""


class Scripted(Strategy):
    """Gives its answers in order, and holds once they are through.

    strategy = Scripted().then(Hold(reason="wait"), lambda ctx: Swap(...), ValueError("a bug"))
    """

    wants_features: tuple[str, ...] = ()
    _script: deque[Answer] = PrivateAttr(default_factory=deque)
    _seen: list[Context] = PrivateAttr(default_factory=list)

    def then(self, *answers: Answer) -> "Scripted":
        """Add answers to the script."""
        self._script.extend(answers)
        return self

    @property
    def seen(self) -> list[Context]:
        """What it was asked about, in order."""
        return self._seen

    def features(self) -> tuple[str, ...]:
        """The features it was made with."""
        return self.wants_features

    def decide(self, ctx: Context) -> Intent:
        """The next answer of the script."""
        self._seen.append(ctx)
        answer = self._script.popleft() if self._script else Hold(reason="nothing in the script")
        if isinstance(answer, BaseException):
            raise answer
        return answer(ctx) if callable(answer) else answer
