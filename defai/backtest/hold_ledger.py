"""The books of an agent that holds: which decisions wait for an anchor, when one is sent, and what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass

from defai.agent import gas
from defai.agent.agent import Agent
from defai.agent.ports import Settlement
from defai.amm.limbs.arrays import Words
from defai.audit.holds import REASON, HoldChain
from defai.backtest.columns import IntColumn
from defai.worlds.bar_words import GAS
from defai.worlds.bars import BarsWorld
from defai.worlds.carrying_out import transaction_of


@dataclass(frozen=True, slots=True)
class DueAnchor:
    """An anchor that is sent upon a bar if the agent holds up to there; it is paid for upon the next.

    Attributes:
        at: the bar, counted from the first of the stretch.
        gas_wei: what a unit of gas costs when it is paid.
        amount_raw: what is paid, in the token that stands for ether.
    """

    at: int
    gas_wei: int
    amount_raw: int


class HoldLedger:
    """An agent's holds in a bars world, beside its outbox, which is told of them before anything else happens.

    Args:
        world: where it lives.
        agent: the agent.

    Raises:
        ImportError: where nothing can be compiled.
    """

    def __init__(self, world: BarsWorld, agent: Agent) -> None:
        self._world, self._agent = world, agent
        draft = agent.draft_of_hold(REASON)
        self._chain = HoldChain(agent.seat.agent_id, world.audit_log.domain, draft)
        world.audit_log.holds[agent.name] = self._chain
        agent.outbox.root_of = self._chain.merkle_root
        self.known = self._chain.known
        self._unsent = self._told = 0
        self._cleared = False

    def close(self) -> None:
        """Tell the outbox what it has not been told, and let the sealing thread go."""
        self.hand_over()
        self._chain.close()

    def learn(self, reason: str) -> None:
        """Make a payload for a reason that is not known yet."""
        self._chain.payload_of(reason)

    def anchors(self, first: int, count: int) -> list[DueAnchor]:
        """The anchors that are sent if the agent holds upon `count` bars from row `first` on."""
        every, waiting = self._agent.mandate.anchor_every, len(self._chain) - self._unsent
        if not self._cleared:
            waiting += len(self._agent.outbox)
        due = []
        for at in range(max(every - waiting - 1, 0), count, every):
            number = min(first + at + 2, len(self._world.bars))
            gas_wei = self._world.gas_wei(number)
            amount = gas.in_ether_raw(self._agent.desk.valuation, gas.ANCHOR_GAS * gas_wei)
            due.append(DueAnchor(at, gas_wei, amount))
        return due

    async def keep(
        self, payloads: Sequence[int], first: int, anchors: Sequence[DueAnchor], worths: Words
    ) -> None:
        """Seal holds, and let happen what the agent does about them; the bars are over.

        Args:
            payloads: of each hold.
            first: the row of the first one's bar.
            anchors: as `anchors` gave them for these bars.
            worths: what everything is worth after each bar, the gas of anchors taken off; and perhaps after those that
                follow: what is paid for upon the next one is taken off, for the strategy may have been asked already.
        """
        agent, base = self._agent, len(self._chain)
        self._chain.forget(self._unsent)
        self._chain.extend(*self._next(first + 1), payloads)
        agent.decisions["decisions"] += len(payloads)
        agent.decisions["holds"] += len(payloads)
        for anchor in anchors:
            paid = anchor.at + 1
            if paid > len(payloads):
                return
            if paid < len(worths):
                gas_before, gas_after = IntColumn.of_words(worths[anchor.at : paid + 1, 2 * GAS :])
                self._settle(first + paid + 1, anchor.gas_wei, gas_after - gas_before)
                self._unsent, self._cleared = base + paid, True
            else:
                self.hand_over()
                await agent.flush()

    def hand_over(self) -> None:
        """Tell the outbox of all holds so far: from here on something else may happen."""
        if self._told < len(self._chain):
            sequence, _, _ = self._next(0)
            waiting = self._chain.waiting(self._unsent)
            self._agent.outbox.resume(sequence, self._chain.last_digest(), waiting, anchored=self._cleared)
        self._told = self._unsent = len(self._chain)
        self._cleared = False

    def _next(self, block_number: int) -> tuple[int, int, str]:
        """The next decision's number, its block's, and the digest before it where that is not the last hold."""
        outbox, untold = self._agent.outbox, len(self._chain) - self._told
        return outbox.next_sequence + untold, block_number, "" if untold else outbox.last_digest

    def _settle(self, number: int, gas_wei: int, gas_raw: int) -> None:
        cost = gas.ANCHOR_GAS * gas_wei
        settlement = Settlement(
            landed=True,
            block_number=number,
            transaction_hash=transaction_of(self._agent.name, number),
            gas_used=gas.ANCHOR_GAS,
            gas_cost_wei=cost,
        )
        self._agent.desk.settle(settlement, gas_raw)
        self._agent.gas_used += gas.ANCHOR_GAS
