"""The owner's approval of a decision: what he signs (EIP-712), and whether it is his."""

from typing import Any, Final

from coincurve import PublicKey

from defai.chain.codec import address_at, address_word, checksum, encode_call, keccak, selector, unhex, word
from defai.chain.rpc import Rpc
from defai.domain.tokens import Address
from defai.errors import ConfigError, DivergenceError

OWNER: Final = "owner()"
APPROVAL_DIGEST: Final = "approvalDigest(bytes32,uint256)"
IS_VALID_SIGNATURE: Final = "isValidSignature(bytes32,bytes)"
_DOMAIN_TYPE: Final = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_APPROVAL_TYPE: Final = "Approval(bytes32 decisionDigest,uint256 deadline)"
_NAME, _VERSION = "defai vault", "1"
_HALF_ORDER: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def approval_digest(*, chain_id: int, vault: Address, decision_digest: str, deadline: int) -> bytes:
    """The 32 bytes an owner signs; the vault's own `approvalDigest` gives the same.

    Args:
        chain_id: of the chain.
        vault: whose owner signs.
        decision_digest: of the decision that is approved.
        deadline: until when: seconds since 1970, by the chain's clock.
    """
    domain = keccak(
        keccak(_DOMAIN_TYPE.encode())
        + keccak(_NAME.encode())
        + keccak(_VERSION.encode())
        + word(chain_id)
        + address_word(vault)
    )
    struct = keccak(keccak(_APPROVAL_TYPE.encode()) + unhex(decision_digest) + word(deadline))
    return keccak(b"\x19\x01" + domain + struct)


def approval_typed_data(
    *, chain_id: int, vault: Address, decision_digest: str, deadline: int
) -> dict[str, Any]:
    """The same as a wallet takes it (eth_signTypedData_v4); arguments as for `approval_digest`."""
    return {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Approval": [
                {"name": "decisionDigest", "type": "bytes32"},
                {"name": "deadline", "type": "uint256"},
            ],
        },
        "primaryType": "Approval",
        "domain": {"name": _NAME, "version": _VERSION, "chainId": chain_id, "verifyingContract": vault},
        "message": {"decisionDigest": decision_digest, "deadline": deadline},
    }


async def check_approval(
    rpc: Rpc, vault: Address, decision_digest: str, deadline: int, signature: bytes
) -> None:
    """Make sure that a signature is the one the vault asks for: its owner's, an account's or a contract's (ERC-1271).

    Raises:
        ConfigError: where it is not.
        DivergenceError: where there is no vault.
    """
    digest = await _view(rpc, vault, encode_call(APPROVAL_DIGEST, unhex(decision_digest), deadline))
    owner = address_at(await _view(rpc, vault, selector(OWNER)))
    code = await rpc.call("eth_getCode", owner, "latest")
    if len(code) > 2:
        asked = {"to": owner, "data": "0x" + encode_call(IS_VALID_SIGNATURE, digest, signature).hex()}
        (answer,) = await rpc.batch_settled([("eth_call", (asked, "latest"))])
        valid = isinstance(answer, str) and unhex(answer)[:4] == selector(IS_VALID_SIGNATURE)
    else:
        valid = _signer_of(digest, signature) == owner
    if not valid:
        raise ConfigError(
            f"The signature is not that of the vault's owner, {owner}, under this decision and deadline.",
            f"He signs 0x{digest.hex()}: the vault's approvalDigest.",
        )


def _signer_of(digest: bytes, signature: bytes) -> Address | None:
    """Who signed, as the contracts recover it: 65 bytes, low s, v of 27 or 28."""
    if len(signature) != 65 or signature[64] not in {27, 28}:
        return None
    if int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        return None
    try:
        key = PublicKey.from_signature_and_message(
            signature[:64] + bytes((signature[64] - 27,)), digest, hasher=None
        )
    except ValueError:
        return None
    return checksum("0x" + keccak(key.format(compressed=False)[1:])[12:].hex())


async def _view(rpc: Rpc, vault: Address, data: bytes) -> bytes:
    answer = await rpc.view(vault, data)
    if len(answer) != 32:
        raise DivergenceError(f"There is no vault at {vault}.", "Is it the right network?")
    return answer
