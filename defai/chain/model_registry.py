"""Models on the chain: uploaded as contract code, sealed under their digest, run by the EVM, read back by anyone."""

import struct
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from defai.chain.artifacts import artifact
from defai.chain.codec import decode_values, encode_call, selector, signed, topic, unhex, unsigned, word
from defai.chain.multicall import multicall
from defai.chain.rpc import Rpc
from defai.chain.tx import Receipt, Step, Wallet, carry_out
from defai.domain.operations import Call
from defai.domain.tokens import Address
from defai.errors import DefaiError, DivergenceError, NotFoundError
from defai.models.blob import pack, unpack
from defai.models.card import canonical_json, keccak_hex
from defai.models.ensemble import Ensemble
from defai.models.targets import TARGET_CODES
from defai.models.trained import TrainedModel
from defai.units import GWEI

_TERMS_HEAD: Final = struct.Struct(">32sBIq?32sH")
_LONGEST_URI: Final = 2**16 - 1
CHUNK_SIZE: Final = 24_575
"""Bytes of a model in one contract: its size limit (EIP-170) less a STOP in front."""
PUBLISH: Final = "publish(uint256,bytes,bytes32)"
DRAFT: Final = "draft(uint256)"
WRITE: Final = "write(uint256,bytes)"
SEAL: Final = "seal(uint256,bytes32)"
PREDICT: Final = "predict(uint256,int32[])"
MODEL_DRAFTED: Final = "ModelDrafted(uint256,address,uint256)"
MODEL_SEALED: Final = "ModelSealed(uint256,bytes32,bytes32,uint256)"
_TERMS: Final = "(bytes32,uint8,uint32,int64,bool,bytes32,string)"

