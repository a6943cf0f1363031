"""Digests: equal values give equal bytes, and the typed data is what eth_account and the chain make of it."""

from dataclasses import replace

import pytest
from eth_account.messages import _hash_eip191_message, encode_typed_data
from eth_hash.auto import keccak

from defai.audit.canonical import canonical_json, digest, from_hex
from defai.audit.record import (
    DECISION_TYPE,
    AuditDomain,
    action_digest,
    features_digest,
    seal,
    strategy_digest,
)
from defai.domain.decisions import ZERO_DIGEST, Action, FeatureRow
from defai.domain.operations import Call
from defai.testing.builders import draft

DOMAIN = AuditDomain(31337, "0x5FbDB2315678afecb367f032d93F642f64180aa3")
ROW = FeatureRow(7, ("a", "b"), (-5, 2**40), "0x" + "ab" * 32)


def test_canonical_json_has_one_spelling() -> None:
    one = {"b": [1, (2, 3)], "a": {"y": None, "x": True}, "c": "Größe"}
    other = {"c": "Größe", "a": {"x": True, "y": None}, "b": (1, [2, 3])}
    assert canonical_json(one) == canonical_json(other)
    assert canonical_json(one) == '{"a":{"x":true,"y":null},"b":[1,[2,3]],"c":"Größe"}'.encode()


@pytest.mark.parametrize(
    "value", [{"a": 1.0}, {"a": [1.5]}, {"a": {"b": (0, float("nan"))}}, {"a": float("inf")}]
)
def test_floats_have_no_canonical_spelling(value: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="holds no float"):
        canonical_json(value)


@pytest.mark.parametrize("key", [1, None, True, 1.5])
def test_keys_are_strings_since_json_would_spell_others_alike(key: object) -> None:
    with pytest.raises(TypeError, match="strings for keys"):
        canonical_json({"a": {key: 1}})


@pytest.mark.parametrize("value", [{"a": b"raw"}, {"a": {1, 2}}, {"a": object()}])
def test_what_json_has_no_word_for_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)


def test_digest_is_keccak_and_hex_comes_back() -> None:
    assert digest(b"") == "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert from_hex(digest(b"x")) == keccak(b"x")


def test_a_decision_is_the_typed_data_that_wallets_sign() -> None:
    sealed = seal(
        draft(123, action=Action.SWAP, action_digest="0x" + "22" * 32, forecast_x24=-(1 << 20)),
        DOMAIN,
        agent_id=3,
        sequence=9,
        previous_digest="0x" + "44" * 32,
    )
    names = [part.split(" ") for part in DECISION_TYPE[len("Decision(") : -1].split(",")]
    values = (
        sealed.agent_id, sealed.sequence, sealed.previous_digest, sealed.block_number, sealed.block_hash,
        sealed.strategy_digest, sealed.model_digest, sealed.features_digest, sealed.forecast_x24,
        int(sealed.action), sealed.action_digest, sealed.payload_digest,
    )  # fmt: skip
    message = encode_typed_data(
        {"name": "defai", "version": "1", "chainId": 31337, "verifyingContract": DOMAIN.contract},
        {"Decision": [{"type": kind, "name": name} for kind, name in names]},
        {name: value for (_, name), value in zip(names, values, strict=True)},
    )
    assert sealed.digest == "0x" + _hash_eip191_message(message).hex()
    assert sealed.payload_digest == digest(sealed.payload)


def test_every_field_is_in_the_digest() -> None:
    plain = draft()
    changed = [
        replace(plain, block_number=1),
        replace(plain, block_hash="0x" + "01" * 32),
        replace(plain, strategy_digest="0x" + "02" * 32),
        replace(plain, model_digest="0x" + "03" * 32),
        replace(plain, features_digest="0x" + "04" * 32),
        replace(plain, forecast_x24=1),
        replace(plain, action=Action.CLOSE),
        replace(plain, action_digest="0x" + "05" * 32),
        replace(plain, payload={"reason": "another"}),
    ]
    place = {"agent_id": 1, "sequence": 2, "previous_digest": ZERO_DIGEST}
    seen = {seal(each, DOMAIN, **place).digest for each in [plain, *changed]}  # type: ignore[arg-type]  # mixed values
    for other in ({"agent_id": 2}, {"sequence": 3}, {"previous_digest": "0x" + "06" * 32}):
        seen.add(seal(plain, DOMAIN, **{**place, **other}).digest)  # type: ignore[arg-type]  # the same
    seen.add(seal(plain, replace(DOMAIN, chain_id=1), **place).digest)  # type: ignore[arg-type]  # the same
    seen.add(seal(plain, replace(DOMAIN, contract="0x" + "77" * 20), **place).digest)  # type: ignore[arg-type]  # the same
    assert len(seen) == 1 + len(changed) + 5


def test_no_call_and_no_row_have_the_zero_digest() -> None:
    assert action_digest([]) == ZERO_DIGEST
    assert features_digest(None) == ZERO_DIGEST


def test_calls_and_their_order_are_in_the_action_digest() -> None:
    one, two = Call("0x" + "11" * 20, b"\x01"), Call("0x" + "22" * 20, b"\x01\x02")
    seen = {action_digest(calls) for calls in ([one], [two], [one, two], [two, one], [one, one])}
    assert len(seen) == 5


def test_values_and_specification_are_in_the_features_digest() -> None:
    others = [replace(ROW, values=(-5, 2**40 + 1)), replace(ROW, spec_digest="0x" + "ac" * 32)]
    assert len({features_digest(row) for row in [ROW, *others]}) == 3
    assert features_digest(replace(ROW, block_number=8)) == features_digest(ROW)


def test_source_and_parameters_are_in_the_strategy_digest() -> None:
    seen = {strategy_digest(b"a", {}), strategy_digest(b"b", {}), strategy_digest(b"a", {"x": 1})}
    assert len(seen) == 3
