"""What an agent would decide upon the newest block with another strategy, without anything coming of it."""

from defai.agent.agent import Agent
from defai.agent.asking import Asking
from defai.agent.desk import Judged
from defai.domain.decisions import Verdict, VerdictStatus
from defai.strategy.api import Strategy


def what_if(agent: Agent, strategy: Strategy) -> Judged:
    """Let a strategy look at what an agent sees now, and the guard judge what it wants.

    Args:
        agent: whose features, forecast and money it is shown; what it does is not changed.
        strategy: of the same features and the same target as the agent's own.

    Returns:
        The verdict; a denied hold with the reason where the strategy raises, or answers with what is no intent.
    """
    valued = agent.desk.valued()
    context = agent.look(valued)
    asking = Asking(agent.mandate.strategy_name)
    intent = asking.decide(strategy.decide, context, strategy.stated_edge)
    if asking.fault:
        return Judged(Verdict(VerdictStatus.DENIED, intent, (), "the agent would be stopped"))
    return agent.desk.judge(intent, valued)
