"""Why a decision was taken, from what the running session knows: its run's directory, its models, its market."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from defai.agent.agent import Agent
from defai.agent.wording import intent_text
from defai.chain import contracts
from defai.chain.codec import selector
from defai.chain.rpc import Rpc
from defai.chain.vault import decode_submission
from defai.domain import intents
from defai.domain.answers import CallView, ContributionView, Explanation
from defai.domain.decisions import ZERO_DIGEST, Action, FeatureRow
from defai.domain.operations import Call
from defai.domain.stream import CheckView, ExecutionSettled, ForecastView
from defai.errors import DefaiError, NotFoundError
from defai.features.pipeline import build_table
from defai.models.attribution import contributions_x24
from defai.models.registry import ModelRegistry
from defai.models.trained import TrainedModel
from defai.session.ratings import ratings_in
from defai.session.run_directory import models_folder
from defai.session.told import Book
from defai.units import Q24

_USUAL_ROWS: Final = 64
_SIGNATURES: Final = (
    contracts.EXACT_INPUT_SINGLE,
    contracts.MINT,
    contracts.INCREASE_LIQUIDITY,
    contracts.DECREASE_LIQUIDITY,
    contracts.COLLECT,
    contracts.BURN,
    contracts.APPROVE,
    "swap(address,bool,int256,uint160,bytes)",
)
_NAMES: Final = {selector(one): one.partition("(")[0] for one in _SIGNATURES}
_UNITS: Final = {"slippage": "bp", "trade": "USD", "turnover": "USD a day", "gas": "USD"}


@dataclass(frozen=True, slots=True)
class Because:
    """A forecast taken apart."""

    forecast: ForecastView | None = None
    usual: float | None = None
    contributions: tuple[ContributionView, ...] = ()
    note: str = ""


def find_decision(run: Path, digest: str) -> dict[str, Any]:
    """A decision as the run's directory has it.

    Raises:
        NotFoundError: where it is not there.
    """
    wanted = digest.encode()
    try:
        with (run / "decisions.jsonl").open("rb") as file:
            for line in file:
                if wanted in line and line.endswith(b"\n"):
                    kept: dict[str, Any] = json.loads(line)
                    if kept["digest"] == digest:
                        return kept
    except FileNotFoundError as error:
        raise NotFoundError(f"{run} keeps no decisions.") from error
    raise NotFoundError(f"There is no decision {digest} in {run}.")


def explain(agent: Agent, kept: Mapping[str, Any], book: Book, run: Path) -> Explanation:
    """Everything that is known of a decision, but for its calls.

    Args:
        agent: who took it.
        kept: as `find_decision` gave it.
        book: what came of decisions.
        run: where ratings are.
    """
    payload = json.loads(kept["payload"])
    verdict, features = payload["verdict"], payload["features"] or {}
    because = _because(agent, kept, features)
    execution = book.execution(kept["digest"])
    rating = next((one for one in ratings_in(run) if one.digest == kept["digest"]), None)
    has_model = kept["model_digest"] != ZERO_DIGEST
    return Explanation(
        agent=kept["agent"],
        digest=kept["digest"],
        sequence=kept["sequence"],
        previous_digest=kept["previous_digest"],
        block_number=kept["block_number"],
        action=Action(kept["action"]).name.lower(),
        text=intent_text(read_intent(payload["intent"]), agent.desk.market.keys),
        reason=payload["reason"],
        verdict=verdict["status"],
        verdict_reason=verdict["reason"],
        checks=tuple(
            CheckView(name, Decimal(value), Decimal(limit), _UNITS.get(name, "%"), ok)
            for name, (value, limit, ok) in verdict["checks"].items()
        ),
        forecast=because.forecast,
        features=tuple(features.items()),
        usual_forecast=because.usual,
        contributions=because.contributions,
        contributions_note=because.note,
        calls=(),
        **_outcome(execution),
        anchored=execution is None and book.is_anchored(kept["agent"], kept["sequence"]),
        strategy_digest=kept["strategy_digest"],
        model_digest=kept["model_digest"] if has_model else None,
        payload=kept["payload"],
        previous=kept["sequence"] - 1 if kept["sequence"] else None,
        following=kept["sequence"] + 1 if agent.outbox.next_sequence > kept["sequence"] + 1 else None,
        rating=rating.verdict if rating else None,
        rating_why=rating.why if rating else "",
    )


def _outcome(execution: ExecutionSettled | None) -> dict[str, Any]:
    return {
        "outcome": execution.text if execution else "",
        "status": execution.status if execution else "",
        "record_id": execution.record_id if execution else None,
        "transaction_hash": execution.transaction_hash if execution else None,
        "gas_used": execution.gas_used if execution else None,
        "gas_usd": execution.gas_usd if execution else None,
    }


def read_intent(raw: Mapping[str, Any]) -> intents.Intent:
    """An intent, from its canonical form in a payload."""
    content = {name: value for name, value in raw.items() if name != "kind"}
    if "intents" in content:
        content["intents"] = tuple(read_intent(part) for part in content["intents"])
    made: intents.Intent = getattr(intents, raw["kind"])(**content)
    return made


def _because(agent: Agent, kept: Mapping[str, Any], features: Mapping[str, int]) -> Because:
    if kept["model_digest"] == ZERO_DIGEST or not features:
        return Because(note="it asked no model")
    try:
        model = _model(agent, kept["model_digest"])
    except DefaiError as error:
        return Because(note=error.sentence)
    names = model.spec.names
    row = FeatureRow(kept["block_number"], names, tuple(features[name] for name in names), model.spec.digest)
    forecast = model.predict(row)
    view = ForecastView(
        name=forecast.name,
        unit=forecast.unit,
        value=forecast.value,
        low=None if forecast.low_x24 is None else forecast.low_x24 / Q24,
        high=None if forecast.high_x24 is None else forecast.high_x24 / Q24,
        model_digest=forecast.model_digest,
        beats_baseline=forecast.beats_baseline,
    )
    usually = _usual_row(agent, model, kept["block_number"])
    if usually is None:
        return Because(view, note="the market of that time is no longer remembered")
    adds = contributions_x24(model.ensemble, row.values, usually)
    usual = model.ensemble.predict_x24(usually) / Q24
    if adds is None:
        return Because(view, usual, note="too many features differ from their usual values to weigh them all")
    parts = [
        ContributionView(name, value, other, part / Q24)
        for name, value, other, part in zip(names, row.values, usually, adds, strict=True)
    ]
    return Because(view, usual, tuple(sorted(parts, key=lambda part: -abs(part.adds))))


def _model(agent: Agent, digest: str) -> TrainedModel:
    """The model of that digest: the agent's own while it still serves, else the registry's."""
    held: object = agent.mandate.model
    served = getattr(held, "model", held)
    if isinstance(served, TrainedModel) and served.digest == digest:
        return served
    return ModelRegistry(models_folder()).load(digest)


def _usual_row(agent: Agent, model: TrainedModel, block_number: int) -> tuple[int, ...] | None:
    """The median of each feature over the last blocks before the decision; None where they are forgotten."""
    windows = agent.desk.market.windows
    reach = model.spec.warm_up + _USUAL_ROWS
    histories = [
        [seen for seen in tuple(windows[key.address]) if seen.block_number <= block_number][-reach:]
        for key in agent.mandate.pools
    ]
    if any(len(history) < model.spec.warm_up for history in histories):
        return None
    rows = [each.values for each in build_table(histories, model.spec) if each is not None]
    return tuple(sorted(column)[len(column) // 2] for column in zip(*rows, strict=True)) if rows else None


async def calls_of(rpc_url: str, transaction_hash: str) -> tuple[CallView, ...]:
    """What a vault was told to do in a transaction, in words."""
    async with Rpc(rpc_url) as rpc:
        sent = await rpc.call("eth_getTransactionByHash", transaction_hash)
    submitted = decode_submission(bytes.fromhex(sent["input"][2:])) if sent else None
    return call_views(submitted.calls if submitted else ())


def call_views(calls: Sequence[Call]) -> tuple[CallView, ...]:
    """Calls for people: the function's name, and what is sent."""
    return tuple(
        CallView(call.target, _NAMES.get(call.data[:4], "0x" + call.data[:4].hex()), "0x" + call.data.hex())
        for call in calls
    )
