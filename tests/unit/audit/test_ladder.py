"""The ladder's pure part: charters, comparisons, findings, scores."""

import json
from dataclasses import replace

import pytest

from defai.audit.canonical import canonical_json, digest
from defai.audit.charter import TAG, Charter
from defai.audit.ladder import rungs
from defai.audit.ladder.findings import Comparison, Report, Rung, Standing, found, left_open
from defai.audit.ladder.rungs import Answers, Carriage, Place
from defai.audit.record import AuditDomain, Draft, action_digest, features_digest, seal
from defai.domain.decisions import ZERO_DIGEST, Action, Decision, FeatureRow
from defai.domain.operations import Call

POOL = "0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640"
DOMAIN = AuditDomain(31337, POOL)
ROW = FeatureRow(8, ("return_1", "swaps_2"), (5, -3), "0x" + "07" * 32)
CALLS = (Call(POOL, b"\x01\x02"), Call(POOL, b"\x03"))
PAYLOAD = {
    "agent": "one",
    "features": {"return_1": 5, "swaps_2": -3},
    "intent": {"kind": "Swap"},
    "reason": "it pays",
    "verdict": {"status": "approved"},
}
DRAFT = Draft(
    8, "0x" + "0b" * 32, "0x" + "01" * 32, "0x" + "02" * 32, features_digest(ROW), 77, Action.SWAP,
    action_digest(CALLS), PAYLOAD,
)  # fmt: skip
DECISION = seal(DRAFT, DOMAIN, agent_id=3, sequence=4, previous_digest="0x" + "0c" * 32)
CARRIAGE = Carriage(
    "0xaa", "sender", "sender", "vault", "vault", succeeded=True, decision=DECISION, calls=CALLS, records=1
)
CHARTER = Charter(
    agent_id=3, name="one", strategy="busy", strategy_class="Busy", strategy_digest="0x" + "01" * 32,
    parameters={"every": 3, "share": "0.5"}, features=("return_1",), pools=(POOL,), watched=(POOL,),
    pricing_pool=POOL, numeraire=POOL, limits={"max_slippage_bps": 50, "approval_above_usd": None},
    funds=((POOL, 10**30),), opens=7, counts_from=9,
)  # fmt: skip


def differing(finding: object) -> list[str]:
    return [each.what for each in finding.differences]  # type: ignore[attr-defined]  # a finding


def test_a_charter_is_read_as_it_was_written() -> None:
    assert Charter.decode(CHARTER.encode()) == CHARTER
    assert CHARTER.encode() == replace(CHARTER).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"something else",
        TAG,
        TAG + b"{",
        TAG + b"[]",
        TAG + b"{}",
        CHARTER.encode().replace(b'"opens":7', b'"opens":"7"'),
        CHARTER.encode().replace(b'"opens":7', b'"opens":-7'),
        CHARTER.encode().replace(b'"opens":7', b'"opens":7,"more":1'),
        CHARTER.encode() + b"\xff",
    ],
)
def test_what_is_no_charter_is_none(data: bytes) -> None:
    assert Charter.decode(data) is None


def test_integrity_names_what_was_changed() -> None:
    place = Place(4, "0x" + "0c" * 32)
    assert rungs.integrity(DECISION, DOMAIN, place).standing is Standing.HOLDS
    changes: dict[str, Decision] = {
        "payload digest": replace(DECISION, payload=DECISION.payload + b" "),
        "sequence": seal(DRAFT, DOMAIN, agent_id=3, sequence=5, previous_digest="0x" + "0c" * 32),
        "previous digest": seal(DRAFT, DOMAIN, agent_id=3, sequence=4, previous_digest=ZERO_DIGEST),
    }
    for what, decision in changes.items():
        assert differing(rungs.integrity(decision, DOMAIN, place)) == [what]
    for field in ("block_number", "forecast_x24", "agent_id"):
        decision = replace(DECISION, **{field: getattr(DECISION, field) + 1})
        assert differing(rungs.integrity(decision, DOMAIN, place)) == ["decision digest"]
    for field in ("block_hash", "strategy_digest", "model_digest", "features_digest", "action_digest"):
        decision = replace(DECISION, **{field: digest(b"else")})  # type: ignore[arg-type]  # one field each
        assert differing(rungs.integrity(decision, DOMAIN, place)) == ["decision digest"]
    assert differing(rungs.integrity(replace(DECISION, action=Action.OPEN), DOMAIN, place)) == [
        "decision digest"
    ]
    assert differing(rungs.integrity(DECISION, AuditDomain(1, POOL), place)) == ["decision digest"]


