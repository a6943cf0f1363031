"""What a decision commits to, before it has a number."""

from defai.agent import wording
from defai.agent.desk import Judged
from defai.audit.record import Draft, features_digest
from defai.domain.chain_events import Block
from defai.domain.decisions import ZERO_DIGEST, Action, FeatureRow, Forecast


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
        payload={
            "agent": agent,
            "features": dict(zip(row.names, row.values, strict=True)) if row else None,
            "intent": wording.canonical(intent),
            "reason": intent.reason,
            "verdict": wording.verdict_record(judged.verdict),
        },
    )
