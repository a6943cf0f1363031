"""Answering an ERC-8004 validation request with what verifying came to."""

from collections.abc import Collection
from typing import Final

from defai.chain.codec import address_at, checksum, decode_values, encode_call, selector, unhex
from defai.chain.identity import VAULT_KEY, find_registries
from defai.chain.keys import Signer
from defai.chain.rpc import Rpc
from defai.chain.tx import Step, Wallet, carry_out
from defai.domain.tokens import Address
from defai.errors import ConfigError, NotFoundError
from defai.units import GWEI

TAG: Final = "re-execution"
STATUS: Final = "getValidationStatus(bytes32)"
RESPOND: Final = "validationResponse(bytes32,uint8,string,bytes32,string)"
WALLET: Final = "getAgentWallet(uint256)"
AGENT_KEY: Final = "agentKey()"
METADATA: Final = "getMetadata(uint256,string)"
_GAS: Final = 400_000


async def respond(
    rpc: Rpc, validator: Signer, request: str, vaults: Collection[Address], score: int, evidence_digest: str
) -> str:
    """Answer a request, as the validator who was asked.

    Args:
        rpc: the node.
        validator: his key.
        request: the request's hash.
        vaults: whose decisions were verified: the agent asked about must be among their owners.
        score: 0..100.
        evidence_digest: of the reports.

    Returns:
        The transaction's hash.

    Raises:
        NotFoundError: where there is no validation registry, or no such request.
        ConfigError: where somebody else was asked, or about another agent, or about one that only claims the vault.
        DefaiError: where the answer is refused.
    """
    registries = await find_registries(rpc)
    if registries is None or registries.validation is None:
        raise NotFoundError("There is no ERC-8004 validation registry on this chain.")
    try:
        wanted = unhex(request)
    except ValueError:
        wanted = b""
    if len(wanted) != 32:
        raise ConfigError(f"{request!r} is not a request's hash.", "It has 0x and 64 hex digits.")
    answer = await _view(rpc, registries.validation, encode_call(STATUS, wanted))
    if answer is None or not int(address_at(answer), 16):
        raise NotFoundError(f"There is no validation request {request}.")
    asked, about = decode_values(("address", "uint256"), answer)
    if asked.lower() != validator.address.lower():
        raise ConfigError(f"The request asks {asked}, and this key is {validator.address}'s.")
    await _check_vault(rpc, registries.identity, about, vaults)
    wallet = await Wallet.connect(validator, rpc)
    data = encode_call(RESPOND, wanted, score, "", unhex(evidence_digest), TAG)
    header = await rpc.call("eth_getBlockByNumber", "latest", False)
    fee = 2 * int(header.get("baseFeePerGas") or "0x0", 16) + GWEI
    step = Step(registries.validation, data, _GAS, "answer the validation request")
    (receipt,) = await carry_out(rpc, wallet, [step], max_fee_wei=fee, priority_fee_wei=GWEI // 10)
    return receipt.transaction_hash


async def _check_vault(rpc: Rpc, identity: Address, about: int, vaults: Collection[Address]) -> None:
    """Make sure that what was verified are decisions of the agent asked about.

    Anyone can write any vault into his agent's entry. Whose the vault is says its key, which signed that it is the
    agent's wallet.
    """
    vault = await _view(rpc, identity, encode_call(METADATA, about, VAULT_KEY))
    (named,) = decode_values(("bytes",), vault) if vault else (b"",)
    named_vault = "0x" + named.hex()
    if named_vault not in {each.lower() for each in vaults}:
        raise ConfigError(
            f"The request is about agent {about} of the identity registry, which is not the one that was verified.",
            "Verify the agent it asks about.",
        )
    wallet = await _view(rpc, identity, encode_call(WALLET, about))
    key = await _view(rpc, checksum(named_vault), selector(AGENT_KEY))
    if wallet is None or wallet != key or not int(address_at(wallet), 16):
        raise ConfigError(
            f"Agent {about} of the identity registry names a vault whose key never signed for it.",
            "Anyone can name any vault; only its key can sign for it.",
        )


async def _view(rpc: Rpc, contract: Address, data: bytes) -> bytes | None:
    (answer,) = await rpc.batch_settled(
        [("eth_call", ({"to": contract, "data": "0x" + data.hex()}, "latest"))]
    )
    return unhex(answer) if isinstance(answer, str) and len(answer) >= 66 else None
