"""Holds sealed many at once are those sealed one by one; the compiled hash is Ethereum's."""

import random
import threading
from dataclasses import replace

import numpy as np
import pytest
from eth_hash.auto import keccak

from defai.amm.limbs.compiler import compiled_beside
from defai.amm.limbs.keccak import STATE_LANES, absorb, permute
from defai.audit.holds import FUNCTIONS, REASON, HoldChain
from defai.audit.merkle import merkle_root
from defai.audit.record import AuditDomain, Draft, seal
from defai.audit.sealing_words import blocks_of
from defai.domain.decisions import ZERO_DIGEST, Action, Decision

DOMAIN = AuditDomain(0, "0x" + "00" * 20)
STEM = "0x" + "5a" * 24
STRANGE = ["plain", "", "\u2603 \U0001f600", 'a "quote", a \\ and\na line', "\x00\x1f\x7f", "x" * 1_000]


def draft(reason: str, number: int) -> Draft:
    return Draft(
        block_number=number,
        block_hash=f"{STEM}{number:016x}",
        strategy_digest="0x" + "11" * 32,
        model_digest=ZERO_DIGEST,
        features_digest=ZERO_DIGEST,
        forecast_x24=0,
        action=Action.HOLD,
        action_digest=ZERO_DIGEST,
        payload={
            "agent": "one",
            "features": None,
            "intent": {"kind": "Hold", "reason": reason},
            "reason": reason,
        },
    )


def chain() -> HoldChain:
    return HoldChain(7, DOMAIN, draft(REASON, 0))


def one_by_one(reasons: list[str], sequence: int, number: int, previous: str) -> list[Decision]:
    sealed = []
    for at, reason in enumerate(reasons):
        decision = seal(
            draft(reason, number + at), DOMAIN, agent_id=7, sequence=sequence + at, previous_digest=previous
        )
        sealed.append(decision)
        previous = decision.digest
    return sealed


def test_the_hash_is_keccak_256_at_every_length() -> None:
    draws = random.Random(3)  # noqa: S311  messages, not secrets
    digest_payloads = compiled_beside(*FUNCTIONS)["digest_payloads"]
    digests, state = np.zeros((1, 4), dtype=np.uint64), np.zeros(STATE_LANES, dtype=np.uint64)
    for length in range(1_001):
        message = draws.randbytes(length)
        cuts = np.array(sorted((draws.randrange(length + 1), draws.randrange(length + 1))))
        nothing = np.zeros(0, dtype=np.uint8)
        digest_payloads(
            np.frombuffer(message, dtype=np.uint8), cuts, nothing, np.zeros(1, dtype=np.int64), digests, state
        )
        assert digests[0].astype("<u8").tobytes() == keccak(message), length


def test_the_hash_is_the_same_where_it_is_not_compiled() -> None:
    state = np.zeros(STATE_LANES, dtype=np.uint64)
    with np.errstate(over="ignore"):
        absorb(state, blocks_of(b"defai"), 0, 1)
        assert state[:4].astype("<u8").tobytes() == keccak(b"defai")
        permute(state)
    assert state[:4].astype("<u8").tobytes() != keccak(b"defai")


@pytest.mark.parametrize("threads", ["", "1"])
@pytest.mark.parametrize("count", [1, 5, 64, 65, 700])
def test_holds_are_those_sealed_one_by_one(count: int, threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    before = threading.active_count()
    draws = random.Random(count)  # noqa: S311  reasons, not secrets
    reasons = [draws.choice([*STRANGE, f"tick {draws.randrange(9)}"]) for _ in range(2 * count)]
    expected = one_by_one(reasons, 12, 400, "0x" + "ab" * 32)
    holds = chain()
    numbers = [holds.payload_of(reason) for reason in reasons]
    holds.extend(12, 400, "0x" + "ab" * 32, numbers[:count])
    holds.extend(12 + count, 400 + count, "", numbers[count:])
    assert threading.active_count() == before + (count > 64 and not threads), (
        "a worker keeps to its one thread"
    )
    assert holds.last_digest() == expected[-1].digest
    assert [holds.decision(row) for row in range(len(holds))] == expected
    assert [tuple(one) for one in holds.waiting(3)] == [(one.sequence, one.digest) for one in expected[3:]]
    holds.forget(count)
    assert [holds.decision(row) for row in range(len(holds))] == expected
    more = one_by_one(["later"], 12 + 2 * count, 400 + 2 * count, expected[-1].digest)
    holds.extend(12 + 2 * count, 400 + 2 * count, "", [holds.payload_of("later")])
    assert holds.decision(2 * count) == more[0]
    holds.close()


def test_more_reasons_than_are_remembered() -> None:
    reasons = [f"tick {number}" for number in range(5_000)] + ["tick 1"]
    holds = chain()
    holds.extend(0, 1, ZERO_DIGEST, [holds.payload_of(reason) for reason in reasons])
    assert holds.last_digest() == one_by_one(reasons, 0, 1, ZERO_DIGEST)[-1].digest
    assert holds.decision(1).payload == holds.decision(5_000).payload
    holds.close()


def test_another_reason_gives_another_digest() -> None:
    a, b = (chain() for _ in range(2))
    a.extend(0, 1, ZERO_DIGEST, [a.payload_of("one")])
    b.extend(0, 1, ZERO_DIGEST, [b.payload_of("another")])
    assert a.last_digest() != b.last_digest()
    assert replace(a.decision(0), payload=b"") != a.decision(0)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 50, 129])
def test_roots_are_those_of_the_tree(count: int) -> None:
    draws = random.Random(count)  # noqa: S311  digests, not secrets
    digests = ["0x" + draws.randbytes(32).hex() for _ in range(count)]
    assert chain().merkle_root(digests) == merkle_root(digests)
