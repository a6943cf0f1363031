"""What a person wants of the session: asked for in the background, and said on the screen where it is refused."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from textual.app import App
from textual.worker import Worker

from defai.agent.control import Control
from defai.domain.answers import Explanation, Rated, Verification
from defai.domain.others_words import made_harmless
from defai.domain.stream import SessionEnded
from defai.errors import DefaiError
from defai.harmless import harmless
from defai.tui.lines import AgentLine, LogLine
from defai.tui.waiting import RequestLine

log = logging.getLogger(__name__)

T = TypeVar("T")


class Wishes:
    """Passes wishes and questions on to the session.

    Args:
        app: runs the calls and says what was refused.
        control: steers the session, and answers.
        changed: called with the parts of the screen that show a wish or an answer.
        ended: called where not even the end could be asked for.
    """

    def __init__(
        self,
        app: App[Any],
        control: Control,
        changed: Callable[[set[str]], None],
        ended: Callable[[SessionEnded], None],
    ) -> None:
        self._app, self.control = app, control
        self._changed, self._ended = changed, ended

    def ask(
        self,
        call: Awaitable[T],
        then: Callable[[T], None] | None = None,
        refused: Callable[[DefaiError], None] | None = None,
    ) -> None:
        """Wait for an answer in the background.

        Args:
            call: the question.
            then: what is done with the answer.
            refused: what is done with a refusal; without it, it is said on the screen.
        """
        self._app.run_worker(
            self._answered(call, then, refused), name="wish", group="wishes", exit_on_error=False
        )

    async def _answered(
        self,
        call: Awaitable[T],
        then: Callable[[T], None] | None,
        refused: Callable[[DefaiError], None] | None,
    ) -> None:
        try:
            answer = made_harmless(await call)
        except Exception as error:  # noqa: BLE001  what was asked for must not seem under way for ever
            refusal = refusal_of(error)
            if refused is not None:
                refused(refusal)
            else:
                self.say(refusal)
            return
        if then is not None:
            then(answer)

    def follow(
        self,
        updates: AsyncIterator[T],
        each: Callable[[T], None],
        ended: Callable[[DefaiError | None], None],
    ) -> Worker[None]:
        """Take answers as they come, in the background; cancelling the worker ends what gives them.

        Args:
            updates: the answers.
            each: what is done with each.
            ended: called after the last, with the refusal where there was one; not where it was cancelled.
        """
        return self._app.run_worker(
            self._followed(updates, each, ended), name="wish", group="followed", exit_on_error=False
        )

    async def _followed(
        self,
        updates: AsyncIterator[T],
        each: Callable[[T], None],
        ended: Callable[[DefaiError | None], None],
    ) -> None:
        try:
            async for update in updates:
                each(made_harmless(update))
        except Exception as error:  # noqa: BLE001  as above
            ended(refusal_of(error))
        else:
            ended(None)
        finally:
            close = getattr(updates, "aclose", None)  # a generator's, which is what a control gives
            if close is not None:
                await close()

    def say(self, refusal: DefaiError) -> None:
        """Say what was refused."""
        self._app.notify(harmless(str(refusal)), severity="error", markup=False)

    # -- agents ----------------------------------------------------------------------------------------------------

    def toggle(self, line: AgentLine) -> None:
        """Pause an agent that runs or waits; let one run again that is paused or stopped; one wish at a time."""
        if line.wish:
            return

        def forget(refusal: DefaiError) -> None:
            line.wish = ""
            line.version += 1
            self.say(refusal)
            self._changed({"agents", "risk"})

        if line.state in {"paused", "stopped"}:
            line.wish = "resuming"
            self.ask(self.control.resume(line.key), refused=forget)
        else:
            line.wish = "pausing"
            self.ask(self.control.pause(line.key), refused=forget)
        line.version += 1
        self._changed({"agents", "risk"})

    def halt_all(self) -> None:
        """Pause every agent."""
        self.ask(self.control.halt_all())

    def stop(self) -> None:
        """End the session."""
        self.ask(
            self.control.stop(),
            refused=lambda no: self._ended(SessionEnded(no.sentence, no.hint, no.exit_code)),
        )

    # -- decisions -------------------------------------------------------------------------------------------------

    def explain(self, line: LogLine) -> None:
        """Ask for everything there is to know of a decision, once; what cannot be told is left out."""
        digest = line.decision.digest
        line.asked_about = True
        if line.explained == digest:
            return
        line.explained = digest

        def take(answer: Explanation) -> None:
            if line.decision.digest == digest:
                line.explanation, line.rating = answer, answer.rating or line.rating
                line.version += 1
                self._changed({"log", "card"})

        def go_without(refusal: DefaiError) -> None:
            line.explanation_refused = refusal.sentence
            self._changed({"log", "card"})

        self.ask(self.control.explain(digest), take, go_without)

    def verify(self, line: LogLine) -> None:
        """Have the rungs climbed for a decision; one climb at a time."""
        if line.verifying:
            return
        digest = line.decision.digest
        line.asked_about = line.verifying = True

        def take(answer: Verification) -> None:
            line.verifying = False
            if line.decision.digest == digest:
                line.verification = answer
            line.version += 1
            self._changed({"log", "card"})

        def give_up(refusal: DefaiError) -> None:
            line.verifying = False
            line.version += 1
            self.say(refusal)
            self._changed({"log", "card"})

        line.version += 1
        self._changed({"log", "card"})
        self.ask(self.control.verify(digest), take, give_up)

    def rate(self, line: LogLine, rating: Rated, why: str = "") -> None:
        """Say what one thinks of a decision."""
        digest = line.decision.digest
        line.asked_about = True

        def take(_: None) -> None:
            if line.decision.digest == digest:
                line.rating = rating
                line.version += 1
                self._changed({"log", "card"})

        self.ask(self.control.rate(digest, rating, why), take)

    # -- approvals -------------------------------------------------------------------------------------------------

    def approve(self, line: RequestLine) -> None:
        """Let a decision be carried out."""
        self._resolve(line, "approving", self.control.approve(line.key))

    def reject(self, line: RequestLine, reason: str) -> None:
        """Have a decision dropped."""
        self._resolve(line, "rejecting", self.control.reject(line.key, reason))

    def _resolve(self, line: RequestLine, wish: str, call: Awaitable[None]) -> None:
        def forget(refusal: DefaiError) -> None:
            line.wish = ""
            line.version += 1
            self.say(refusal)
            self._changed({"approvals"})

        line.wish = wish
        line.version += 1
        self.ask(call, refused=forget)
        self._changed({"approvals"})


def refusal_of(error: Exception) -> DefaiError:
    """An error as a refusal; of one that is none, the log keeps where it happened."""
    if isinstance(error, DefaiError):
        return error
    log.error("what was asked of the session failed", exc_info=error)
    return DefaiError(f"This is a defect in defai, not a mistake of yours: {type(error).__name__}: {error}")
