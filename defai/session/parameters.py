"""What other parameters would change, before anything is changed; and the strategies there are, with their forms."""

from collections.abc import Mapping
from typing import Literal, get_args, get_origin

from pydantic import ValidationError

from defai.agent.agent import Agent
from defai.agent.what_if import what_if
from defai.agent.wording import intent_text
from defai.audit.record import strategy_digest
from defai.domain.answers import ParameterPreview, StrategyCard
from defai.session.fleet import canonical_parameters
from defai.strategy.api import Strategy
from defai.strategy.form import declared_form, text_of
from defai.strategy.registry import list_names


def preview(agent: Agent, source: bytes, values: Mapping[str, str]) -> ParameterPreview:
    """What an agent would do with other parameters. Nothing is changed.

    Args:
        agent: on its seat, its market at the newest block.
        source: of its strategy, for the digest.
        values: as typed, by name; the others stay.
    """
    return judged(agent, source, values)[0]


def judged(
    agent: Agent, source: bytes, values: Mapping[str, str]
) -> tuple[ParameterPreview, Strategy | None]:
    """As `preview`, and the strategy with the new parameters; None where they don't fit."""
    old = agent.mandate.strategy
    new, errors = _made(old, values)
    if new is None:
        return ParameterPreview(agent.name, errors), None
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    changed = tuple(
        (name, text_of(before[name]), text_of(after[name])) for name in before if before[name] != after[name]
    )
    now, then = what_if(agent, old), what_if(agent, new)
    keys = agent.desk.market.keys
    return ParameterPreview(
        agent=agent.name,
        errors={},
        changed=changed,
        block_number=agent.desk.market.head.number,
        text_before=intent_text(now.verdict.intent, keys),
        reason_before=now.verdict.intent.reason,
        text=intent_text(then.verdict.intent, keys),
        reason=then.verdict.intent.reason,
        verdict=then.verdict.status.value,
        verdict_reason=then.verdict.reason,
        strategy_digest=strategy_digest(source, canonical_parameters(new)),
        notes=_notes(old, new),
    ), new


def _made(old: Strategy, values: Mapping[str, str]) -> tuple[Strategy | None, dict[str, str]]:
    cls, errors = type(old), {}
    for name in values:
        if name not in cls.model_fields:
            errors[name] = f"{cls.__name__} has no such parameter"
    if errors:
        return None, errors
    typed = {name: _typed(cls, name, text) for name, text in values.items()}
    try:
        return cls(**{**old.model_dump(), **typed}), {}
    except ValidationError as error:
        for found in error.errors():
            where = str(found["loc"][0]) if found["loc"] else ""
            errors.setdefault(where, found["msg"])
        return None, errors


def _typed(cls: type[Strategy], name: str, text: str) -> object:
    """Text as the field wants it: pydantic reads numbers from it, of choices that are no text it does not."""
    annotation = cls.model_fields[name].annotation
    if get_origin(annotation) is Literal:
        return next((choice for choice in get_args(annotation) if str(choice) == text), text)
    return text.strip()


def _notes(old: Strategy, new: Strategy) -> tuple[str, ...]:
    notes = []
    if (old.features(), old.target()) != (new.features(), new.target()):
        notes.append("its model would not fit: features or target differ, so the session has to start anew")
    if old.pools() != new.pools():
        notes.append("it would look at other pools, so the session has to start anew")
    return tuple(notes)


def strategy_cards() -> tuple[StrategyCard, ...]:
    """Every strategy there is to ask for, with its form, read from the files: none is imported to be chosen from."""
    return tuple(
        StrategyCard(
            name.name, name.summary, name.origin, declared_form(name.parameters), name.forecasts, name.problem
        )
        for name in list_names()
    )
