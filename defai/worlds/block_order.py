"""Who comes when in a block of a market of our own: the same order in memory and on the chain.

The market's people come first and agents after them, in the order of the fleet: an agent meets the price that others
have left, never the one it decided upon. An attacker, where there is one, stands right before and right after the
swap it attacks.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from defai.agent.ports import Submission
from defai.amm import AmmRevert, Pool
from defai.domain.operations import SwapExactInput
from defai.domain.tokens import Address
from defai.marketsim.actions import MarketAction
from defai.marketsim.attackers import PendingSwap
from defai.marketsim.execution import perform
from defai.marketsim.market import Market

BlockItem: TypeAlias = MarketAction | Submission


def compose(
    market: Market | None, index: int, pools: Mapping[Address, Pool], pending: Sequence[Submission]
) -> tuple[BlockItem, ...]:
    """Everything that goes into the next block, in order.

    Args:
        market: the other people; None where nobody else is about.
        index: the block's index in the market's path.
        pools: the pools before the block; they stay as they are.
        pending: what the agents have submitted, in the order of the fleet.
    """
    if market is None:
        return tuple(pending)
    actions = market.actions(index, pools)
    if not market.attacked:
        return (*actions, *pending)
    scratch = {address: pool.copy() for address, pool in pools.items()}
    for action in actions:
        perform(action, scratch[action.pool])
    items: list[BlockItem] = list(actions)
    for submission in pending:
        items += _attacked(market, index, scratch, submission)
    return tuple(items)


def _attacked(
    market: Market, index: int, scratch: dict[Address, Pool], submission: Submission
) -> list[BlockItem]:
    operations = submission.plan.operations if submission.plan else ()
    swaps = [operation for operation in operations if isinstance(operation, SwapExactInput)]
    attack = None
    if swaps:
        first = swaps[0]
        victim = PendingSwap(first.pool, first.zero_for_one, first.amount_in, first.amount_out_minimum)
        attack = market.attack(index, victim, scratch[first.pool])
    if attack:
        perform(attack[0], scratch[attack[0].pool])
    for swap in swaps:
        try:
            scratch[swap.pool].swap(zero_for_one=swap.zero_for_one, amount_specified=swap.amount_in)
        except AmmRevert:
            break  # the plan will revert as a whole; what others do after it is the same
    if attack:
        perform(attack[1], scratch[attack[1].pool])
        return [attack[0], submission, attack[1]]
    return [submission]
