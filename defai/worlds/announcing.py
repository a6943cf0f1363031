"""Before the first decision: the fleet's models and charters, on the chain, for whoever wants to decide again."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from defai.agent.ports import ModelChange, Notices
from defai.audit.charter import Charter
from defai.chain.model_registry import count_models, find_model, first_step, further_steps, registry_step
from defai.chain.rpc import Rpc
from defai.chain.tx import (
    SignedTransaction,
    Step,
    Wallet,
    carry_out,
    create_address,
    send,
    wait_for_receipts,
)
from defai.domain.tokens import Address
from defai.errors import DefaiError
from defai.models.card import canonical_json
from defai.models.trained import TrainedModel
from defai.worlds.seat_ledger import SeatLedger
from defai.worlds.vault_accounts import VaultAccount

Fees: TypeAlias = Mapping[str, int]
"""`max_fee_wei` and `priority_fee_wei`."""

MODEL_SWITCH: Final = "defai model switch"
"""Kind of the notice that says why one model took over from another."""
_PATIENCE_SECONDS: Final = 120.0
_NOTICE_GAS: Final = 60_000
_NOTICE_BYTE_GAS: Final = 60
"""Gas of a byte of a notice: at most 40 (EIP-7623)."""


async def announce(
    rpc: Rpc,
    deployer: Wallet | None,
    accounts: Mapping[str, VaultAccount],
    write: Notices,
    models: Sequence[TrainedModel],
    fees: Fees,
) -> Address | None:
    """Send models and charters in one round trip; the next block has them all, and nobody waits for it.

    Args:
        rpc: the node.
        deployer: pays for the registry and the models; None where nobody sits.
        accounts: by agent.
        write: gives the charters, told where the registry will stand.
        models: each once.
        fees: for a unit of gas.

    Returns:
        Where the registry will stand; None where there is no model.

    Raises:
        DefaiError: where the node refuses something.
    """
    registry, transactions = None, []
    if models and deployer is not None:
        registry = create_address(deployer.address, deployer.nonce)
        steps = [registry_step()]
        for model_id, model in enumerate(models, 1):
            steps += _upload(registry, model, model_id)
        transactions = [deployer.sign(step.to, step.data, gas=step.gas, **fees) for step in steps]
    notices = write(registry)
    transactions += [_notice(accounts[name], content, fees) for name, content in notices.items()]
    for error in await send(rpc, transactions):
        if error is not None:
            raise DefaiError(f"The node refused what the agents announce: {error.message}.") from error
    return registry


async def announce_once(
    rpc: Rpc,
    ledger: SeatLedger,
    deployer: Wallet | None,
    accounts: Mapping[str, VaultAccount],
    write: Notices,
    models: Sequence[TrainedModel],
    fees: Fees,
) -> Address | None:
    """As `announce`, on a chain that outlives the process: what stands there already is not sent again.

    The charters are written into the ledger before the first of them is sent: started again, the same ones are.
    """
    registry: Address | None = None
    if models and deployer is not None:
        registry = await _register_once(rpc, ledger, deployer, models, fees)
    if not announced_charters(ledger):
        notices = write(registry)
        ledger.note_agents("charter_nonce", {name: accounts[name].wallet.nonce for name in notices})
        ledger.note_agents("charter", {name: content.decode() for name, content in notices.items()})
    missing = [
        _notice(account, ledger.of(name, "charter").encode(), fees)
        for name, account in accounts.items()
        if account.wallet.nonce == ledger.of(name, "charter_nonce")
    ]
    for error in await send(rpc, missing):
        if error is not None:
            raise DefaiError(f"The node refused what the agents announce: {error.message}.") from error
    await wait_for_receipts(rpc, [notice.hash for notice in missing], timeout_seconds=_PATIENCE_SECONDS)
    return registry


async def _register_once(
    rpc: Rpc, ledger: SeatLedger, deployer: Wallet, models: Sequence[TrainedModel], fees: Fees
) -> Address:
    """The fleet's registry with its models; what of it is there already is not sent again."""
    registry: Address | None = ledger.get("registry")
    steps: list[Step] = []
    missing, known = list(models), 0
    if registry is None or len(await rpc.call("eth_getCode", registry, "latest")) <= 2:
        registry = create_address(deployer.address, deployer.nonce)
        ledger.note(registry=registry)
        steps.append(registry_step())
    else:
        missing = [model for model in models if await find_model(rpc, registry, model.digest) is None]
        known = await count_models(rpc, registry)
    for model_id, model in enumerate(missing, known + 1):
        steps += _upload(registry, model, model_id)
    if steps:
        max_fee, tip = fees["max_fee_wei"], fees["priority_fee_wei"]
        await carry_out(rpc, deployer, steps, max_fee_wei=max_fee, priority_fee_wei=tip)
    return registry


