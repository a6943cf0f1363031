"""A control that passes everything on by name: to another thread, or over a wire."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import Future
from decimal import Decimal
from typing import Any, Final, TypeVar

from defai.agent.control import Control, PlayerControl
from defai.domain.answers import (
    BacktestUpdate,
    BacktestWish,
    Explanation,
    ParameterPreview,
    QuoteView,
    Rated,
    SourceCard,
    StrategyCard,
    Verification,
)
from defai.errors import NotFoundError, NotRunningError

T = TypeVar("T")
_END: Final = object()


class PassingControl(PlayerControl):
    """Passes wishes and questions on. Whoever derives from it says where to, by `ask` and `follow`."""

    async def ask(self, method: str, **arguments: Any) -> Any:  # noqa: ANN401  whatever the method takes and gives
        """Have a method called where the session is, and give what it gives.

        Raises:
            DefaiError: what it raises there, or where nobody can be reached.
        """
        raise NotImplementedError

    def follow(self, method: str, **arguments: Any) -> AsyncIterator[Any]:  # noqa: ANN401  the same
        """The same for a method that gives one thing after the other."""
        raise NotImplementedError

    async def pause(self, agent: str) -> None:
        """Passed on."""
        await self.ask("pause", agent=agent)

    async def resume(self, agent: str) -> None:
        """Passed on."""
        await self.ask("resume", agent=agent)

    async def halt_all(self) -> None:
        """Passed on."""
        await self.ask("halt_all")

    async def stop(self) -> None:
        """Passed on."""
        await self.ask("stop")

    async def approve(self, digest: str, signature: str = "") -> None:
        """Passed on."""
        await self.ask("approve", digest=digest, signature=signature)

    async def reject(self, digest: str, reason: str) -> None:
        """Passed on."""
        await self.ask("reject", digest=digest, reason=reason)

    async def rate(self, digest: str, verdict: Rated, why: str = "") -> None:
        """Passed on."""
        await self.ask("rate", digest=digest, verdict=verdict, why=why)

    async def quote(self, pool: str, sell_token: str, amount: Decimal) -> QuoteView:
        """Passed on."""
        answer: QuoteView = await self.ask("quote", pool=pool, sell_token=sell_token, amount=amount)
        return answer

    async def explain(self, digest: str) -> Explanation:
        """Passed on."""
        answer: Explanation = await self.ask("explain", digest=digest)
        return answer

    async def verify(self, digest: str) -> Verification:
        """Passed on."""
        answer: Verification = await self.ask("verify", digest=digest)
        return answer

    async def preview_parameters(self, agent: str, values: Mapping[str, str]) -> ParameterPreview:
        """Passed on."""
        answer: ParameterPreview = await self.ask("preview_parameters", agent=agent, values=dict(values))
        return answer

    async def set_parameters(self, agent: str, values: Mapping[str, str]) -> ParameterPreview:
        """Passed on."""
        answer: ParameterPreview = await self.ask("set_parameters", agent=agent, values=dict(values))
        return answer

    async def strategies(self) -> tuple[StrategyCard, ...]:
        """Passed on."""
        answer: tuple[StrategyCard, ...] = await self.ask("strategies")
        return answer

    async def sources(self) -> tuple[SourceCard, ...]:
        """Passed on."""
        answer: tuple[SourceCard, ...] = await self.ask("sources")
        return answer

    async def backtest(self, wish: BacktestWish) -> AsyncIterator[BacktestUpdate]:
        """Passed on."""
        async for update in self.follow("backtest", wish=wish):
            yield update

    async def play(self) -> None:
        """Passed on."""
        await self.ask("play")

    async def hold(self) -> None:
        """Passed on."""
        await self.ask("hold")

    async def seek(self, block_number: int) -> None:
        """Passed on."""
        await self.ask("seek", block_number=block_number)

    async def set_speed(self, blocks_per_s: float) -> None:
        """Passed on."""
        await self.ask("set_speed", blocks_per_s=blocks_per_s)


class AcrossLoops(PassingControl):
    """Passes everything on to a control that lives on another thread's event loop."""

    async def ask(self, method: str, **arguments: Any) -> Any:  # noqa: ANN401  whatever the method takes and gives
        """Asked there, answered here."""
        loop, control = self._there()
        call: Awaitable[Any] = method_of(control, method)(**arguments)
        return await _outcome(asyncio.run_coroutine_threadsafe(_awaited(call), loop))

    async def follow(self, method: str, **arguments: Any) -> AsyncIterator[Any]:  # noqa: ANN401  the same
        """One part after the other, as they come there."""
        loop, control = self._there()
        given: AsyncIterator[Any] = method_of(control, method)(**arguments)
        here, queue = asyncio.get_running_loop(), asyncio.Queue[Any]()

        async def pump() -> None:
            try:
                async for one in given:
                    here.call_soon_threadsafe(queue.put_nowait, one)
            finally:
                here.call_soon_threadsafe(queue.put_nowait, _END)

        pumping: Future[None] = asyncio.run_coroutine_threadsafe(pump(), loop)
        try:
            while (one := await queue.get()) is not _END:
                yield one
            await _outcome(pumping)
        finally:
            pumping.cancel()

    def _there(self) -> tuple[asyncio.AbstractEventLoop, Control]:
        """The loop and the control on it.

        Raises:
            NotRunningError: where there is none (any more).
        """
        raise NotImplementedError


class OnLoop(AcrossLoops):
    """Passes everything on to one control on one loop, as long as that runs."""

    def __init__(self, loop: asyncio.AbstractEventLoop, control: Control) -> None:
        self._loop, self._control = loop, control

    def _there(self) -> tuple[asyncio.AbstractEventLoop, Control]:
        if not self._loop.is_running():
            raise NotRunningError("The session is over.")
        return self._loop, self._control


def method_of(control: Control, method: str) -> Callable[..., Any]:
    """A method of a control by its name.

    Raises:
        NotFoundError: where it has none: what can be done to a replay cannot be done to a session.
    """
    found: Callable[..., Any] | None = getattr(control, method, None)
    if found is None:
        raise NotFoundError(f"This session cannot be asked to {method}.", "It is no replay of a run.")
    return found


async def _outcome(handed: "Future[T]") -> T:
    """What came of something on another loop.

    Raises:
        NotRunningError: where that loop ended before it.
    """
    try:
        return await asyncio.wrap_future(handed)
    except asyncio.CancelledError:
        here = asyncio.current_task()
        if here is None or here.cancelling():
            raise
        raise NotRunningError("The session is over.") from None


async def _awaited(call: Awaitable[Any]) -> Any:  # noqa: ANN401  whatever it gives
    return await call
