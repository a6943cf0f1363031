"""Answers that other processes give: the ladder's, and the list of histories."""

import json
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

from defai.domain.answers import RungView, SourceCard, Verification
from defai.errors import NotFoundError
from defai.session.apart import lines_of


async def verified(
    agent: str, sequence: int, *, rpc_url: str, contract: str, folders: Sequence[str]
) -> Verification:
    """Climb the ladder for one decision.

    Args:
        agent: its name.
        sequence: the decision's number.
        rpc_url: of the chain; may hold a secret, so it goes by the environment.
        contract: the DecisionAudit.
        folders: where strategies' sources are.

    Raises:
        DefaiError: where it cannot be tried: the decision is not on the chain yet, or the node does not answer.
    """
    began = perf_counter()
    where = {"DEFAI_AUDIT_RPC": rpc_url, "DEFAI_AUDIT_CONTRACT": contract}
    options = [word for folder in folders for word in ("--strategies", folder)]
    arguments = ["audit", "verify", f"{agent}:{sequence}", "--json", *options]
    found = [line async for line in lines_of("defai", arguments, environment=where, bad_news=1)]
    reports = json.loads(b"".join(found) or b"{}").get("reports", [])
    if not reports:
        raise NotFoundError(f"Nothing was found out about decision {agent}:{sequence}.")
    return told_of(reports[0], agent, perf_counter() - began)


def told_of(report: Mapping[str, Any], agent: str, seconds: float) -> Verification:
    """A report as JSON has it, for a screen.

    Args:
        report: as `Report.to_json` gives it.
        agent: the agent's name.
        seconds: how long it took.
    """
    return Verification(
        digest=report["digest"],
        agent=agent,
        sequence=report["sequence"],
        record_id=report["token_id"],
        rungs=tuple(_rung(raw) for raw in report["rungs"]),
        is_verified=report["verified"],
        score=report["score"],
        seconds=seconds,
    )


def _rung(raw: Mapping[str, Any]) -> RungView:
    return RungView(
        name=raw["rung"],
        standing=raw["standing"],
        note=raw["note"],
        comparisons=tuple(
            (one["what"], one["recorded"], one["found"], one["agrees"]) for one in raw["compared"]
        ),
    )


def source_cards(listed: Mapping[str, Any]) -> tuple[SourceCard, ...]:
    """What `defai list-data --json` says, for a choice."""
    return tuple(
        SourceCard(
            path=one["folder"],
            kind="events",
            title=", ".join(pool["name"] for pool in one.get("pools", ())) or one["folder"],
            fidelity=one["state"],
            first_time=one.get("first_time"),
            last_time=one.get("last_time"),
            problem=one.get("complaint") or "",
        )
        for one in listed["data_sets"]
    )
