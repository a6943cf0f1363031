"""Submissions on a chain that mines by itself: written down, sent, followed until a block has them."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from defai.agent.ports import Settlement, Submission
from defai.audit.ladder.rungs import decision_digest
from defai.audit.record import AuditDomain
from defai.chain.codec import unhex
from defai.chain.rpc import Rpc
from defai.chain.tx import Receipt, SignedTransaction, get_receipts, send
from defai.chain.vault import decode_submission
from defai.domain.decisions import Decision
from defai.errors import ConfigError, DivergenceError, TooSlowError
from defai.units import GWEI
from defai.worlds.sent_log import SentLine, SentLog
from defai.worlds.vault_accounts import VaultAccounts, agent_tip

STUCK_BLOCKS: Final = 8
"""After so many blocks without it, a transaction is sent again for more gas."""
OVERTAKEN_BLOCKS: Final = 3
PENDING_SECONDS: Final = 60.0
"""How long a start waits for what an earlier process sent."""
_POLL_SECONDS: Final = 0.1
_RAISE: Final = (9, 8)
"""By how much a fee has to rise at least for a node to take the new transaction in the old one's place."""


@dataclass(slots=True)
class _UnderWay:
    """A submission that is in no block yet.

    Attributes:
        hashes: of its transactions: only one of them can come into a block.
        fees: of the latest: the most for a unit of gas, and the tip.
        since: the block it was sent upon.
        overtaken: since which block its nonce is used and it has no receipt; a node may tell the one before the other.
    """

    submission: Submission
    number: int
    nonce: int
    hashes: list[str]
    fees: tuple[int, int]
    since: int
    overtaken: int | None = None


@dataclass(frozen=True, slots=True)
class _Landed:
    """A submission of an earlier process that is in a block."""

    submission: Submission
    upon: int
    receipt: Receipt


