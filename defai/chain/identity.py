"""Who the agents are: ERC-8004's registries, and the agents' entries in them.

Where the canonical registries stand on a network, those are used; where they don't, ours are (contracts/src).
"""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from defai.chain.artifacts import artifact
from defai.chain.codec import (
    WORD,
    address_word,
    checksum,
    decode_values,
    encode_call,
    encode_values,
    keccak,
    selector,
    topic,
    unhex,
    unsigned,
    word,
)
from defai.chain.keys import Signer
from defai.chain.multicall import multicall
from defai.chain.rpc import Rpc
from defai.chain.tx import Receipt, Step, Wallet, carry_out
from defai.domain.operations import Call
from defai.domain.tokens import Address
from defai.errors import DivergenceError
from defai.units import GWEI

REGISTRATION_TYPE: Final = "https://eips.ethereum.org/EIPS/eip-8004#registration-v1"
REGISTER: Final = "register(string,(string,bytes)[])"
GET_METADATA: Final = "getMetadata(uint256,string)"
SET_AGENT_URI: Final = "setAgentURI(uint256,string)"
SET_AGENT_WALLET: Final = "setAgentWallet(uint256,address,uint256,bytes)"
REGISTERED: Final = "Registered(uint256,string,address)"
VAULT_KEY: Final = "defai.vault"
"""Metadata: the address of the vault whose decisions are the agent's."""
_WALLET_TYPE: Final = "AgentWalletSet(uint256 agentId,address newWallet,address owner,uint256 deadline)"
_DOMAIN_TYPE: Final = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_WALLET_SECONDS: Final = 240
"""How long a wallet's signature holds; the registry allows 300 seconds."""
_DEPLOY_GAS: Final = 4_000_000
_FIXED_GAS: Final = 400_000
_BYTE_GAS: Final = 800
"""Gas of a byte of a registration file: 22,100 for a word of storage, and calldata."""


@dataclass(frozen=True, slots=True)
class Registries:
    """Where the registries stand.

    Attributes:
        reputation, validation: None where there is none that belongs to this identity registry.
    """

    identity: Address
    reputation: Address | None
    validation: Address | None


STANDIN_DEPLOYER: Final[Address] = "0xaDeA01287624be1BCC9EF6391010b79B8cAfF0A1"
"""Deploys ours on the stand-in; nobody has its key."""
STANDIN: Final = Registries(
    "0xB3B4bd5b58CAe7817504d8332773dAE2B65B198c",
    "0xF6CE6d4D2A0237853AaCfa29666278eC5c432f10",
    "0x418d2bC01171852221F5Fbcc8c3aAf87faa1F110",
)
MAINNETS: Final = Registries(
    "0x8004A169FB4a3325136EB29fA0ceB6D2e539a432",
    "0x8004BAa17C55a88189AE136b182e5fdA19dE9b63",
    "0x8004Cc8439f36fd5F9F049D9fF86523Df6dAAB58",
)
"""The canonical ones on Ethereum, Base, Arbitrum, Optimism, Polygon, BSC and other mainnets."""
TESTNETS: Final = Registries(
    "0x8004A818BFB912233c491871b3d84c89A494BD9e",
    "0x8004B663056A597Dffe9eCcC1965A193B7388713",
    "0x8004Cb1BF31DAf7788923b405b754f57acEB4272",
)
"""The canonical ones on their test networks."""
KNOWN: Final[Mapping[int, Registries]] = {
    **dict.fromkeys((1, 10, 56, 137, 8453, 42161), MAINNETS),
    **dict.fromkeys((97, 80002, 84532, 421614, 11155111, 11155420), TESTNETS),
    31337: STANDIN,
}
"""By chain id. A fork may sign for another chain's id: then code at the others' addresses counts too."""


@dataclass(frozen=True, slots=True)
class Service:
    """A way to reach an agent, or what it stands by."""

    name: str
    endpoint: str
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """An agent's entry.

    Attributes:
        services: its endpoints.
        supported_trust: how it can be trusted: "reputation", "re-execution" and the like.
        vault: the vault whose decisions are its.
        wallet: the agent's own key, which signs that it is the agent's wallet.
    """

    name: str
    description: str
    services: tuple[Service, ...]
    supported_trust: tuple[str, ...]
    vault: Address
    wallet: Signer


