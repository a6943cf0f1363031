"""Parameters that are set while a session runs: announced, and in force from the next decision on."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from defai.agent.agent import Agent
from defai.agent.ports import PublicWorld, World
from defai.audit.amendment import Amendment
from defai.audit.record import strategy_digest
from defai.domain.stream import ParametersChanged
from defai.session.fleet import Member, canonical_parameters, texts_of
from defai.strategy.api import Strategy
from defai.worlds.seat_ledger import write_whole

PARAMETERS: Final = "parameters.json"
"""Of a run's directory: what was set since the run began, by agent."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    agent: Agent
    source: bytes
    strategy: Strategy


class Tuning:
    """Takes wishes at any moment, and grants them between two blocks: a decision is taken by one or the other."""

    def __init__(self) -> None:
        self._wanted: dict[str, _Wanted] = {}

    def want(self, agent: Agent, source: bytes, strategy: Strategy) -> None:
        """Let an agent decide by this from the next decision on.

        Args:
            agent: on its seat.
            source: of its strategy.
            strategy: the same with other parameters.
        """
        self._wanted[agent.name] = _Wanted(agent, source, strategy)

    def recall(self, run: Path | None, agents: Sequence[Agent], members: Sequence[Member]) -> None:
        """Want again what was set in a run that is taken up. It is announced anew: nobody knows if that was done."""
        path = run / PARAMETERS if run else None
        if path is None or not path.exists():
            return
        kept = json.loads(path.read_text(encoding="utf-8"))
        for agent, member in zip(agents, members, strict=True):
            if agent.name in kept:
                kind = type(agent.mandate.strategy)
                self.want(agent, member.loaded.source, kind.model_validate(kept[agent.name]))

    async def grant(self, world: World, run: Path | None) -> list[ParametersChanged]:
        """Put in force what is wanted: kept first, then announced, then used.

        Returns:
            What is in force now, to be told.

        Raises:
            DefaiError: where it cannot be kept, or the node refuses what is announced.
        """
        wanted, self._wanted = self._wanted, {}
        if not wanted:
            return []
        digests, amendments = {}, {}
        for name, one in wanted.items():
            parameters = canonical_parameters(one.strategy)
            digests[name] = strategy_digest(one.source, parameters)
            amendments[name] = Amendment(
                agent_id=one.agent.seat.agent_id,
                upon=one.agent.desk.market.head.number,
                strategy_digest=digests[name],
                parameters=parameters,
            ).encode()
        if run is not None:
            _keep(run, {name: one.strategy for name, one in wanted.items()})
        if isinstance(world, PublicWorld) and world.rpc_url:
            await world.amend(amendments)
        for name, one in wanted.items():
            one.agent.mandate = replace(
                one.agent.mandate, strategy=one.strategy, strategy_digest=digests[name]
            )
        return [
            ParametersChanged(name, texts_of(one.strategy), digests[name], one.agent.desk.market.head.number)
            for name, one in wanted.items()
        ]


def _keep(run: Path, changed: dict[str, Strategy]) -> None:
    path = run / PARAMETERS
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept |= {name: strategy.model_dump(mode="json") for name, strategy in changed.items()}
    write_whole(path, json.dumps(kept).encode())
