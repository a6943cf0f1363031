"""A control that passes everything on by name: to another thread, or over a wire."""

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any

from defai.agent.control import PlayerControl
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


class PassingControl(PlayerControl):
    """Passes wishes and questions on. Whoever derives from it says where to, by `_ask` and `_follow`."""

    async def _ask(self, method: str, **arguments: Any) -> Any:  # noqa: ANN401  whatever the method takes and gives
        """Have a method called where the session is, and give what it gives.

        Raises:
            DefaiError: what it raises there, or where nobody can be reached.
        """
        raise NotImplementedError

    def _follow(self, method: str, **arguments: Any) -> AsyncIterator[Any]:  # noqa: ANN401  the same
        """The same for a method that gives one thing after the other."""
        raise NotImplementedError

    async def pause(self, agent: str) -> None:
        """Passed on."""
        await self._ask("pause", agent=agent)

    async def resume(self, agent: str) -> None:
        """Passed on."""
        await self._ask("resume", agent=agent)

    async def halt_all(self) -> None:
        """Passed on."""
        await self._ask("halt_all")

    async def stop(self) -> None:
        """Passed on."""
        await self._ask("stop")

    async def approve(self, digest: str) -> None:
        """Passed on."""
        await self._ask("approve", digest=digest)

    async def reject(self, digest: str, reason: str) -> None:
        """Passed on."""
        await self._ask("reject", digest=digest, reason=reason)

    async def rate(self, digest: str, verdict: Rated, why: str = "") -> None:
        """Passed on."""
        await self._ask("rate", digest=digest, verdict=verdict, why=why)

    async def quote(self, pool: str, sell_token: str, amount: Decimal) -> QuoteView:
        """Passed on."""
        answer: QuoteView = await self._ask("quote", pool=pool, sell_token=sell_token, amount=amount)
        return answer

    async def explain(self, digest: str) -> Explanation:
        """Passed on."""
        answer: Explanation = await self._ask("explain", digest=digest)
        return answer

    async def verify(self, digest: str) -> Verification:
        """Passed on."""
        answer: Verification = await self._ask("verify", digest=digest)
        return answer

    async def preview_parameters(self, agent: str, values: Mapping[str, str]) -> ParameterPreview:
        """Passed on."""
        answer: ParameterPreview = await self._ask("preview_parameters", agent=agent, values=dict(values))
        return answer

    async def set_parameters(self, agent: str, values: Mapping[str, str]) -> ParameterPreview:
        """Passed on."""
        answer: ParameterPreview = await self._ask("set_parameters", agent=agent, values=dict(values))
        return answer

    async def strategies(self) -> tuple[StrategyCard, ...]:
        """Passed on."""
        answer: tuple[StrategyCard, ...] = await self._ask("strategies")
        return answer

    async def sources(self) -> tuple[SourceCard, ...]:
        """Passed on."""
        answer: tuple[SourceCard, ...] = await self._ask("sources")
        return answer

    async def backtest(self, wish: BacktestWish) -> AsyncIterator[BacktestUpdate]:
        """Passed on."""
        async for update in self._follow("backtest", wish=wish):
            yield update

    async def play(self) -> None:
        """Passed on."""
        await self._ask("play")

    async def hold(self) -> None:
        """Passed on."""
        await self._ask("hold")

    async def seek(self, block_number: int) -> None:
        """Passed on."""
        await self._ask("seek", block_number=block_number)

    async def set_speed(self, blocks_per_s: float) -> None:
        """Passed on."""
        await self._ask("set_speed", blocks_per_s=blocks_per_s)
