"""The control of a made-up session: it answers from the events it heard, and its figures are as made up as those."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from defai.domain.answers import (
    CallView,
    ContributionView,
    Explanation,
    ParameterPreview,
    QuoteView,
    Rated,
    RungView,
    Verification,
)
from defai.domain.stream import (
    AgentCard,
    AgentStateChanged,
    ApprovalRequested,
    ApprovalResolved,
    BlockArrived,
    DecisionView,
    ExecutionSettled,
    ParametersChanged,
    SessionEnded,
    SessionStarted,
    StepCompleted,
    StreamEvent,
)
from defai.errors import NotFoundError
from defai.testing.actor import POOLS, hex_of
from defai.testing.made_up_backtest import MadeUpBacktests, previewed

RUNGS: Final = {
    "integrity": "the payload hashes to the digest, and follows decision {before}",
    "data": "6 features recomputed from 121 blocks of logs",
    "model": "LightGBM and the chain both say 13,411,873 · 2⁻²⁴",
    "decision": "the strategy decides the same again, the guard says the same",
    "execution": "the transaction made these calls and nothing else",
}
FEATURES: Final = (
    ("volatility_6", 318_204, 0.71),
    ("volatility_24", 291_877, 0.32),
    ("volatility_60", 402_110, -0.18),
    ("parkinson_24", 355_020, 0.12),
    ("swaps_12", 201_326_592, -0.05),
    ("base_fee", 7_031_000_000, 0.01),
)


class MadeUpControl(MadeUpBacktests):
    """Answers every question of the terminal.

    Args:
        put: where the events go that a wish brings about.

    Attributes:
        wishes: what was asked for, oldest first: the method and its arguments.
    """

    def __init__(self, put: Callable[[StreamEvent], None] = lambda _: None) -> None:
        super().__init__()
        self.put = put
        self._started: SessionStarted | None = None
        self._block: BlockArrived | None = None
        self._decisions: dict[str, tuple[str, DecisionView]] = {}
        self._executions: dict[str, ExecutionSettled] = {}
        self._requests: dict[str, ApprovalRequested] = {}

    def hear(self, events: Iterable[StreamEvent]) -> None:
        """Take in what was told, to answer from it."""
        for event in events:
            match event:
                case SessionStarted():
                    self._started = event
                case BlockArrived():
                    self._block = event
                case StepCompleted(decision=DecisionView() as decision):
                    self._decisions[decision.digest] = (event.agent, decision)
                case ExecutionSettled():
                    self._executions[event.digest] = event
                case ApprovalRequested():
                    self._requests[event.digest] = event
                case _:
                    pass

    async def pause(self, agent: str) -> None:
        """Say that it is paused."""
        self.wishes.append(("pause", agent))
        self.put(AgentStateChanged(agent, "paused", "by its owner"))

    async def resume(self, agent: str) -> None:
        """Say that it runs."""
        self.wishes.append(("resume", agent))
        self.put(AgentStateChanged(agent, "running", ""))

    async def halt_all(self) -> None:
        """Say that all are paused."""
        self.wishes.append(("halt_all",))
        for card in self._started.agents if self._started else ():
            self.put(AgentStateChanged(card.name, "paused", "all halted"))

    async def stop(self) -> None:
        """Say that the session ended."""
        self.wishes.append(("stop",))
        self.put(SessionEnded("It ended as asked.", "", 0))

    async def approve(self, digest: str, signature: str = "") -> None:  # noqa: ARG002  part of the protocol
        """Say that it was approved."""
        self._resolve("approve", digest, "approved", "")

    async def reject(self, digest: str, reason: str) -> None:
        """Say that it was rejected."""
        self._resolve("reject", digest, "rejected", reason)

    def _resolve(self, method: str, digest: str, outcome: str, reason: str) -> None:
        request = self._requests.pop(digest, None)
        if request is None:
            raise NotFoundError("That decision does not wait any more.")
        self.wishes.append((method, digest, reason) if reason else (method, digest))
        self.put(
            ApprovalResolved(request.agent, digest, outcome, "the owner", reason, request.block_number + 1)
        )
        self.put(AgentStateChanged(request.agent, "running", ""))

    async def rate(self, digest: str, verdict: Rated, why: str = "") -> None:
        """Remember it."""
        self.wishes.append(("rate", digest, verdict, why))

    async def quote(self, pool: str, sell_token: str, amount: Decimal) -> QuoteView:
        """A price that falls with the amount."""
        self.wishes.append(("quote", pool, sell_token, str(amount)))
        card = next(one for one in POOLS if one.address == pool)
        quotes = self._block.pools if self._block else ()
        before = next((one.price for one in quotes if one.address == pool), Decimal(2_100))
        sells_base = sell_token == card.base_symbol
        base = amount if sells_base else amount / before
        fee = Decimal(card.fee_pips) / 100
        cost = fee + base / 10
        paid = before * (1 + cost / 10_000 * (-1 if sells_base else 1))
        gives = amount * paid if sells_base else amount / paid
        after = before * (1 + base / 50_000 * (-1 if sells_base else 1))
        buys = card.quote_symbol if sells_base else card.base_symbol
        block = self._block.number if self._block else 0
        return QuoteView(
            pool,
            block,
            sell_token,
            buys,
            amount,
            round(gives, 6),
            round(paid, 2),
            before,
            round(after, 2),
            round(cost, 2),
            fee,
        )

    async def explain(self, digest: str) -> Explanation:
        """What its event said, and contributions that are always the same."""
        agent, one = self._decision(digest)
        done = self._executions.get(digest)
        asked = one.forecast is not None
        acted = one.action != "hold" and one.verdict == "approved"
        call = CallView(
            POOLS[0].address, f"SwapRouter02.exactInputSingle({one.text.removeprefix('swap ')})", "0x04e45aaf"
        )
        return Explanation(
            agent=agent,
            digest=digest,
            sequence=one.sequence,
            previous_digest=hex_of("decision", agent, one.sequence - 1),
            block_number=one.block_number,
            action=one.action,
            text=one.text,
            reason=one.reason,
            verdict=one.verdict,
            verdict_reason=one.verdict_reason,
            checks=one.checks,
            forecast=one.forecast,
            features=tuple((name, value) for name, value, _ in FEATURES) if asked else (),
            usual_forecast=44.0 if asked else None,
            contributions=tuple(
                ContributionView(name, value, value - 9_000, adds) for name, value, adds in FEATURES
            )
            if asked
            else (),
            contributions_note="" if asked else "it decides without a model",
            calls=(call,) if acted else (),
            outcome=done.text if done else "",
            status=done.status if done else "",
            record_id=done.record_id if done else None,
            anchored=False,
            transaction_hash=done.transaction_hash if done else None,
            gas_used=done.gas_used if done else None,
            gas_usd=done.gas_usd if done else None,
            strategy_digest=hex_of("strategy", agent),
            model_digest=one.forecast.model_digest if one.forecast else None,
            payload='{"features":{"volatility_6":318204},"intent":{"action":"hold"}}',
        )

    async def verify(self, digest: str) -> Verification:
        """All rungs hold, but for the execution of what nobody carried out."""
        self.wishes.append(("verify", digest))
        agent, one = self._decision(digest)
        done = self._executions.get(digest)
        rungs = tuple(
            RungView(name, "holds", note.format(before=one.sequence - 1))
            if done is not None or name != "execution"
            else RungView(name, "open", "nothing was carried out")
            for name, note in RUNGS.items()
        )
        record = done.record_id if done else None
        return Verification(
            digest, agent, one.sequence, record, rungs, is_verified=True, score=100, seconds=0.42
        )

    def _decision(self, digest: str) -> tuple[str, DecisionView]:
        found = self._decisions.get(digest)
        if found is None:
            raise NotFoundError("No such decision is known.")
        return found

    async def preview_parameters(self, agent: str, values: Mapping[str, str]) -> ParameterPreview:
        """The decision changes with them."""
        return previewed(self._card(agent), values, self._block)

    async def set_parameters(self, agent: str, values: Mapping[str, str]) -> ParameterPreview:
        """As the preview, and the change is told."""
        self.wishes.append(
            ("set_parameters", agent, *(f"{name}={value}" for name, value in sorted(values.items())))
        )
        found = previewed(self._card(agent), values, self._block)
        if found.errors:
            return found
        block = self._block.number if self._block else 0
        card = self._card(agent)
        self.put(
            ParametersChanged(
                agent, {**card.parameters, **values}, found.strategy_digest, block, hex_of("set", agent)
            )
        )
        return replace(found, applied=True)

    def _card(self, agent: str) -> AgentCard:
        cards = self._started.agents if self._started else ()
        return next(card for card in cards if card.name == agent)
