"""Decisions that wait for their owner, on the stand-in: his word, another's, none; and all of them verified."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from defai.agent.ports import Arrival, OwnedExecutor
from defai.audit.ladder.findings import Rung
from defai.chain.approval import approval_digest, approval_typed_data
from defai.chain.codec import address_at, encode_call, selector, topic, unhex
from defai.chain.download.patience import PatientRpc
from defai.chain.keys import Signer, throwaway_key, throwaway_secret
from defai.chain.rpc import Rpc
from defai.config import Settings
from defai.domain.stream import (
    ApprovalRequested,
    ApprovalResolved,
    BlockArrived,
    ExecutionSettled,
    StreamEvent,
)
from defai.errors import ConfigError, DefaiError, NotFoundError
from defai.session.session import Session
from defai.session.steering import Steering
from defai.session.verification.evidence import Evidence, read_evidence
from defai.session.verification.scope import narrowed
from tests.sessions.standing import Standing, standing
from tests.sessions.test_retracing import assert_all_stand

pytestmark = pytest.mark.usefixtures("trained_home")

SEED, BLOCKS = 7, 29
BUYER = '''
from defai.strategy.api import Context, Hold, Intent, Strategy, Swap

class Buyer(Strategy):
    """Buys for 1,500 dollars every five blocks."""

    def decide(self, ctx: Context) -> Intent:
        if ctx.block_number % 5:
            return Hold(reason=f"waits its turn at {ctx.block_number}")
        zero = ctx.pool.key.token0 == ctx.numeraire
        amount = 1_500 * 10**6
        return Swap(pool=ctx.pool.key.address, zero_for_one=zero, amount_in_raw=amount, reason="its turn")
'''
Act = Callable[["Owners", ApprovalRequested], Coroutine[Any, Any, None]]


@dataclass
class Owners:
    """Answers each agent's requests in the agent's own way, two blocks after they come."""

    session: Session
    acts: dict[str, Act]
    requested: list[ApprovalRequested] = field(default_factory=list)
    resolved: list[ApprovalResolved] = field(default_factory=list)
    settled: list[ExecutionSettled] = field(default_factory=list)
    refusals: list[DefaiError] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def control(self) -> Steering:
        return Steering(self.session)

    def hear(self, event: StreamEvent) -> None:
        if isinstance(event, ApprovalRequested):
            self.requested.append(event)
        elif isinstance(event, ApprovalResolved):
            self.resolved.append(event)
        elif isinstance(event, ExecutionSettled):
            self.settled.append(event)
        elif isinstance(event, BlockArrived):
            for request in self.requested:
                if event.number == request.block_number + 2:
                    self.tasks.append(asyncio.ensure_future(self._act(request)))

    async def _act(self, request: ApprovalRequested) -> None:
        try:
            await self.acts[request.agent](self, request)
        except DefaiError as error:
            self.refusals.append(error)

    def outcomes(self, agent: str) -> list[str]:
        return [each.outcome for each in self.resolved if each.agent == agent]

    def signed(self, request: ApprovalRequested, signer: Signer, *, deadline: int | None = None) -> str:
        """What a wallet gives that signs elsewhere."""
        (agent,) = [each for each in self.session.agents if each.name == request.agent]
        assert agent.seat.vault is not None
        assert request.expires_at is not None
        assert self.session.world is not None
        digest = approval_digest(
            chain_id=self.session.world.chain_id,
            vault=agent.seat.vault,
            decision_digest=request.digest,
            deadline=deadline or request.expires_at,
        )
        return "0x" + signer.signature(digest).hex()


class Attended(Session):
    """A session whose blocks come once the owners have said what they say: its clock waits for nobody else."""

    owners: Owners

    async def _next_block(self) -> Arrival | None:
        await asyncio.gather(*self.owners.tasks)
        return await super()._next_block()


OWNER = throwaway_key(SEED, "owner")
THIEF = throwaway_key(SEED, "thief")


async def here(owners: Owners, request: ApprovalRequested) -> None:
    await owners.control.approve(request.digest)


async def elsewhere(owners: Owners, request: ApprovalRequested) -> None:
    await owners.control.approve(request.digest, owners.signed(request, OWNER))


async def forged(owners: Owners, request: ApprovalRequested) -> None:
    """Everything but the owner's signature under this decision and deadline is refused; then he rejects it."""
    theirs = owners.signed(request, THIEF)
    of_another_moment = owners.signed(
        request, OWNER, deadline=request.expires_at + 1 if request.expires_at else 1
    )
    cut, mirrored = owners.signed(request, OWNER)[:-2], owners.signed(request, OWNER)[:-2] + "00"
    for signature in (theirs, of_another_moment, cut, mirrored):
        with pytest.raises(ConfigError, match="not that of the vault's owner"):
            await owners.control.approve(request.digest, signature)
    with pytest.raises(ConfigError, match="no hex"):
        await owners.control.approve(request.digest, "0xzz")
    with pytest.raises(NotFoundError, match="waits for the owner"):
        await owners.control.approve("0x" + "00" * 32)
    await owners.control.reject(request.digest, "too much at once")
    with pytest.raises(NotFoundError, match="waits for the owner"):
        await owners.control.reject(request.digest, "twice")


async def silent(owners: Owners, request: ApprovalRequested) -> None:
    """Nobody answers."""


async def paused(owners: Owners, request: ApprovalRequested) -> None:
    await owners.control.pause(request.agent)
    await asyncio.sleep(0)
    await owners.control.resume(request.agent)


ACTS: dict[str, Act] = {
    "here": here,
    "elsewhere": elsewhere,
    "forged": forged,
    "silent": silent,
    "paused": paused,
}


