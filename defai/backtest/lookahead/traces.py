"""What a strategy decided on a history, and where two such traces part."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, NamedTuple

from defai.backtest.runner import AgentRun
from defai.domain.decisions import Action
from defai.units import Q24

NOTHING = "none"
_TEXT_LENGTH = 160


class Step(NamedTuple):
    """One decision, without what only chains it to the ones before.

    Attributes:
        payload: features, intent, reason and verdict, as canonical JSON.
    """

    block_number: int
    timestamp: int
    acted: bool
    forecast_x24: int
    model_digest: str
    payload: bytes


class Difference(NamedTuple):
    """Something that two decisions upon one block do not agree in; `kind` and `name` as in `Finding`."""

    kind: str
    name: str
    whole: str
    other: str


@dataclass(frozen=True, slots=True)
class Parting:
    """The first block at which two traces differ, and in what."""

    block_number: int
    timestamp: int
    differences: tuple[Difference, ...]


def trace_of(run: AgentRun) -> tuple[Step, ...]:
    """The decisions of a run."""
    return tuple(
        Step(
            decision.block_number,
            time,
            decision.action is not Action.HOLD,
            decision.forecast_x24,
            decision.model_digest,
            decision.payload,
        )
        for decision, time in zip(run.decisions, run.times, strict=True)
    )


def first_parting(whole: Sequence[Step], other: Sequence[Step], until: int | None = None) -> Parting | None:
    """Where a trace first differs from that of the whole history.

    Args:
        whole: the whole history's decisions.
        other: what to compare.
        until: later decisions are not compared; None for all.
    """
    for one, two in zip_longest(_up_to(whole, until), _up_to(other, until)):
        if one != two:
            at = one or two
            return Parting(at.block_number, at.timestamp, tuple(_differences(one, two)))
    return None


def _up_to(trace: Sequence[Step], until: int | None) -> Iterator[Step]:
    for step in trace:
        if until is not None and step.timestamp > until:
            return
        yield step


def _differences(whole: Step | None, other: Step | None) -> Iterator[Difference]:
    if whole is None or other is None or whole.block_number != other.block_number:
        yield Difference("decision", "block", *(_decided(step) for step in (whole, other)))
        return
    ours, theirs = (json.loads(step.payload) for step in (whole, other))
    for name, values in _apart(ours["features"] or {}, theirs["features"] or {}):
        yield Difference("feature", name, *values)
    if whole[3:5] != other[3:5]:
        yield Difference("forecast", "", _forecast(whole), _forecast(other))
    intents = ours["intent"], theirs["intent"]
    if intents[0]["kind"] != intents[1]["kind"]:
        yield Difference("decision", "intent", *(_intent(payload) for payload in (ours, theirs)))
        return
    fields = [one for one in _apart(*intents) if one[0] != "reason"]
    for name, values in fields or [one for one in _apart(ours, theirs) if one[0] in {"reason", "verdict"}]:
        yield Difference("decision", name, *values)


def _apart(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Names whose values differ, with both values."""
    for name in dict.fromkeys([*ours, *theirs]):
        values = ours.get(name), theirs.get(name)
        if values[0] != values[1]:
            yield name, (_short(values[0]), _short(values[1]))


def _decided(step: Step | None) -> str:
    return "no decision" if step is None else f"a decision upon block {step.block_number}"


def _forecast(step: Step) -> str:
    return str(step.forecast_x24 / Q24) if int(step.model_digest, 16) else NOTHING


def _intent(payload: Mapping[str, Any]) -> str:
    intent = {
        name: value for name, value in payload["intent"].items() if name not in {"kind", "reason", "pool"}
    }
    fields = ", ".join(f"{name} {value}" for name, value in intent.items())
    return _short(f"{payload['intent']['kind']}{f' {fields}' if fields else ''}: {payload['reason']}")


def _short(value: object) -> str:
    said = NOTHING if value is None else value if isinstance(value, str) else json.dumps(value)
    return said if len(said) <= _TEXT_LENGTH else f"{said[: _TEXT_LENGTH - 1]}…"