def registration_file(entry: Registration, *, agent_id: int, chain_id: int, identity: Address) -> str:
    """The registration file of ERC-8004, as a data: URI with base64 JSON."""
    document: dict[str, Any] = {
        "type": REGISTRATION_TYPE,
        "name": entry.name,
        "description": entry.description,
        "services": [
            {"name": service.name, "endpoint": service.endpoint}
            | ({"version": service.version} if service.version else {})
            for service in entry.services
        ],
        "x402Support": False,
        "active": True,
        "registrations": [{"agentId": agent_id, "agentRegistry": f"eip155:{chain_id}:{identity}"}],
        "supportedTrust": list(entry.supported_trust),
    }
    packed = json.dumps(document, separators=(",", ":")).encode()
    return "data:application/json;base64," + base64.b64encode(packed).decode()


async def find_registries(rpc: Rpc) -> Registries | None:
    """The registries that stand on a network, by the code that is there; None where there is no known one."""
    chain_id = await rpc.number("eth_chainId")
    candidates = list(dict.fromkeys([*filter(None, [KNOWN.get(chain_id)]), MAINNETS, TESTNETS, STANDIN]))
    for there in [await _present(rpc, candidate) for candidate in candidates]:
        if there is not None:
            return there
    return None


async def ensure_registries(
    rpc: Rpc,
    deployer: Wallet,
    *,
    max_fee_wei: int = 10 * GWEI,
    priority_fee_wei: int = GWEI,
    settle: Callable[[], Awaitable[object]] | None = None,
) -> Registries:
    """The registries of a network; those it has not are deployed.

    Args:
        rpc: the node.
        deployer: pays for what is missing; it has no power over it.
        max_fee_wei: the most a unit of gas may cost.
        priority_fee_wei: the tip.
        settle: mines, on a chain that mines on demand.

    Raises:
        DefaiError: where a deployment is refused or reverts.
    """

    async def deploy(name: str, arguments: bytes = b"") -> Address:
        code = artifact(name).creation_code(arguments)
        (receipt,) = await carry_out(
            *(rpc, deployer, [Step(None, code, _DEPLOY_GAS, f"deploy {name}")]),
            max_fee_wei=max_fee_wei,
            priority_fee_wei=priority_fee_wei,
            settle=settle,
        )
        return receipt.created

    found = await find_registries(rpc)
    if found is None:
        found = Registries(await deploy("AgentIdentity"), None, None)
    bound = encode_values(("address",), (found.identity,))
    if found.reputation is None:
        found = replace(found, reputation=await deploy("AgentReputation", bound))
    if found.validation is None:
        found = replace(found, validation=await deploy("AgentValidation", bound))
    return found


async def register_agents(
    rpc: Rpc,
    owner: Wallet,
    identity: Address,
    entries: Sequence[Registration],
    *,
    max_fee_wei: int = 10 * GWEI,
    priority_fee_wei: int = GWEI,
    settle: Callable[[], Awaitable[object]] | None = None,
) -> list[int]:
    """Register agents, each with its file, its vault and its signed wallet; gives their numbers in the registry.

    A file holds the agent's number, which is only foreseen: where somebody comes ahead, it is written once more.

    Args:
        rpc: the node.
        owner: pays for it, and owns the agents' tokens.
        identity: the identity registry.
        entries: the agents.
        max_fee_wei: the most a unit of gas may cost.
        priority_fee_wei: the tip.
        settle: mines, on a chain that mines on demand.

    Raises:
        DefaiError: where a transaction is refused or reverts.
    """
    if not entries:
        return []

    carry = partial(
        carry_out, rpc, owner, max_fee_wei=max_fee_wei, priority_fee_wei=priority_fee_wei, settle=settle
    )

    file = partial(registration_file, chain_id=owner.chain_id, identity=identity)
    first = await _next_agent_id(rpc, owner.address, identity)
    steps = [
        _registering(identity, entry, file(entry, agent_id=first + i)) for i, entry in enumerate(entries)
    ]
    numbers = [_registered(receipt) for receipt in await carry(steps)]
    deadline = await _timestamp(rpc) + _WALLET_SECONDS
    after = []
    for i, (agent_id, entry) in enumerate(zip(numbers, entries, strict=True)):
        after.append(_setting_wallet(identity, entry.wallet, agent_id, owner, deadline))
        if agent_id != first + i:
            after.append(_moving(identity, entry, agent_id, file(entry, agent_id=agent_id)))
    await carry(after)
    return numbers


