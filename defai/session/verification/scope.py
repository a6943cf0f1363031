"""Which decision is meant: by its record's number, or by its agent and sequence."""

import re
from dataclasses import replace

from defai.errors import ConfigError, NotFoundError, did_you_mean
from defai.session.verification.evidence import Evidence, Trail

_PLACE = re.compile(r"(?P<agent>[\w-]+):(?P<sequence>\d+)\Z")


def agent_named(evidence: Evidence, name: str) -> int:
    """The number of an agent, by its number or by the name in its charter.

    Raises:
        NotFoundError: where there is no such agent.
    """
    names = {trail.charter.name: agent_id for agent_id, trail in evidence.trails.items() if trail.charter}
    known = {**names, **{str(agent_id): agent_id for agent_id in evidence.trails}}
    if name not in known:
        hint = did_you_mean(name, list(known)) or f"There are: {', '.join(names) or ', '.join(known)}."
        raise NotFoundError(f"There is no agent called '{name}' in this contract.", hint)
    return known[name]


def locate(evidence: Evidence, text: str) -> tuple[int, int]:
    """Agent and sequence of a decision.

    Args:
        evidence: of all agents.
        text: a record's number, `12` or `#12`; or `AGENT:SEQUENCE`, the agent by number or name.

    Raises:
        ConfigError: where it is neither.
        NotFoundError: where there is no such decision.
    """
    place = _PLACE.match(text)
    if place:
        return agent_named(evidence, place["agent"]), int(place["sequence"])
    if not text.removeprefix("#").isdigit():
        raise ConfigError(
            f"'{text}' names no decision.", "Give a record's number, or AGENT:SEQUENCE for any decision."
        )
    number = int(text.removeprefix("#"))
    for trail in evidence.trails.values():
        for record in trail.records.values():
            if record.token_id == number:
                return trail.agent_id, record.decision.sequence
    if number in evidence.claimed:
        return evidence.claimed[number]
    raise NotFoundError(f"There is no record {number} in this contract.", "`defai audit list` shows them.")


def narrowed(evidence: Evidence, agent_id: int) -> Evidence:
    """The evidence of one agent."""
    return replace(evidence, trails={agent_id: evidence.trails[agent_id]})


def until_of(trail: Trail, sequence: int) -> int:
    """The last block that has to be lived through to verify a decision.

    Raises:
        NotFoundError: where it is not on the log.
    """
    for submission in trail.submissions:
        record, anchored = trail.records.get(submission.sent.hash), trail.anchors.get(submission.sent.hash)
        begins = anchored.anchor.first_sequence if anchored else -1
        within = anchored is not None and begins <= sequence < begins + anchored.anchor.count
        if within or (record is not None and record.decision.sequence == sequence):
            return submission.receipt.block_number - 1
    raise _not_there(trail, sequence)


def _not_there(trail: Trail, sequence: int) -> NotFoundError:
    """What the chain says of a decision that is not on the log: where that ends, or that its transaction reverted."""
    named = f"Decision {sequence} of agent {trail.agent_id}"
    for submission in trail.submissions:
        if submission.decision is not None and submission.decision.sequence == sequence:
            return NotFoundError(
                f"{named} reverted in transaction {submission.sent.hash}, and waits for the agent's next anchor.",
                "It can be verified once that is on the chain.",
            )
    ends = max(
        [record.decision.sequence + 1 for record in trail.records.values()]
        + [each.anchor.first_sequence + each.anchor.count for each in trail.anchors.values()],
        default=0,
    )
    last = f"the last one there is {ends - 1}" if ends else "there is none of this agent yet"
    return NotFoundError(
        f"{named} is not on the chain: {last}.",
        "What moved nothing comes there with the agent's next anchor, what is under way with its transaction.",
    )
