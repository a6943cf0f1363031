"""What a person can do to a session, and ask of it. The terminal and the event server are handed one of these."""

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Protocol

from defai.domain.answers import (
    BacktestProgressed,
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
from defai.errors import NotFoundError


class Control(Protocol):
    """Steers a session and answers questions. Safe to call from any thread; none of it slows the agents down.

    Each wish returns once the session has taken it. Every method may raise a DefaiError: what was asked is refused or
    not available, in a sentence.
    """

    async def pause(self, agent: str) -> None:
        """Let an agent decide nothing until it is resumed; its positions stay as they are."""

    async def resume(self, agent: str) -> None:
        """Let a paused or stopped agent decide again."""

    async def halt_all(self) -> None:
        """Pause every agent."""

    async def stop(self) -> None:
        """End the session: what is under way is settled, holds are anchored, processes end."""

    async def approve(self, digest: str, signature: str = "") -> None:
        """Let a decision that waits for the owner be carried out, with the owner's signature.

        Args:
            digest: the decision's.
            signature: the owner's, in hex, over the vault's `approvalDigest` of the digest and of the moment the
                request expires at; empty lets the session sign where the owner's key is there.

        Raises:
            NotFoundError: where it does not wait (any more).
            ConfigError: where the signature is not the owner's, or nobody can sign.
        """

    async def reject(self, digest: str, reason: str) -> None:
        """Let a decision that waits for the owner be dropped; the reason is kept."""

    async def rate(self, digest: str, verdict: Rated, why: str = "") -> None:
        """Say what one thinks of a decision; retraining learns from it where that helps."""

    async def quote(self, pool: str, sell_token: str, amount: Decimal) -> QuoteView:
        """What selling an amount would give now.

        Args:
            pool: its address.
            sell_token: symbol or address of one of its two tokens.
            amount: as a person writes it, above zero.
        """
        ...

    async def explain(self, digest: str) -> Explanation:
        """Everything there is to know of a decision."""
        ...

    async def verify(self, digest: str) -> Verification:
        """Climb the ladder for a decision, from the chain alone; may take seconds."""
        ...

    async def preview_parameters(self, agent: str, values: Mapping[str, str]) -> ParameterPreview:
        """Whether an agent's strategy takes these parameters, and what it would decide now with them.

        Args:
            agent: its name.
            values: as typed, by name; the others stay as they are.
        """
        ...

    async def set_parameters(self, agent: str, values: Mapping[str, str]) -> ParameterPreview:
        """As `preview_parameters`; where there are no errors they are in force from the next block on."""
        ...

    async def strategies(self) -> tuple[StrategyCard, ...]:
        """Strategies that a backtest can be asked for."""
        ...

    async def sources(self) -> tuple[SourceCard, ...]:
        """History that a backtest can run over."""
        ...

    def backtest(self, wish: BacktestWish) -> AsyncIterator[BacktestUpdate]:
        """Run a backtest in a process of its own: its progress, then its result. Closing the iterator ends it."""
        ...


class PlayerControl(Control, Protocol):
    """The control of a finished run that is played back."""

    async def play(self) -> None:
        """Go on, from the beginning where the end was reached."""

    async def hold(self) -> None:
        """Stand still."""

    async def seek(self, block_number: int) -> None:
        """Go to a block; backwards the stream restarts and comes up to it at once."""

    async def set_speed(self, blocks_per_s: float) -> None:
        """Play so many blocks a second from now on."""


class BareControl(Control):
    """A control that can do nothing: whoever offers only a part of `Control` derives from it."""

    async def pause(self, agent: str) -> None:
        """Refused."""
        raise _refusal(f"{agent} cannot be paused")

    async def resume(self, agent: str) -> None:
        """Refused."""
        raise _refusal(f"{agent} cannot be resumed")

    async def halt_all(self) -> None:
        """Refused."""
        raise _refusal("Agents cannot be halted")

    async def stop(self) -> None:
        """Refused."""
        raise _refusal("Nothing can be stopped")

    async def approve(self, digest: str, signature: str = "") -> None:  # noqa: ARG002  part of the protocol
        """Refused."""
        raise _refusal(f"Decision {digest[:10]}… cannot be approved")

    async def reject(self, digest: str, reason: str) -> None:  # noqa: ARG002  part of the protocol
        """Refused."""
        raise _refusal(f"Decision {digest[:10]}… cannot be rejected")

    async def rate(self, digest: str, verdict: Rated, why: str = "") -> None:  # noqa: ARG002  part of the protocol
        """Refused."""
        raise _refusal(f"Decision {digest[:10]}… cannot be rated")

    async def quote(self, pool: str, sell_token: str, amount: Decimal) -> QuoteView:  # noqa: ARG002  part of the protocol
        """Refused."""
        raise _refusal("Swaps cannot be quoted")

    async def explain(self, digest: str) -> Explanation:
        """Refused."""
        raise _refusal(f"Decision {digest[:10]}… cannot be explained")

    async def verify(self, digest: str) -> Verification:
        """Refused."""
        raise _refusal(f"Decision {digest[:10]}… cannot be verified")

    async def preview_parameters(self, agent: str, values: Mapping[str, str]) -> ParameterPreview:  # noqa: ARG002  part of the protocol
        """Refused."""
        raise _refusal(f"Parameters of {agent} cannot be tried")

    async def set_parameters(self, agent: str, values: Mapping[str, str]) -> ParameterPreview:  # noqa: ARG002  part of the protocol
        """Refused."""
        raise _refusal(f"Parameters of {agent} cannot be changed")

    async def strategies(self) -> tuple[StrategyCard, ...]:
        """Refused."""
        raise _refusal("Strategies cannot be listed")

    async def sources(self) -> tuple[SourceCard, ...]:
        """Refused."""
        raise _refusal("History cannot be listed")

    async def backtest(self, wish: BacktestWish) -> AsyncIterator[BacktestUpdate]:
        """Refused."""
        if wish:
            raise _refusal("Nothing can be backtested")
        yield BacktestProgressed("", None, 0.0)


def _refusal(sentence: str) -> NotFoundError:
    return NotFoundError(f"{sentence} here.", "It takes a running session that offers it.")
