"""How a session ends: everything settled, everything counted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final

from eth_hash.auto import keccak

from defai.agent import views
from defai.agent.agent import Agent
from defai.agent.ports import Arrival, LastingWorld, World
from defai.domain.decisions import Decision
from defai.session.taking_up import Past

_CLOSING_BLOCKS: Final = 8


@dataclass(slots=True)
class Tally:
    """What a session counts as it runs.

    Attributes:
        blocks: those it lived through; `before` are those of an earlier process.
        digest: of all decisions of the run.
    """

    blocks: int = 0
    before: int = 0
    digest: bytes = b""
    started: float = field(default_factory=perf_counter)

    def go_on_after(self, past: Past | None) -> None:
        """Count on from where an earlier process was; None where there was none."""
        if past is not None:
            self.before, self.digest = past.blocks, past.decision_digest

    def take(self, decisions: Sequence[Decision]) -> None:
        """Count decisions into the digest of all of them."""
        for decision in decisions:
            self.digest = keccak(self.digest + bytes.fromhex(decision.digest[2:]))


async def settle_all(
    world: World, agents: Sequence[Agent], fold: Callable[[Arrival], None], keep: Callable[[], None]
) -> bool:
    """Settle what is under way and anchor what waits, in as few blocks as it takes.

    Args:
        world: its feed makes blocks, or waits for them; blocks of a faster chain that wait to be read come besides.
        agents: the fleet.
        fold: takes a block into the market.
        keep: puts down how far the run has come.

    Returns:
        Whether nothing is left.
    """
    late = (
        2 * await world.behind() if isinstance(world, LastingWorld) else 0
    )  # what waits is sent, and then anchored
    for _ in range(_CLOSING_BLOCKS + late):
        for agent in agents:
            await agent.settle()
            await agent.flush()
        settled = all([await agent.settle() for agent in agents])
        keep()
        if settled:
            return True
        arrival = await world.feed.make_block()
        if arrival is None:
            break
        fold(arrival)
    return False


async def summed_up(world: World, seed: int, agents: Sequence[Agent], tally: Tally) -> dict[str, Any]:
    """A run in numbers, as `--json` prints it."""
    return {
        "network": world.network,
        "chain_id": world.chain_id,
        "audit_contract": world.audit_log.domain.contract,
        "blocks": tally.before + tally.blocks,
        "seed": seed,
        "agents": [_agent_summary(agent) for agent in agents],
        "records_on_chain": await world.records(),
        "decision_digest": "0x" + tally.digest.rjust(32, b"\0").hex(),
        "seconds": round(perf_counter() - tally.started, 3),
    }


def _agent_summary(agent: Agent) -> dict[str, Any]:
    valued = agent.desk.valued()
    numeraire = agent.desk.valuation.numeraire
    return {
        "name": agent.name,
        "strategy": agent.mandate.strategy_name,
        **agent.decisions,
        "equity_usd": float(views.usd(numeraire, valued.equity_raw)),
        "hodl_usd": float(views.usd(numeraire, valued.hodl_raw)),
        "gas_used": agent.gas_used,
        "forecasts": _forecasts(agent),
    }


def _forecasts(agent: Agent) -> dict[str, Any] | None:
    """What an agent forecasts, and whether that is any better than its baseline; None where it forecasts nothing."""
    asked = agent.mandate.model
    model = getattr(asked, "model", asked)  # a served one may have changed
    card = getattr(model, "card", None)
    if card is None:
        return None
    return {
        "target": card.target.name,
        "model_digest": card.model_digest,
        "baseline": card.comparison.baseline,
        "beats_baseline": card.beats_baseline,
    }