class Dispatch:
    """Sends what agents submit.

    Args:
        rpc: the node.
        vaults: sign, and read what came of it.
        log: keeps what is sent.
        ranks: the agents' places in the fleet.
    """

    def __init__(self, rpc: Rpc, vaults: VaultAccounts, log: SentLog, ranks: Mapping[str, int]) -> None:
        self._rpc = rpc
        self._vaults = vaults
        self._log = log
        self._ranks = ranks
        self._under_way: dict[str, _UnderWay] = {}
        self._landed: dict[str, deque[_Landed]] = {}
        self._numbers = {agent: max(sent, default=-1) + 1 for agent, sent in log.past.items()}

    async def recover(self, folded: Mapping[str, int], domain: AuditDomain) -> None:
        """Find out what came of everything that an earlier process sent.

        Args:
            folded: by agent, of how many of its submissions it is known already.
            domain: where records stand.

        Raises:
            TooSlowError: where something is still under way after `PENDING_SECONDS`.
        """
        for agent, sent in self._log.past.items():
            late = {number: lines for number, lines in sorted(sent.items()) if number >= folded.get(agent, 0)}
            self._landed[agent] = deque()
            for lines in late.values():
                receipt = await self._receipt([line.hash for line in lines], agent)
                if receipt is not None:
                    submission = _submission(agent, unhex(lines[0].data), domain)
                    self._landed[agent].append(_Landed(submission, lines[0].upon, receipt))

    def was_sent(self, agent: str, block_number: int) -> bool:
        """Whether an earlier process sent something upon a block that came into a later one, and is not settled yet."""
        return any(landed.upon == block_number for landed in self._landed.get(agent, ()))

    def carried(self, agent: str, block_number: int) -> Decision | None:
        """The decision that went with it; None where something was anchored only."""
        landed = (each for each in self._landed.get(agent, ()) if each.upon == block_number)
        return next((each.submission.decision for each in landed), None)

    def count(self, agent: str) -> int:
        """How many submissions there were, of this and earlier processes."""
        return self._numbers.get(agent, 0)

    async def send(self, submission: Submission, upon: int) -> Settlement | None:
        """Send a submission; a settlement at once where the node does not take it."""
        name = submission.agent
        wallet = self._vaults.accounts[name].wallet
        fees = await self._fees(name)
        # From here to the signature nobody else gets a turn: what the agent announces takes nonces as well.
        under_way = _UnderWay(submission, self.count(name), wallet.nonce, [], fees, upon)
        self._numbers[name] = under_way.number + 1
        refusal = await self._send(under_way)
        if not refusal:
            self._under_way[name] = under_way
            return None
        await wallet.resync(self._rpc)
        return self._vaults.refusal(submission, upon, refusal)

    async def collect(self, head: int) -> dict[str, Settlement]:
        """What is settled as of a block, by agent; at most one submission of each.

        Raises:
            DivergenceError: where somebody else's transaction took the place of one of ours.
        """
        settled: dict[str, Settlement] = {}
        for agent, landed in self._landed.items():
            if landed and landed[0].receipt.block_number <= head:
                past = landed.popleft()
                settled[agent] = await self._vaults.settlement(past.submission, past.receipt)
        asked = dict(self._under_way)  # the owner's answer may send something while the node is asked
        receipts = await self._receipts(asked.values())
        for agent, under_way in asked.items():
            receipt = next((receipts[digest] for digest in under_way.hashes if receipts[digest]), None)
            if receipt is None:
                await self._follow_up(agent, under_way, head)
            elif receipt.block_number <= head:
                del self._under_way[agent]
                settled[agent] = await self._vaults.settlement(under_way.submission, receipt)
        return settled

    async def _send(self, under_way: _UnderWay) -> str:
        """Write down and send; why the node did not take it, empty where it did."""
        wallet = self._vaults.accounts[under_way.submission.agent].wallet
        max_fee, tip = under_way.fees
        following = max(wallet.nonce, under_way.nonce + 1)
        wallet.nonce = under_way.nonce
        signed = self._vaults.sign(under_way.submission, max_fee_wei=max_fee, priority_fee_wei=tip)
        wallet.nonce = following
        self._log.append(_line(under_way, signed, self._vaults.call_data(under_way.submission)))
        (error,) = await send(self._rpc, [signed])
        if error is not None:
            return error.message
        under_way.hashes.append(signed.hash)
        return ""

    async def _follow_up(self, agent: str, under_way: _UnderWay, head: int) -> None:
        """Look after a transaction that is in no block: its place may be taken, or it offers too little."""
        wallet = self._vaults.accounts[agent].wallet
        taken = await self._rpc.number("eth_getTransactionCount", wallet.address, "latest")
        if taken > under_way.nonce:
            under_way.overtaken = head if under_way.overtaken is None else under_way.overtaken
        if under_way.overtaken is not None and head - under_way.overtaken >= OVERTAKEN_BLOCKS:
            raise DivergenceError(
                f"Another transaction of {agent}'s key took the place of {under_way.hashes[-1]}.",
                "Somebody else uses that key: end the other process, then start again with the same --run-dir.",
            )
        if taken <= under_way.nonce and head - under_way.since >= STUCK_BLOCKS:
            max_fee, tip = await self._fees(agent)
            up, down = _RAISE
            under_way.fees = (
                max(max_fee, under_way.fees[0] * up // down + 1),
                max(tip, under_way.fees[1] * up // down + 1),
            )
            under_way.since = head
            await self._send(under_way)  # where the node does not take it, the old one still stands

    async def _receipts(self, asked: Iterable[_UnderWay]) -> dict[str, Receipt | None]:
        """Of everything that is asked about, in one round trip."""
        hashes = [digest for under_way in asked for digest in under_way.hashes]
        return dict(zip(hashes, await get_receipts(self._rpc, hashes), strict=True)) if hashes else {}

    async def _newest_receipt(self, hashes: list[str]) -> Receipt | None:
        receipts = await get_receipts(self._rpc, hashes)
        return next((receipt for receipt in receipts if receipt is not None), None)

    async def _receipt(self, hashes: list[str], agent: str) -> Receipt | None:
        """The receipt of something an earlier process sent; None where it never came to the node."""
        deadline = asyncio.get_running_loop().time() + PENDING_SECONDS
        while True:
            receipt = await self._newest_receipt(hashes)
            if receipt is not None:
                return receipt
            known = await self._rpc.batch([("eth_getTransactionByHash", (digest,)) for digest in hashes])
            if not any(known):
                return None
            if asyncio.get_running_loop().time() > deadline:
                raise TooSlowError(
                    f"A transaction of {agent} is still under way: {hashes[-1]}.",
                    "Start again when a block has it, or has dropped it.",
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def _fees(self, agent: str) -> tuple[int, int]:
        tip = agent_tip(self._ranks[agent])
        return await max_fee_wei(self._rpc), tip


async def max_fee_wei(rpc: Rpc) -> int:
    """What a unit of gas may cost at most: enough for six full blocks in a row, each raising it by an eighth."""
    header = await rpc.call("eth_getBlockByNumber", "latest", False)
    return 2 * int(header["baseFeePerGas"], 16) + 2 * GWEI


def _submission(agent: str, data: bytes, domain: AuditDomain) -> Submission:
    content = decode_submission(data)
    if content is None:
        raise ConfigError(f"What {agent} is said to have sent is no submission.", "Name another --run-dir.")
    decision = content.decision
    if decision is not None:
        decision = replace(decision, digest=decision_digest(decision, domain))
    return Submission(agent, content.anchor, decision)


def _line(under_way: _UnderWay, signed: SignedTransaction, data: bytes) -> SentLine:
    return SentLine(
        agent=under_way.submission.agent,
        number=under_way.number,
        upon=under_way.since,
        nonce=signed.nonce,
        hash=signed.hash,
        data="0x" + data.hex(),
    )