async def registered_vaults(rpc: Rpc, identity: Address, owner: Address, first_block: int) -> set[Address]:
    """The vaults of the agents that an owner registered from a block on."""
    wanted = {
        "address": identity,
        "topics": [topic(REGISTERED), None, "0x" + address_word(owner).hex()],
        "fromBlock": hex(first_block),
    }
    logs = await rpc.call("eth_getLogs", wanted)
    calls = [Call(identity, encode_call(GET_METADATA, int(log["topics"][1], 16), VAULT_KEY)) for log in logs]
    answers = await multicall(rpc, calls, "latest") if calls else []
    values = [decode_values(("bytes",), answer)[0] for answer in answers if answer]
    return {checksum("0x" + value.hex()) for value in values if len(value) == 20}


def wallet_digest(
    *, chain_id: int, identity: Address, agent_id: int, wallet: Address, owner: Address, deadline: int
) -> bytes:
    """What a wallet signs to become an agent's (EIP-712, domain "ERC8004IdentityRegistry", version 1)."""
    domain = keccak(
        keccak(_DOMAIN_TYPE.encode())
        + keccak(b"ERC8004IdentityRegistry")
        + keccak(b"1")
        + word(chain_id)
        + address_word(identity)
    )
    struct = keccak(
        keccak(_WALLET_TYPE.encode())
        + word(agent_id)
        + address_word(wallet)
        + address_word(owner)
        + word(deadline)
    )
    return keccak(b"\x19\x01" + domain + struct)


async def _present(rpc: Rpc, wanted: Registries) -> Registries | None:
    """What of these is there; what is bound to another identity registry is not."""
    getter = "0x" + selector("getIdentityRegistry()").hex()
    others = [address for address in (wanted.reputation, wanted.validation) if address is not None]
    code, *bound = await rpc.batch_settled(
        [
            ("eth_getCode", (wanted.identity, "latest")),
            *(("eth_call", ({"to": address, "data": getter}, "latest")) for address in others),
        ]
    )
    if not isinstance(code, str) or len(code) <= 2:
        return None
    there = {
        address
        for address, answer in zip(others, bound, strict=True)
        if isinstance(answer, str) and unhex(answer) == address_word(wanted.identity)
    }
    reputation, validation = (
        address if address in there else None for address in (wanted.reputation, wanted.validation)
    )
    return Registries(wanted.identity, reputation, validation)


async def _next_agent_id(rpc: Rpc, owner: Address, identity: Address) -> int:
    call = {"from": owner, "to": identity, "data": "0x" + selector("register()").hex()}
    answer = unhex(await rpc.call("eth_call", call, "latest"))
    if len(answer) != WORD:
        raise DivergenceError(f"There is no identity registry at {identity}.", "Is it the right network?")
    return unsigned(answer)


async def _timestamp(rpc: Rpc) -> int:
    head = await rpc.call("eth_getBlockByNumber", "latest", False)
    return int(head["timestamp"], 16)


def _registering(identity: Address, entry: Registration, file: str) -> Step:
    metadata = [(VAULT_KEY, bytes.fromhex(entry.vault[2:]))]
    data = encode_call(REGISTER, file, metadata)
    return Step(identity, data, _FIXED_GAS + _BYTE_GAS * len(file), f"register the agent {entry.name}")


def _moving(identity: Address, entry: Registration, agent_id: int, file: str) -> Step:
    data = encode_call(SET_AGENT_URI, agent_id, file)
    gas = _FIXED_GAS + _BYTE_GAS * len(file)
    return Step(identity, data, gas, f"write the registration file of {entry.name}")


def _setting_wallet(identity: Address, wallet: Signer, agent_id: int, owner: Wallet, deadline: int) -> Step:
    digest = wallet_digest(
        chain_id=owner.chain_id,
        identity=identity,
        agent_id=agent_id,
        wallet=wallet.address,
        owner=owner.address,
        deadline=deadline,
    )
    data = encode_call(SET_AGENT_WALLET, agent_id, wallet.address, deadline, wallet.signature(digest))
    return Step(identity, data, _FIXED_GAS, f"set the wallet of agent {agent_id}")


def _registered(receipt: Receipt) -> int:
    for log in receipt.logs:
        if log["topics"][:1] == [topic(REGISTERED)]:
            return int(log["topics"][1], 16)
    raise DivergenceError(f"Transaction {receipt.transaction_hash} registered no agent.")