_DEPLOY_GAS: Final = 5_000_000
_FIXED_GAS: Final = 500_000
_BYTE_GAS: Final = 300
"""Gas of a byte: 200 as code, 16 as calldata, or 40 where calldata alone sets the price (EIP-7623), and copies."""


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A sealed model as the chain has it.

    Attributes:
        digest: the same that `TrainedModel.digest` is.
        parent: the model it replaced; None for the first of its line.
        card_digest: keccak256 of the card.
        card_uri: where the card is, in its author's words; the digest above does not cover it.
        band_x24: half the width of its forecasts' band, times 2**24; None where it has none.
    """

    model_id: int
    digest: str
    features_digest: str
    target_kind: str
    horizon_blocks: int
    band_x24: int | None
    beats_baseline: bool
    parent: int | None
    card_digest: str
    card_uri: str
    ensemble: Ensemble


async def deploy_model_registry(
    rpc: Rpc,
    deployer: Wallet,
    *,
    max_fee_wei: int = 10 * GWEI,
    priority_fee_wei: int = GWEI,
    settle: Callable[[], Awaitable[object]] | None = None,
) -> Address:
    """Deploy an empty registry; nobody has power over it.

    Raises:
        DefaiError: where it is refused or reverts.
    """
    steps = [registry_step()]
    (receipt,) = await carry_out(
        rpc, deployer, steps, max_fee_wei=max_fee_wei, priority_fee_wei=priority_fee_wei, settle=settle
    )
    return receipt.created


def registry_step() -> Step:
    """What deploys an empty registry."""
    code = artifact("ModelRegistry").creation_code()
    return Step(None, code, _DEPLOY_GAS, "deploy the registry of models")


async def register_model(
    rpc: Rpc,
    author: Wallet,
    registry: Address,
    model: TrainedModel,
    *,
    parent: int | None = None,
    card_uri: str = "",
    max_fee_wei: int = 10 * GWEI,
    priority_fee_wei: int = GWEI,
    settle: Callable[[], Awaitable[object]] | None = None,
) -> int:
    """Upload a model and seal it: in one transaction where it fits, else in one for each chunk and two more.

    Args:
        rpc: the node.
        author: pays for it, and owns the model's token.
        registry: the registry.
        model: what is uploaded.
        parent: the number of the model it replaces.
        card_uri: where its card is; the card's digest goes on the chain in any case.
        max_fee_wei: the most a unit of gas may cost.
        priority_fee_wei: the tip.
        settle: mines, on a chain that mines on demand.

    Returns:
        The model's number; that of the one that is there already where it was registered before, with this card.

    Raises:
        DefaiError: where a transaction is refused or reverts.
    """
    known = await find_model_with_card(rpc, registry, model)
    if known is not None:
        return known
    carry = partial(
        carry_out, rpc, author, max_fee_wei=max_fee_wei, priority_fee_wei=priority_fee_wei, settle=settle
    )
    (begun,) = await carry([first_step(registry, model, parent=parent or 0, card_uri=card_uri)])
    model_id = _model_id(begun)
    for step in further_steps(registry, model, model_id, card_uri=card_uri):
        await carry([step])
    return model_id


def first_step(registry: Address, model: TrainedModel, *, parent: int = 0, card_uri: str = "") -> Step:
    """What begins to upload a model, and ends it where all of it fits into one transaction.

    Args:
        registry: the registry.
        model: what is uploaded.
        parent: the number of the model it replaces; 0 for none.
        card_uri: where its card is.
    """
    file = model_file(model, card_uri=card_uri)
    if len(file) > CHUNK_SIZE:
        return _step(registry, encode_call(DRAFT, parent), 0, "announce the model")
    data = encode_call(PUBLISH, parent, file, unhex(model.digest))
    return _step(registry, data, len(file), "register the model")


def further_steps(
    registry: Address, model: TrainedModel, model_id: int, *, card_uri: str = ""
) -> Iterator[Step]:
    """What follows `first_step`, which gives a model its number: its parts and the seal; nothing where it fits."""
    file = model_file(model, card_uri=card_uri)
    if len(file) <= CHUNK_SIZE:
        return
    for part in (file[at : at + CHUNK_SIZE] for at in range(0, len(file), CHUNK_SIZE)):
        yield _step(registry, encode_call(WRITE, model_id, part), len(part), "write a part of the model")
    seal = encode_call(SEAL, model_id, unhex(model.digest))
    yield _step(registry, seal, len(file) // 10, "seal the model")


def model_file(model: TrainedModel, *, card_uri: str = "") -> bytes:
    """What is uploaded of a model: its terms, its card's digest and place, its trees (IModelRegistry.sol).

    Raises:
        DefaiError: where something does not fit.
    """
    place = card_uri.encode()
    if len(place) > _LONGEST_URI:
        raise DefaiError(f"The card's URI has {len(place):,} bytes.", f"At most {_LONGEST_URI:,} fit.")
    terms = _TERMS_HEAD.pack(
        unhex(model.spec.digest),
        TARGET_CODES[model.target.kind],
        model.target.terms,
        -1 if model.band_x24 is None else model.band_x24,
        model.beats_baseline,
        unhex(card_digest(model)),
        len(place),
    )
    return terms + place + pack(model.ensemble)


def card_digest(model: TrainedModel) -> str:
    """keccak256 of a model's card, as `ModelRegistry` on disk has it."""
    return keccak_hex(canonical_json(model.card.to_json()))


async def find_model(rpc: Rpc, registry: Address, digest: str, *, block: str = "latest") -> int | None:
    """The number of the first sealed model that has a digest; None where there is none."""
    answer = await _view(rpc, registry, selector("idOf(bytes32)") + unhex(digest), block)
    return unsigned(answer) or None


