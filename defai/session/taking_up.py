"""Taking a run up again whose process ended, at whatever moment: its agents live on from where the journal leaves them.

The journal says what was decided and sent, the chain what came of it. The blocks since are lived through once more,
without deciding; then both have to agree.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from defai.agent.agent import Agent
from defai.agent.ports import LastingWorld, World
from defai.agent.returning import Returning
from defai.domain.decisions import ZERO_DIGEST, Decision
from defai.session.checkpoint import Checkpoint
from defai.session.run_directory import Journal
from defai.worlds.audit_logs import read_decisions


class Past:
    """A run up to where its process ended.

    Args:
        world: open.
        agents: on their seats.
        decisions: all that the journal has, by agent.
        checkpoint: None where the run had come to no end of a block.

    Attributes:
        blocks: how many the run has lived through.
        decision_digest: of all decisions that the checkpoint knows of.
        has_arrived: whether the agents are where the chain is.
    """

    def __init__(
        self,
        world: LastingWorld,
        agents: Sequence[Agent],
        decisions: Mapping[str, Sequence[Decision]],
        checkpoint: Checkpoint | None,
    ) -> None:
        self._world = world
        self._agents = [agent for agent in agents if isinstance(agent, Returning)]
        self._decisions = decisions
        self.blocks = checkpoint.blocks if checkpoint else 0
        self.decision_digest = bytes.fromhex(checkpoint.decision_digest) if checkpoint else b""
        self.has_arrived = False
        self._known = checkpoint.block_number if checkpoint else -1
        self._upon: dict[str, dict[int, Decision]] = {}
        for agent in self._agents:
            taken = decisions.get(agent.name, ())
            agent.outbox.resume(0, ZERO_DIGEST, (), anchored=True)
            memory = checkpoint.agents.get(agent.name) if checkpoint else None
            if memory is not None:
                agent.recall(memory, taken)
            new = taken[memory.next_sequence if memory else 0 :]
            self._upon[agent.name] = {decision.block_number: decision for decision in new}

    async def relive(self, block_number: int) -> list[Decision]:
        """Live through a block again.

        Returns:
            The decisions upon it that the checkpoint did not know of, in the fleet's order.
        """
        relived = []
        for agent in self._agents:
            if block_number == self._world.charters[agent.name].counts_from and block_number > self._known:
                agent.desk.start_counting()
            decision = self._upon[agent.name].get(block_number)
            sent = self._world.was_sent(agent.name, block_number)
            await agent.relive(
                decision, sent=sent, carried=self._world.carried(agent.name, block_number) if sent else None
            )
            if decision is not None:
                relived.append(decision)
        return relived

    async def arrive(self) -> None:
        """Be where the chain is: journal and chain have to agree. What waits is anchored at once.

        Raises:
            DivergenceError: where they do not.
        """
        for agent in self._agents:
            agent.give_up(self._world.submissions(agent.name))
            place = await self._world.place_of(agent.seat.agent_id)
            agent.check_place(*place, self._decisions.get(agent.name, ()))
            await agent.flush()
        self.has_arrived = True


def past_of(world: World, agents: Sequence[Agent], journal: Journal | None) -> Past | None:
    """The past of a run that is taken up; None where it only begins."""
    if journal is None or not journal.is_old or not isinstance(world, LastingWorld) or not world.charters:
        return None
    return Past(world, agents, read_decisions(journal.kept().decisions), journal.checkpoint)


async def join_in(
    world: World,
    agents: Sequence[Agent],
    past: Past | None,
    live_on: Callable[[], Awaitable[bool]],
    warn: Callable[[str], None],
) -> None:
    """Let agents begin to decide; where a run is taken up, not upon blocks that came meanwhile.

    Args:
        world: open, and its past lived through.
        agents: the fleet.
        past: of a run that is taken up; its agents are where the chain is then.
        live_on: lives through a block; False where the session is to stop.
        warn: told what the operator should know of how the world was opened.
    """
    if past is None:
        for agent in agents:
            agent.desk.start_counting()
    if not isinstance(world, LastingWorld):
        return
    if world.note:
        warn(world.note)
    if past is None:
        return
    while await world.behind():
        if not await live_on():
            return
    await past.arrive()