def test_data_names_the_features_that_differ() -> None:
    assert rungs.data(DECISION, DECISION.block_hash, ROW, "folded").standing is Standing.HOLDS
    other = replace(ROW, values=(5, -4))
    finding = rungs.data(DECISION, DECISION.block_hash, other, "folded")
    assert differing(finding) == ["features digest", "feature swaps_2"]
    assert (finding.differences[1].recorded, finding.differences[1].found) == ("-3", "-4")
    nothing = rungs.data(DECISION, "0x00", None, "folded")
    assert differing(nothing) == ["block hash", "features digest", "feature return_1", "feature swaps_2"]
    assert nothing.note == "folded; no features at this block"


def test_model_holds_where_everybody_says_the_same() -> None:
    answers = Answers(DECISION.model_digest, 77, 77, "model #1")
    assert rungs.model(DECISION, answers).standing is Standing.HOLDS
    assert differing(rungs.model(DECISION, replace(answers, evm_x24=78))) == ["forecast x 2^24, EVM"]
    assert differing(rungs.model(DECISION, replace(answers, trees_x24=7))) == [
        "forecast x 2^24, integer trees"
    ]
    assert differing(rungs.model(DECISION, replace(answers, digest=ZERO_DIGEST))) == ["model digest"]
    unasked = rungs.model(DECISION, replace(answers, evm_x24=None, note="nobody there"))
    assert (unasked.standing, unasked.note) == (Standing.OPEN, "nobody there")
    assert rungs.model(DECISION, replace(answers, trees_x24=7, evm_x24=None)).standing is Standing.BREAKS
    assert rungs.model(DECISION, Answers()).standing is Standing.OPEN
    without = replace(DECISION, model_digest=ZERO_DIGEST, forecast_x24=0)
    assert rungs.model(without, Answers()).standing is Standing.HOLDS
    assert rungs.model(replace(without, forecast_x24=1), Answers()).standing is Standing.BREAKS


def test_deciding_compares_part_by_part() -> None:
    assert rungs.deciding(DECISION, DRAFT).standing is Standing.HOLDS
    for name in ("agent", "intent", "reason", "verdict"):
        other = replace(DRAFT, payload={**PAYLOAD, name: "else"})
        assert differing(rungs.deciding(DECISION, other)) == [name]
    assert differing(rungs.deciding(DECISION, replace(DRAFT, action=Action.HOLD))) == ["action"]
    assert differing(rungs.deciding(DECISION, replace(DRAFT, strategy_digest=ZERO_DIGEST))) == [
        "strategy digest"
    ]
    for payload in (b"not JSON", b"[1.5]", canonical_json({})):
        unread = rungs.deciding(replace(DECISION, payload=payload), DRAFT)
        assert differing(unread) == ["agent", "intent", "reason", "verdict"]


def test_execution_names_each_call_that_differs() -> None:
    assert rungs.execution(DECISION, CALLS, CARRIAGE).standing is Standing.HOLDS
    lowered = tuple(replace(call, target=call.target.lower()) for call in CALLS)
    assert differing(rungs.execution(DECISION, lowered, CARRIAGE)) == []
    fewer = rungs.execution(DECISION, CALLS[:1], CARRIAGE)
    assert differing(fewer) == ["digest of the plan's calls", "call 2"]
    more = rungs.execution(DECISION, CALLS, replace(CARRIAGE, calls=(*CALLS, CALLS[0])))
    assert differing(more) == ["digest of the calls made", "call 3"]
    for change, what in (
        ({"sender": "thief"}, "sender"),
        ({"target": "elsewhere"}, "target"),
        ({"succeeded": False}, "transaction"),
        ({"records": 2}, "records in the transaction"),
        ({"decision": None}, "decision in the call data"),
    ):
        assert differing(rungs.execution(DECISION, CALLS, replace(CARRIAGE, **change))) == [what]
    assert rungs.execution(DECISION, None, CARRIAGE).standing is Standing.OPEN


def test_a_report_names_the_lowest_rung_that_breaks_and_scores() -> None:
    same, other = Comparison("a", "1", "1"), Comparison("b", "1", "2")
    good = tuple(found(rung, same) for rung in Rung)
    report = Report(3, 4, 1, DECISION.digest, 8, "swap", good)
    assert (report.is_verified, report.broken, report.score) == (True, None, 100)
    open_one = replace(report, findings=(*good[:4], left_open(Rung.EXECUTION, "nobody knows", same)))
    assert (open_one.is_verified, open_one.broken, open_one.score) == (False, None, 80)
    broken = replace(report, findings=(good[0], found(Rung.DATA, same, other), found(Rung.MODEL, other)))
    assert broken.broken is not None
    assert (broken.broken.rung, broken.score) == (Rung.DATA, 0)
    assert [each.what for each in broken.broken.differences] == ["b"]
    told = json.loads(broken.evidence)
    assert (told["broken_rung"], told["rungs"][1]["compared"][1]["agrees"]) == ("data", False)
    assert broken.evidence_digest == digest(canonical_json(broken.to_json())) != report.evidence_digest