async def find_model_with_card(rpc: Rpc, registry: Address, model: TrainedModel) -> int | None:
    """The number of a sealed model that has this one's digest and its card; None where there is none.

    Somebody else may have sealed the same trees first, with a card of his own: a digest does not cover the card.
    """
    first = await find_model(rpc, registry, model.digest)
    if first is None:
        return None
    wanted = card_digest(model)
    if (await read_model(rpc, registry, first)).card_digest == wanted:
        return first
    topics = [topic(MODEL_SEALED), None, model.digest]
    logs = await rpc.call("eth_getLogs", {"fromBlock": "0x0", "address": registry, "topics": topics})
    for model_id in (int(log["topics"][1], 16) for log in logs):
        if (await read_model(rpc, registry, model_id)).card_digest == wanted:
            return model_id
    return None


async def count_models(rpc: Rpc, registry: Address, *, block: str = "latest") -> int:
    """How many models were announced: the number of the newest."""
    return unsigned(await _view(rpc, registry, selector("totalSupply()"), block))


async def read_model(rpc: Rpc, registry: Address, model_id: int, *, block: str = "latest") -> RegisteredModel:
    """A sealed model, read back from the chain. The contract has checked its digest; its trees are checked here.

    Raises:
        NotFoundError: where there is no sealed model of this number.
        DefaiError: where its bytes are not an ensemble.
    """
    number = word(model_id)
    calls = [
        Call(registry, selector("modelOf(uint256)") + number),
        Call(registry, selector("fileOf(uint256)") + number),
    ]
    facts, stored = await multicall(rpc, calls, block)
    if not facts or not stored:
        raise NotFoundError(
            f"There is no sealed model {model_id} in the registry at {registry}.",
            "Its author may not have finished the upload.",
        )
    digest, parent, terms = decode_values(("bytes32", "uint256", _TERMS), facts)
    (file,) = decode_values(("bytes",), stored)
    features_digest, kind, horizon, band_x24, beats, card, card_uri = terms
    kinds = {code: name for name, code in TARGET_CODES.items()}
    return RegisteredModel(
        model_id=model_id,
        digest="0x" + digest.hex(),
        features_digest="0x" + features_digest.hex(),
        target_kind=kinds.get(kind, f"unknown ({kind})"),
        horizon_blocks=horizon,
        band_x24=None if band_x24 < 0 else band_x24,
        beats_baseline=beats,
        parent=parent or None,
        card_digest="0x" + card.hex(),
        card_uri=card_uri,
        ensemble=unpack(file[_TERMS_HEAD.size + len(card_uri.encode()) :]),
    )


def predict_call(registry: Address, model_id: int, values: Sequence[int]) -> Call:
    """The call that lets the EVM forecast from a row of integer features."""
    head = selector(PREDICT) + word(model_id) + word(2 * 32) + word(len(values))
    return Call(registry, head + b"".join(map(word, values)))


async def predict_on_chain(
    rpc: Rpc, registry: Address, model_id: int, rows: Sequence[Sequence[int]], *, block: str = "latest"
) -> list[int]:
    """What the EVM forecasts for rows of integer features, times 2**24.

    Raises:
        DefaiError: where it refuses one: no such model, or features that are missing or no int32.
    """
    calls = [predict_call(registry, model_id, values) for values in rows]
    answers = await multicall(rpc, calls, block)
    for row, answer in zip(rows, answers, strict=True):
        if not answer:
            raise DefaiError(f"The model {model_id} at {registry} gives no forecast for {tuple(row)}.")
    return [signed(answer) for answer in answers if answer]


async def _view(rpc: Rpc, registry: Address, data: bytes, block: str) -> bytes:
    answer = await rpc.view(registry, data, block)
    if len(answer) < 32:
        raise NotFoundError(f"There is no model registry at {registry}.", "Is it the right network?")
    return answer


def _step(registry: Address, data: bytes, size: int, purpose: str) -> Step:
    return Step(registry, data, _FIXED_GAS + _BYTE_GAS * size, purpose)


def _model_id(receipt: Receipt) -> int:
    for log in receipt.logs:
        if log["topics"][:1] == [topic(MODEL_DRAFTED)]:
            return int(log["topics"][1], 16)
    raise DivergenceError(f"Transaction {receipt.transaction_hash} announced no model.")
