"""Sessions whose chain stands when they are over, among them such whose agents lie."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from defai.agent.agent import Agent
from defai.agent.bus import Bus
from defai.agent.ports import PublicWorld
from defai.audit.canonical import digest
from defai.audit.record import Draft, features_digest
from defai.chain.download.patience import PatientRpc
from defai.chain.rpc import Json, Request
from defai.config import Settings
from defai.domain.decisions import Action, FeatureRow
from defai.domain.operations import Call, Operation
from defai.session.session import Session

DEADLINE_S: Final = 600.0
ELSE: Final = digest(b"something else")
Lie = Callable[[Draft], Draft]
Alteration = Callable[[str, Json, Json], Json]
"""Given method, parameters and result; gives what is answered instead."""


@dataclass(frozen=True)
class Standing:
    """A chain with records on it, and nobody who runs it."""

    url: str
    contract: str
    session: Session

    def agent_id(self, name: str) -> int:
        return next(agent.seat.agent_id for agent in self.session.agents if agent.name == name)


class TamperedRpc(PatientRpc):
    """A connection on whose way somebody changes answers."""

    def __init__(self, url: str, alter: Alteration) -> None:
        super().__init__(url, attempts=1)
        self._alter = alter
        self.altered = 0

    async def once(self, method: str, *params: Json) -> Json:
        return self._altered(method, params, await super().once(method, *params))

    async def batch_settled(self, requests: Sequence[Request]) -> list[Json]:
        results = await super().batch_settled(requests)
        return [
            self._altered(method, params, result)
            for (method, params), result in zip(requests, results, strict=True)
        ]

    def _altered(self, method: str, params: Json, result: Json) -> Json:
        instead = self._alter(method, params, result)
        self.altered += instead is not result
        return instead


class LyingSession(Session):
    """A session some of whose agents do not record what they decide, or do not do what they record."""

    async def _set_up(self) -> None:
        await super()._set_up()
        for agent in self.agents:
            if agent.name in LIES:
                _let_lie(agent, LIES[agent.name])
            elif agent.name == "calls":
                _let_encode_otherwise(agent)


def _let_lie(agent: Agent, lie: Lie) -> None:
    honest = agent._draft
    agent._draft = lambda *seen: lie(honest(*seen))  # type: ignore[method-assign]  # this one lies, others of its class do not


def _let_encode_otherwise(agent: Agent) -> None:
    honest = agent.desk._encode

    def otherwise(operations: Sequence[Operation]) -> tuple[Call, ...]:
        *calls, last = honest(operations)
        return (*calls, replace(last, data=last.data[:-1] + bytes([last.data[-1] ^ 1])))

    agent.desk._encode = otherwise


def _payload(draft: Draft, **parts: object) -> Draft:
    return replace(draft, payload={**draft.payload, **parts})


def _features(draft: Draft) -> Draft:
    named: Mapping[str, int] = draft.payload["features"]
    first = next(iter(named))
    changed = {**named, first: named[first] + 1}
    spec = "0x" + "00" * 32
    row = FeatureRow(draft.block_number, tuple(changed), tuple(changed.values()), spec)
    return replace(_payload(draft, features=changed), features_digest=features_digest(row))


def _on_trades(lie: Lie) -> Lie:
    return lambda draft: draft if draft.action is Action.HOLD else lie(draft)


def _on_holds(lie: Lie) -> Lie:
    return lambda draft: lie(draft) if draft.action is Action.HOLD else draft


LIES: Final[Mapping[str, Lie]] = {
    "features": _on_trades(_features),
    "features-digest": _on_trades(lambda draft: replace(draft, features_digest=ELSE)),
    "forecast": _on_trades(lambda draft: replace(draft, forecast_x24=draft.forecast_x24 + 1)),
    "model": _on_trades(lambda draft: replace(draft, model_digest=ELSE)),
    "strategy": _on_trades(lambda draft: replace(draft, strategy_digest=ELSE)),
    "intent": _on_trades(
        lambda draft: _payload(draft, intent={**draft.payload["intent"], "tick_lower": 199_000})
    ),
    "reason": _on_trades(lambda draft: _payload(draft, reason="a hunch")),
    "verdict": _on_trades(
        lambda draft: _payload(draft, verdict={**draft.payload["verdict"], "status": "clipped"})
    ),
    "action": _on_trades(lambda draft: replace(draft, action=Action.SWAP)),
    "name": _on_trades(lambda draft: _payload(draft, agent="somebody")),
    "hold-reason": _on_holds(lambda draft: _payload(draft, reason="a hunch")),
    "hold-forecast": _on_holds(lambda draft: replace(draft, forecast_x24=draft.forecast_x24 + 1)),
    "hold-block": _on_holds(lambda draft: replace(draft, block_hash=ELSE)),
}
"""What agents record instead of the truth, by agent's name."""


@contextmanager
def standing(
    settings: Settings,
    blocks: int,
    kind: type[Session] = Session,
    meanwhile: Callable[[Session], None] | None = None,
) -> Iterator[Standing]:
    """Run a session to its end in a thread, and let its chain stand while this is open.

    Args:
        settings: what to run.
        blocks: for how long.
        kind: honest or lying.
        meanwhile: is given the session before it runs.
    """
    session = kind(settings, Bus(), blocks=blocks)
    if meanwhile is not None:
        meanwhile(session)
    loop = asyncio.new_event_loop()
    over, ready = asyncio.Event(), threading.Event()
    failures: list[BaseException] = []

    async def stand(summary: dict[str, Any]) -> None:
        assert summary["blocks"] == blocks
        ready.set()
        await over.wait()

    def run() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(session.run())
        except BaseException as error:
            failures.append(error)
            raise
        finally:
            ready.set()
            loop.close()

    session.afterwards = stand
    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(DEADLINE_S), "the session did not end"
        assert not failures, failures
        world: object = session.world
        assert isinstance(world, PublicWorld)
        yield Standing(world.rpc_url, session.world.audit_log.domain.contract, session)  # type: ignore[union-attr]  # it is there
    finally:
        if not failures:
            loop.call_soon_threadsafe(over.set)
        thread.join(DEADLINE_S)
