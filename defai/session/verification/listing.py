"""Records and anchors as flat rows, for lists and exports."""

from collections.abc import Iterator
from typing import Any

from defai.audit.ladder.rungs import payload_of
from defai.session.verification.evidence import Submission, Trail
from defai.units import Q24


def rows_of_trail(trail: Trail) -> Iterator[dict[str, Any]]:
    """What an agent put on the log, in the chain's order: a row for each anchor and each record."""
    name = trail.charter.name if trail.charter else str(trail.agent_id)
    for submission in trail.submissions:
        common = {"agent": name, "agent_id": trail.agent_id}
        landed = {
            "transaction": submission.sent.hash,
            "block_number": submission.receipt.block_number,
            "gas_used": submission.receipt.gas_used,
        }
        anchored, record = trail.anchors.get(submission.sent.hash), trail.records.get(submission.sent.hash)
        if anchored is not None:
            yield {
                "record": None,
                **common,
                "sequence": anchored.anchor.first_sequence,
                "count": anchored.anchor.count,
                "action": "anchor",
                "root": anchored.anchor.root,
                "last_digest": anchored.anchor.last_digest,
                **(landed if record is None else {**landed, "gas_used": None}),
            }
        if record is not None:
            yield {"record": record.token_id, **common, **_decision_row(submission, trail), **landed}


def _decision_row(submission: Submission, trail: Trail) -> dict[str, Any]:
    decision = trail.records[submission.sent.hash].decision
    payload = payload_of(decision)
    return {
        "sequence": decision.sequence,
        "count": 1,
        "action": decision.action.name.lower(),
        "digest": decision.digest,
        "previous_digest": decision.previous_digest,
        "decided_upon": decision.block_number,
        "block_hash": decision.block_hash,
        "strategy_digest": decision.strategy_digest,
        "model_digest": decision.model_digest,
        "features_digest": decision.features_digest,
        "forecast_x24": decision.forecast_x24,
        "forecast": decision.forecast_x24 / Q24,
        "action_digest": decision.action_digest,
        "payload_digest": decision.payload_digest,
        "reason": payload.get("reason", ""),
        "payload": decision.payload.decode("utf-8", "replace"),
    }
