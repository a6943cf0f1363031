"""What a decision commits to, before it has a number."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from defai.agent import wording
from defai.agent.desk import Judged
from defai.audit.canonical import canonical_json
from defai.audit.record import Draft, SpelledPayload, features_digest
from defai.domain.chain_events import Block
from defai.domain.decisions import ZERO_DIGEST, Action, FeatureRow, Forecast, Verdict, VerdictStatus
from defai.domain.intents import Hold

_INTEGERS: Final = frozenset({int})


def draft_of(
    agent: str,
    strategy_digest: str,
    head: Block,
    row: FeatureRow | None,
    forecast: Forecast | None,
    judged: Judged,
) -> Draft:
    """What an agent's decision upon a block commits to.

    Args:
        agent: its name.
        strategy_digest: of its strategy's source and parameters.
        head: the block.
        row: the features it was made from; None for none.
        forecast: None for none.
        judged: with a plan, whether it may be carried out now or only with the owner's approval.
    """
    intent = judged.verdict.intent
    return Draft(
        block_number=head.number,
        block_hash=head.hash,
        strategy_digest=strategy_digest,
        model_digest=forecast.model_digest if forecast else ZERO_DIGEST,
        features_digest=features_digest(row),
        forecast_x24=forecast.value_x24 if forecast else 0,
        action=wording.ACTIONS[type(intent)] if judged.plan else Action.HOLD,
        action_digest=judged.plan.action_digest if judged.plan else ZERO_DIGEST,
        payload=_payload(agent, row, judged),
    )


def _payload(agent: str, row: FeatureRow | None, judged: Judged) -> Mapping[str, Any]:
    verdict = judged.verdict
    intent = verdict.intent
    plain = verdict.status is VerdictStatus.APPROVED and not verdict.checks and not verdict.reason
    if plain and type(intent) is Hold:
        return _payload_of_hold(agent, row, intent.reason)
    return {
        "agent": agent,
        "features": dict(zip(row.names, row.values, strict=True)) if row else None,
        "intent": wording.canonical(intent),
        "reason": intent.reason,
        "verdict": wording.verdict_record(verdict),
    }


def _payload_of_hold(agent: str, row: FeatureRow | None, reason: str) -> SpelledPayload:
    """As above, spelled already: nearly all decisions are holds, and most say what the one before them said."""
    whole, before, after = _spelled_hold(agent, reason)
    if row is None:
        return whole
    form, in_order = _spelled_features(row.names)
    values = in_order(row.values)
    if _INTEGERS.issuperset(map(type, values)):
        return SpelledPayload(before + (form % values).encode() + after)
    raise TypeError(f"the features of block {row.block_number} are not all integers")


@lru_cache(maxsize=64)
def _spelled_hold(agent: str, reason: str) -> tuple[SpelledPayload, bytes, bytes]:
    """The payload of a hold without features, and what stands before and after the features of one with them."""
    parts = {
        "intent": wording.canonical(Hold(reason=reason)),
        "reason": reason,
        "verdict": wording.verdict_record(Verdict(VerdictStatus.APPROVED, Hold(reason=reason))),
    }
    before = canonical_json({"agent": agent})[:-1] + b',"features":'
    after = b"," + canonical_json(parts)[1:]
    return SpelledPayload(before + b"null" + after), before, after


@lru_cache(maxsize=64)
def _spelled_features(names: tuple[str, ...]) -> tuple[str, Callable[[Sequence[int]], tuple[int, ...]]]:
    """Features as canonical JSON with gaps for the values, and what puts the values in the gaps' order."""
    order = sorted(range(len(names)), key=names.__getitem__)
    gaps = ",".join(f"{json.dumps(names[at], ensure_ascii=False)}:".replace("%", "%%") + "%d" for at in order)
    return f"{{{gaps}}}", lambda values: tuple([values[at] for at in order])
