"""Keeps a fleet's models up to date: retrains, judges, switches, rolls back, and stops who forecasts by a stale one."""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from defai.audit.amendment import Amendment
from defai.config import ModelSettings
from defai.domain.intents import Hold, Intent
from defai.domain.stream import ChallengeView, Notice, StreamEvent, SwitchView
from defai.errors import DefaiError
from defai.market.state import MarketState
from defai.models.lineage import Lineage, Switch
from defai.models.registry import ModelRegistry
from defai.models.trained import TrainedModel
from defai.session.model_telling import judge, model_seen
from defai.session.served_model import ServedModel
from defai.strategy.api import Context

if TYPE_CHECKING:
    from defai.agent.agent import Agent
    from defai.models.challenge import Outcome
    from defai.models.drift import Profile
    from defai.session.retraining import Worker

_HOUR: Final = 3_600
_DAY: Final = 86_400
_LAST: Final = 8
"""Challenges and switches of a model that are told again with it."""
_OUTCOMES_A_TELLING: Final = 25

Asked = Mapping[str, Callable[[Context], Intent]]
"""By agent: what is asked instead of its strategy."""
Record = Callable[[TrainedModel, Switch], Awaitable[None]]
"""Puts a switch on the chain."""
Amend = Callable[[Mapping[str, bytes]], Awaitable[None]]
"""Lets agents announce what of their charters is another now."""


@dataclass(frozen=True, slots=True)
class Chain:
    """What is said on the chain.

    Attributes:
        is_taken_up: whether the run was begun by an earlier process: what the agents said last is not known then.
    """

    record: Record
    amend: Amend
    is_taken_up: bool = False


@dataclass(slots=True)
class _Place:
    """A served model with who asks it, and when it was trained last."""

    served: ServedModel
    agents: "list[Agent]"
    pools: tuple[str, ...]
    features: tuple[str, ...]
    trained_at: int = -1
    worker: "Worker | None" = None
    own_blocks: bool = False
    holds: str = ""
    unwatched: str = ""
    announced: tuple[str, str] = ("", "")
    told: tuple[object, ...] = ()
    challenges: deque[ChallengeView] = field(default_factory=lambda: deque(maxlen=_LAST))
    switches: deque[SwitchView] = field(default_factory=lambda: deque(maxlen=_LAST))