@pytest.fixture(scope="module")
def owners() -> list[Owners]:
    return []


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory, owners: list[Owners]) -> Iterator[tuple[Standing, Path]]:
    folder = tmp_path_factory.mktemp("buyers")
    (folder / "buyer.py").write_text(BUYER)
    limits = "limits = { approval_above_usd = 1000, approval_waits_s = 240 }"
    agents = "".join(
        f'[[agents]]\nname = "{name}"\nstrategy = "{folder}/buyer.py:Buyer"\n{limits}\n' for name in ACTS
    )
    fleet = folder / "fleet.toml"
    fleet.write_text(f"anchor_every_blocks = 7\nnetwork.block_time_s = 0\n{agents}")

    def listen(session: Session) -> None:
        owners.append(Owners(session, ACTS))
        session.bus.tap(owners[0].hear)
        assert isinstance(session, Attended)
        session.owners = owners[0]

    chosen = Settings.load(fleet, {"market.seed": SEED}, environment={})
    with standing(chosen, BLOCKS, Attended, meanwhile=listen) as stands:
        assert not owners[0].refusals
        for task in owners[0].tasks:
            task.result()
        yield stands, folder


def evidence_of(there: Standing, agent: str) -> Evidence:
    async def read() -> Evidence:
        async with PatientRpc(there.url) as rpc:
            return narrowed(await read_evidence(rpc, there.contract), there.agent_id(agent))

    return asyncio.run(read())


def test_what_the_owner_approves_is_done_with_his_signature(
    there: tuple[Standing, Path], owners: list[Owners]
) -> None:
    stands, _ = there
    for name in ("here", "elsewhere"):
        assert owners[0].outcomes(name)[:3] == ["approved"] * 3
        trail = evidence_of(stands, name).trails[stands.agent_id(name)]
        records = [each for each in trail.submissions if each.sent.hash in trail.records]
        assert len(records) >= 3
        for submission in records:
            approval, decision = submission.content.approval, submission.decision
            assert approval is not None
            assert decision is not None
            used = [
                log
                for log in submission.receipt.logs
                if log["topics"][0] == topic("ApprovalUsed(bytes32,uint256)")
            ]
            assert [log["topics"][1] for log in used] == [decision.digest]
            assert int(used[0]["data"], 16) == approval.deadline
    filled = {each.agent for each in owners[0].settled if each.status == "filled"}
    assert filled == {"here", "elsewhere"}


def test_what_he_does_not_approve_moves_nothing(there: tuple[Standing, Path], owners: list[Owners]) -> None:
    stands, _ = there
    assert set(owners[0].outcomes("forged")[:-1]) == {"rejected"}
    assert set(owners[0].outcomes("silent")[:-1]) == {"expired"}
    assert set(owners[0].outcomes("paused")[:-1]) == {"withdrawn"}
    for name in ("forged", "silent", "paused"):
        assert len(owners[0].outcomes(name)) >= 3
        assert evidence_of(stands, name).trails[stands.agent_id(name)].records == {}


def test_all_of_it_stands_from_the_chain_alone(there: tuple[Standing, Path]) -> None:
    stands, folder = there
    reports = assert_all_stand(stands, folder)
    for name in ("forged", "silent", "paused"):
        waited = [
            report
            for report in reports
            if report.agent_id == stands.agent_id(name) and report.action == "swap"
        ]
        assert waited
        assert all("waited for the owner" in report.findings[Rung.EXECUTION - 1].note for report in waited)
    approved = [report for report in reports if report.token_id is not None]
    for report in approved:
        compared = {each.what: each.found for each in report.findings[Rung.EXECUTION - 1].comparisons}
        assert compared["the owner's approval"] == "given"


def test_python_and_the_vault_agree_on_what_is_signed(there: tuple[Standing, Path]) -> None:
    stands, _ = there
    vault = stands.session.agents[0].seat.vault
    assert vault is not None
    decision, deadline = "0x" + "12" * 32, 1_800_000_000

    async def ask() -> tuple[bytes, str, int]:
        async with Rpc(stands.url) as rpc:
            data = encode_call("approvalDigest(bytes32,uint256)", unhex(decision), deadline)
            digest = unhex(await rpc.call("eth_call", {"to": vault, "data": "0x" + data.hex()}, "latest"))
            asked = {"to": vault, "data": "0x" + selector("owner()").hex()}
            owner = address_at(unhex(await rpc.call("eth_call", asked, "latest")))
            return digest, owner, int(await rpc.call("eth_chainId"), 16)

    digest, owner, chain_id = asyncio.run(ask())
    assert owner == OWNER.address
    assert (
        approval_digest(chain_id=chain_id, vault=vault, decision_digest=decision, deadline=deadline) == digest
    )
    # What a wallet computes from the typed data is the same, by a library that is not ours.
    from eth_account import Account
    from eth_account.messages import encode_typed_data

    typed = approval_typed_data(chain_id=chain_id, vault=vault, decision_digest=decision, deadline=deadline)
    signable = encode_typed_data(full_message=typed)
    signed = Account.sign_message(signable, throwaway_secret(SEED, "owner"))
    assert bytes(signed.signature) == OWNER.signature(digest)


def test_a_world_with_vaults_asks_for_the_owners_word(there: tuple[Standing, Path]) -> None:
    stands, _ = there
    assert stands.session.world is not None
    assert isinstance(stands.session.world.executor, OwnedExecutor)


def names(requests: Sequence[ApprovalRequested]) -> set[str]:
    return {request.agent for request in requests}


def test_each_request_was_told_once(there: tuple[Standing, Path], owners: list[Owners]) -> None:
    assert there
    requested = owners[0].requested
    assert names(requested) == set(ACTS)
    assert len({request.digest for request in requested}) == len(requested) == len(owners[0].resolved)
