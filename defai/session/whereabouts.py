"""Where a decision is that is not on the chain yet: a running session knows it, and need not climb to say so."""

from typing import Final

from defai.agent.agent import Agent
from defai.session.told import Book

_NOTHING: Final = {"nothing was sent": "it moved nothing", "reverted": "its transaction reverted"}


def off_chain(agent: Agent, sequence: int, digest: str, book: Book) -> str:
    """Why a decision cannot be verified yet, in a sentence; empty where nothing says that it is not on the chain.

    Args:
        agent: who took it.
        sequence: its number.
        digest: its digest.
        book: what came of decisions.
    """
    named = f"Decision {agent.name}:{sequence} is not on the chain yet"
    if agent.pending is not None and agent.pending.decision.digest == digest:
        return f"{named}: it waits for the owner, and is recorded with its transaction if he approves it."
    if sequence < agent.outbox.on_log:
        return ""
    execution = book.execution(digest)
    if execution is None and agent.outbox.carries(digest):
        return f"{named}: its transaction is under way."
    status = execution.status if execution else "nothing was sent"
    why = _NOTHING.get(status, "its transaction was never taken")
    waiting, every = len(agent.outbox), agent.mandate.anchor_every
    return (
        f"{named}: {why}, so it is anchored with the agent's next trade, or when {every} wait ({waiting} do)."
    )
