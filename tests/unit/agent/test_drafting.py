"""What a decision commits to is spelled once, and as `canonical_json` spells it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defai.agent import wording
from defai.agent.desk import Judged
from defai.agent.drafting import draft_of
from defai.audit.canonical import canonical_json, digest
from defai.audit.record import Draft, spelled
from defai.domain.chain_events import Block
from defai.domain.decisions import ZERO_DIGEST, FeatureRow, Verdict, VerdictStatus
from defai.domain.intents import Hold

HEAD = Block(7, "0x" + "07" * 32, "0x" + "06" * 32, 1_700_000_000, 10**9)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def drafted(agent: str, row: FeatureRow | None, verdict: Verdict) -> Draft:
    return draft_of(agent, ZERO_DIGEST, HEAD, row, None, Judged(verdict))


def plainly(agent: str, row: FeatureRow | None, verdict: Verdict) -> dict[str, Any]:
    return {
        "agent": agent,
        "features": dict(zip(row.names, row.values, strict=True)) if row else None,
        "intent": wording.canonical(verdict.intent),
        "reason": verdict.intent.reason,
        "verdict": wording.verdict_record(verdict),
    }


@given(
    agent=TEXT,
    reason=TEXT,
    features=st.none() | st.dictionaries(TEXT, st.integers(-(2**31), 2**31), min_size=1, max_size=6),
    status=st.sampled_from(VerdictStatus),
    doubt=st.sampled_from(["", "too much"]),
)
def test_a_payload_has_the_bytes_of_canonical_json(
    agent: str, reason: str, features: dict[str, int] | None, status: VerdictStatus, doubt: str
) -> None:
    row = FeatureRow(7, tuple(features), tuple(features.values()), ZERO_DIGEST) if features else None
    verdict = Verdict(status, Hold(reason=reason), (), doubt)
    draft, plain = drafted(agent, row, verdict), plainly(agent, row, verdict)
    assert spelled(draft) == (canonical_json(plain), digest(canonical_json(plain)))
    assert dict(draft.payload) == json.loads(canonical_json(plain))
    assert len(draft.payload) == len(plain)


@pytest.mark.parametrize("value", [1.5, True, None])
def test_a_feature_that_is_no_integer_is_refused(value: Any) -> None:  # noqa: ANN401  what no feature is
    row = FeatureRow(7, ("whole", "odd"), (1, value), ZERO_DIGEST)
    with pytest.raises((TypeError, AttributeError)):
        drafted("one", row, Verdict(VerdictStatus.APPROVED, Hold(reason="waits")))
