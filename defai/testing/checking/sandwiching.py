"""Lets the market's sandwich attacker loose on what a strategy wants to swap."""

from typing import Final, NamedTuple

from defai.agent.planning import PlanError, Planner
from defai.domain.intents import Intent
from defai.domain.operations import SwapExactInput
from defai.marketsim.attackers import PendingSwap, sandwich
from defai.testing.checking.scenes import Scene

_DEPTH: Final = 1_000
"""The attacker has so many times what the victim sells."""


class Attacked(NamedTuple):
    """A swap and what an attack does to it.

    Attributes:
        minimum: what it is to give at least.
        undisturbed: what it gives where nobody attacks.
        sandwiched: what it gives within an attack; as much as undisturbed where attacking leaves no room.
    """

    scene: str
    minimum: int
    undisturbed: int
    sandwiched: int


def attacked(scene: Scene, intent: Intent) -> list[Attacked]:
    """The swaps that carry an intent out, each attacked; those of one pool after the first are left out."""
    market, desk = scene.desk.market, scene.desk
    planner = Planner(market.pools, market.keys, desk.portfolio, desk.limits.max_slippage_bps)
    try:
        operations = planner.plan(intent)
    except PlanError:
        return []
    found, seen = [], set[str]()
    for operation in operations:
        if isinstance(operation, SwapExactInput) and operation.pool not in seen:
            seen.add(operation.pool)
            found.append(_attacked(scene, operation))
    return found


def _attacked(scene: Scene, swap: SwapExactInput) -> Attacked:
    pool = scene.desk.market.pools[swap.pool]
    victim = PendingSwap(swap.pool, swap.zero_for_one, swap.amount_in, swap.amount_out_minimum)
    result = pool.quote(zero_for_one=swap.zero_for_one, amount_specified=swap.amount_in)
    undisturbed = -result.amount1 if swap.zero_for_one else -result.amount0
    plan = sandwich(pool, victim, _DEPTH * swap.amount_in)
    return Attacked(
        scene.name, swap.amount_out_minimum, undisturbed, plan.victim_out if plan else undisturbed
    )
