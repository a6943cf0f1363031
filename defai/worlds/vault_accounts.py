"""The agents' vaults on a chain: submissions into transactions, receipts into settlements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from defai.agent import gas
from defai.agent.ports import Settlement, Submission
from defai.chain.approval import approval_digest, check_approval
from defai.chain.codec import decode_values, encode_call, unsigned
from defai.chain.contracts import encode_operations
from defai.chain.keys import Signer
from defai.chain.rpc import Rpc
from defai.chain.tx import Receipt, SignedTransaction, Wallet, revert_reason
from defai.chain.vault import encode_anchor, encode_execute
from defai.domain.decisions import Approval, Decision, Execution, ExecutionStatus
from defai.domain.operations import Call, Operation
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.errors import ConfigError
from defai.worlds.outcomes import read_execution

DEADLINE_S: Final = 24 * 3600
"""How long after the block decided upon a plan's calls may still be carried out."""
_SPARE_GAS: Final = 500_000
_ANCHOR_GAS: Final = 400_000


@dataclass(slots=True)
class VaultAccount:
    """An agent's key and its vault."""

    wallet: Wallet
    vault: Address
    agent_id: int


class VaultAccounts:
    """Signs for the agents and reads what came of it.

    Args:
        rpc: the node.
        accounts: by agent's name, in the order of the fleet.
        pools: the pools that are watched.
        audit: the DecisionAudit contract.
        owner: the vaults' owner, where he signs here.
    """

    def __init__(
        self,
        rpc: Rpc,
        accounts: Mapping[str, VaultAccount],
        pools: Sequence[PoolKey],
        audit: Address,
        owner: Signer | None = None,
    ) -> None:
        self._rpc = rpc
        self.accounts = dict(accounts)
        self._pools = {key.address: key for key in pools}
        self._audit = audit
        self._owner = owner

    def encode(self, agent: str, operations: Sequence[Operation], now: int) -> tuple[Call, ...]:
        """The calls of an agent's vault; `now` is the timestamp of the block decided upon."""
        vault = self.accounts[agent].vault
        return encode_operations(operations, vault=vault, pools=self._pools, deadline=now + DEADLINE_S)

    def sign(self, submission: Submission, *, max_fee_wei: int, priority_fee_wei: int) -> SignedTransaction:
        """The transaction of a submission: a decision with its calls, or an anchor alone."""
        account = self.accounts[submission.agent]
        limit = _ANCHOR_GAS
        if submission.plan is not None:
            limit = 2 * submission.plan.gas_estimate + _SPARE_GAS
        return account.wallet.sign(
            account.vault,
            self.call_data(submission),
            gas=limit,
            max_fee_wei=max_fee_wei,
            priority_fee_wei=priority_fee_wei,
        )

    def call_data(self, submission: Submission) -> bytes:
        """What the agent's key sends to its vault."""
        if submission.decision is None or submission.plan is None:
            return encode_anchor(submission.anchor)
        calls, approval = submission.plan.calls, submission.approval
        return encode_execute(submission.anchor, submission.decision, calls, approval)

    async def approve(self, agent: str, decision: Decision, deadline: int, signature: bytes) -> Approval:
        """As `OwnedExecutor.approve`."""
        vault = self.accounts[agent].vault
        if not signature:
            if self._owner is None:
                raise ConfigError(
                    f"The owner of {vault} has to sign, and his key is not here.",
                    "Sign elsewhere, and hand the signature over.",
                )
            chain_id = self.accounts[agent].wallet.chain_id
            signature = self._owner.signature(
                approval_digest(
                    chain_id=chain_id, vault=vault, decision_digest=decision.digest, deadline=deadline
                )
            )
        await check_approval(self._rpc, vault, decision.digest, deadline, signature)
        return Approval(deadline, signature)

    async def settlement(self, submission: Submission, receipt: Receipt) -> Settlement:
        """What a transaction did, from its receipt."""
        error = "" if receipt.succeeded else await revert_reason(self._rpc, receipt.transaction_hash)
        return Settlement(
            landed=receipt.succeeded,
            block_number=receipt.block_number,
            transaction_hash=receipt.transaction_hash,
            gas_used=receipt.gas_used,
            gas_cost_wei=receipt.gas_used * receipt.gas_price_wei,
            execution=await self._execution(submission, receipt, error),
            error=error,
        )

    def refusal(self, submission: Submission, block_number: int, why: str) -> Settlement:
        """What becomes of a submission whose transaction the node did not take."""
        execution = None
        if submission.decision is not None:
            execution = Execution(
                agent=submission.agent,
                decision_digest=submission.decision.digest,
                status=ExecutionStatus.REFUSED,
                block_number=block_number,
                transaction_hash="",
                error=why,
            )
        return Settlement(False, block_number, None, execution=execution, error=why)

    async def _execution(self, submission: Submission, receipt: Receipt, error: str) -> Execution | None:
        if submission.decision is None:
            return None
        if not receipt.succeeded:
            return Execution(
                agent=submission.agent,
                decision_digest=submission.decision.digest,
                status=ExecutionStatus.REVERTED,
                block_number=receipt.block_number,
                transaction_hash=receipt.transaction_hash,
                gas_used=receipt.gas_used,
                gas_cost_wei=receipt.gas_used * receipt.gas_price_wei,
                error=error,
            )
        return await read_execution(
            self._rpc,
            receipt,
            agent=submission.agent,
            digest=submission.decision.digest,
            vault=self.accounts[submission.agent].vault,
            audit=self._audit,
            pools=tuple(self._pools),
        )


async def read_place(rpc: Rpc, audit: Address, agent_id: int) -> tuple[int, str]:
    """Where an agent's chain of decisions stands: the number of its next one, and the digest of the one before it."""
    answer = await rpc.view(audit, encode_call("agentOf(uint256)", agent_id))
    _, sequence, digest, _ = decode_values(("address", "uint64", "bytes32", "uint256"), answer)
    return sequence, "0x" + digest.hex()


def agent_tip(rank: int) -> int:
    """What the agent of a rank in the fleet tips per gas: a wei thousand less than the one before, so order holds."""
    return gas.TIP_WEI - 1_000 * rank


async def count_records(rpc: Rpc, audit: Address) -> int:
    """How many records an audit contract has."""
    return unsigned(await rpc.view(audit, encode_call("totalSupply()")))