class ModelKeeper:
    """The models of a fleet, while it runs.

    Args:
        settings: how often, from how much, and whether drift is watched.
        folder: of the models' registry.
        market: where rows come from.
        publish: told what happens.
        chain: where switches are recorded and charters amended; None where there is none.
        run: the run's directory, where decisions are rated; None where there is none.
        lock_step: whether runs have to repeat to the last digest.
    """

    def __init__(
        self,
        settings: ModelSettings,
        folder: Path,
        market: MarketState,
        publish: Callable[[StreamEvent], None],
        chain: Chain | None,
        *,
        run: Path | None,
        lock_step: bool,
    ) -> None:
        from defai.session.retraining import LOCK_STEP_BLOCKS, RowKeeper  # noqa: PLC0415  numpy: not in every session

        self._settings = settings
        self._registry = ModelRegistry(folder)
        self._market = market
        self._publish = publish
        self._chain = chain
        self._run = run
        self._patience = LOCK_STEP_BLOCKS if lock_step else None
        self._places: list[_Place] = []
        self._rows: RowKeeper = RowKeeper(settings.train_period_days * _DAY)
        self._addresses = {key.name: address for address, key in market.keys.items()}

    def serve(self, agent: "Agent", key: str, model: TrainedModel, profile: "Profile | None") -> None:
        """Let an agent forecast by a model that this keeps. Agents of one key share it."""
        place = next((place for place in self._places if place.served.key == key), None)
        if place is None:
            served = ServedModel(key, model, profile if self._settings.watch_drift else None)
            mandate = agent.mandate
            pools = tuple(pool.name for pool in mandate.pools)
            place = _Place(served, [], pools, mandate.watched)
            if self._chain is None or not self._chain.is_taken_up:
                place.announced = (model.digest, "")
            self._places.append(place)
        place.agents.append(agent)
        agent.mandate = replace(agent.mandate, model=place.served)

    async def on_block(self) -> Asked:
        """Take in the newest block, before the agents decide upon it.

        Returns:
            What is to be asked instead of an agent's strategy: where its model drifted, it decides to hold.
        """
        windows = {name: self._market.windows[address] for name, address in self._addresses.items()}
        self._rows.add(windows)
        for place in self._places:
            names = [agent.name for agent in place.agents]
            judge(place.served, windows[place.pools[0]], names, self._publish)
            await self._follow_the_registry(place)
            await self._retrain(place)
            self._tell_drift(place)
            self._tell_model(place)
            await self._amend(place)
        return {
            agent.name: partial(_hold, place.holds)
            for place in self._places
            if place.holds
            for agent in place.agents
        }

    async def _amend(self, place: _Place) -> None:
        """Let agents announce by which model they decide from this block on, or that they hold whatever it says."""
        now = (place.served.model.digest, place.holds)
        if self._chain is None or place.announced == now:
            return
        place.announced = now
        digest, holds = now
        await self._chain.amend(
            {
                agent.name: Amendment(
                    agent_id=agent.seat.agent_id, upon=self._head, model_digest=digest, holds=holds
                ).encode()
                for agent in place.agents
            }
        )

    def _tell_model(self, place: _Place) -> None:
        """Tell of a model whenever something of it is new."""
        served, watch = place.served, place.served.watch
        found = watch.misses.count // _OUTCOMES_A_TELLING if watch else 0
        news = (
            served.model.digest,
            served.drift,
            watch.worst if watch else None,
            found,
            place.worker is not None,
            len(place.challenges) and place.challenges[-1],
            len(place.agents),
        )
        if news == place.told:
            return
        place.told = news
        self._publish(
            model_seen(
                served.key,
                served.model,
                [agent.name for agent in place.agents],
                watch=watch,
                retraining=place.worker is not None,
                challenges=tuple(place.challenges),
                switches=tuple(place.switches),
                block_number=self._head,
            )
        )

    def _tell_drift(self, place: _Place) -> None:
        served, drift = place.served, place.served.drift
        if self._settings.watch_drift and served.watch is None and place.unwatched != served.model.digest:
            place.unwatched = served.model.digest
            why = "the rows it learned from are not kept"
            self._say("warning", f"Nobody watches the model of {_names(place)} for drift: {why}.")
        if drift and not place.holds:
            place.holds = drift  # and stays: what is announced is not said anew with every outcome
            self._say("warning", f"{_names(place, 'hold')}: {drift}.")
        elif place.holds and not drift:
            place.holds = ""
            self._say("info", f"The model of {_names(place)} is asked about what it knows again.")

    def close(self) -> None:
        """End whatever is under way."""
        for place in self._places:
            if place.worker is not None:
                place.worker.close()
                place.worker = None

    async def _follow_the_registry(self, place: _Place) -> None:
        """Take over what an operator did: `defai models rollback` moves a key while the session runs."""
        digest = self._registry.keys().get(place.served.key)
        if digest is None or digest == place.served.model.digest:
            return
        switches = Lineage(self._registry).of(place.served.key)
        reason = (
            switches[-1].reason if switches and switches[-1].digest == digest else "moved by the operator"
        )
        switch = Switch(digest, place.served.model.digest, reason, self._head, is_rollback=True)
        await self._switch(place, switch, None)

    async def _retrain(self, place: _Place) -> None:
        if self._settings.live_retrain_hours <= 0:
            return
        try:
            if place.worker is None:
                self._start_when_due(place)
                return
            if self._patience is not None:
                if self._head - place.worker.started_at < self._patience:
                    return
                await place.worker.wait()
            elif not place.worker.is_done:
                return
            worker, place.worker = place.worker, None
            await self._judge(place, worker.outcome())
        except DefaiError as error:
            self._say("info", f"The model of {_names(place)} stays: {error.sentence}")

    def _start_when_due(self, place: _Place) -> None:
        from defai.models.challenge import Challenge  # noqa: PLC0415  numpy: not in every session
        from defai.models.training import QUICK  # noqa: PLC0415  the same
        from defai.session.retraining import LEAST_BLOCKS, Worker  # noqa: PLC0415  the same

        now = self._market.head.timestamp
        if place.trained_at < 0:
            place.trained_at = now
        rows = self._rows.of(place.pools)
        if now - place.trained_at < self._settings.live_retrain_hours * _HOUR:
            return
        if len(rows[place.pools[0]]) < LEAST_BLOCKS:
            return
        place.trained_at = now
        task = Challenge(
            histories=rows,
            feature_names=place.features,
            holder=place.served.model.digest,
            folder=self._registry.folder,
            own_blocks=place.own_blocks,
            design=replace(QUICK, seed=self._head, row_weights=self._weights(place)),
        )
        place.worker = Worker(task, self._head)
        self._say("info", f"retraining the model of {_names(place)} on {len(rows[place.pools[0]]):,} blocks")

    def _weights(self, place: _Place) -> Mapping[int, float] | None:
        """What the operator's ratings of the agents' decisions make of rows."""
        if self._run is None:
            return None
        from defai.session.ratings import ratings_in, row_weights  # noqa: PLC0415  not in every session

        names = {agent.name for agent in place.agents}
        return row_weights([rating for rating in ratings_in(self._run) if rating.agent in names]) or None

    async def _judge(self, place: _Place, outcome: "Outcome") -> None:
        place.challenges.append(
            ChallengeView(
                outcome.challenger,
                outcome.holder,
                outcome.takes_over,
                outcome.gain,
                outcome.low,
                outcome.high,
                outcome.judged,
                outcome.reason,
                self._head,
            )
        )
        if not outcome.takes_over:
            self._say("info", f"The model of {_names(place)} stays: {outcome.reason}.")
            return
        switch = Switch(outcome.challenger, outcome.holder, outcome.reason, self._head)
        Lineage(self._registry).switch(place.served.key, switch)
        place.own_blocks = True
        await self._switch(place, switch, outcome.profile)

    async def _switch(self, place: _Place, switch: Switch, profile: "Profile | None") -> None:
        model = self._registry.load(switch.digest)
        place.served.switch(model, profile if self._settings.watch_drift else None)
        place.switches.append(
            SwitchView(switch.digest, switch.parent, switch.reason, switch.block_number, switch.is_rollback)
        )
        if self._chain is not None:
            await self._chain.record(model, switch)
        short = f"{switch.digest[:10]}…{switch.digest[-4:]}"
        self._say("info", f"{_names(place, 'forecast')} by {short} from now on: {switch.reason}.")

    @property
    def _head(self) -> int:
        return self._market.head.number

    def _say(self, level: str, sentence: str) -> None:
        self._publish(Notice(level, sentence))


def _names(place: _Place, verb: str = "") -> str:
    names = ", ".join(agent.name for agent in place.agents)
    return f"{names} {verb}{'s' if len(place.agents) == 1 else ''}" if verb else names


def _hold(reason: str, context: Context) -> Intent:  # noqa: ARG001  asked like a strategy
    return Hold(reason=reason)