def announced_charters(ledger: SeatLedger) -> dict[str, Charter]:
    """The charters of a fleet, by agent; empty where not every agent has one yet."""
    texts = {name: ledger.of(name, "charter") for name in ledger.agents}
    found = {name: Charter.decode(text.encode()) for name, text in texts.items() if text}
    charters = {name: charter for name, charter in found.items() if charter is not None}
    return charters if len(charters) == len(texts) else {}


async def announce_switch(
    rpc: Rpc, deployer: Wallet | None, registry: Address | None, change: ModelChange, fees: Fees
) -> None:
    """Register the model that takes over as the child of the one before, and say why; the next block has both.

    A model that stands in the registry already, as one that is rolled back to, is not registered again. The reason is
    sent by the deployer to itself, as canonical JSON: kind, digest, parent, reason.

    Args:
        rpc: the node.
        deployer: pays, and owns the models.
        registry: where the fleet's models stand.
        change: who takes over from whom, and why.
        fees: for a unit of gas.

    Raises:
        DefaiError: where the node refuses something.
    """
    if deployer is None or registry is None:
        return
    steps: list[Step] = []
    if await find_model(rpc, registry, change.model.digest) is None:
        parent = await find_model(rpc, registry, change.parent)
        model_id = await count_models(rpc, registry) + 1
        steps = _upload(registry, change.model, model_id, parent or 0)
    spoken = canonical_json(
        {
            "kind": MODEL_SWITCH,
            "digest": change.model.digest,
            "parent": change.parent,
            "reason": change.reason,
        }
    )
    gas = _NOTICE_GAS + _NOTICE_BYTE_GAS * len(spoken)
    transactions = [deployer.sign(step.to, step.data, gas=step.gas, **fees) for step in steps]
    transactions.append(deployer.sign(deployer.address, spoken, gas=gas, **fees))
    for error in await send(rpc, transactions):
        if error is not None:
            await deployer.resync(rpc)
            raise DefaiError(f"The node refused the change of a model: {error.message}.") from error


async def amend(
    rpc: Rpc, accounts: Mapping[str, VaultAccount], amendments: Mapping[str, bytes], fees: Fees
) -> None:
    """Let agents' keys send themselves what of their charters is another now; nobody waits for it.

    Raises:
        DefaiError: where the node refuses something.
    """
    notices = [_notice(accounts[name], content, fees) for name, content in amendments.items()]
    for name, error in zip(amendments, await send(rpc, notices), strict=True):
        if error is not None:
            await accounts[name].wallet.resync(rpc)
            raise DefaiError(f"The node refused what {name} announces: {error.message}.") from error


def _notice(account: VaultAccount, content: bytes, fees: Fees) -> SignedTransaction:
    gas = _NOTICE_GAS + _NOTICE_BYTE_GAS * len(content)
    return account.wallet.sign(account.wallet.address, content, gas=gas, **fees)


def _upload(registry: Address, model: TrainedModel, model_id: int, parent: int = 0) -> list[Step]:
    """A model in one transaction, or in pieces where it is too large for one."""
    return [first_step(registry, model, parent=parent), *further_steps(registry, model, model_id)]
