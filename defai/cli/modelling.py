"""What `defai models` does, behind its options."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from textwrap import fill
from typing import Any, Final

import click

from defai.chain.codec import checksum
from defai.chain.keys import Signer
from defai.chain.model_registry import (
    deploy_model_registry,
    find_model,
    find_model_with_card,
    predict_on_chain,
    read_model,
    register_model,
)
from defai.chain.rpc import Rpc
from defai.chain.tx import Wallet
from defai.cli.key_sources import named_key
from defai.domain.tokens import Address
from defai.errors import ConfigError, DefaiError, NotFoundError, did_you_mean
from defai.models.card import ModelCard
from defai.models.lineage import Lineage
from defai.models.registry import ModelRefusedError, ModelRegistry
from defai.models.trained import TrainedModel
from defai.session.run_directory import models_folder

MODELS_KEY: Final = "DEFAI_MODELS_KEY"
_FAR: Final = 1 << 20
_COLUMN: Final = 36
_ENDS: Final = (-(2**31), 2**31 - 1, 0)
_TIP_WEI: Final = 10**9


@dataclass(frozen=True, slots=True)
class Shelf:
    """A registry on a chain; None where one is to be deployed."""

    rpc: str
    registry: Address | None

    @classmethod
    def of(cls, rpc: str | None, registry: str | None, *, deploy: bool = False) -> "Shelf":
        """From the options.

        Raises:
            ConfigError: where one is missing or no address.
        """
        if not rpc or (not registry and not deploy):
            raise ConfigError(
                "Say where the registry is.", "Give --rpc URL and --registry ADDRESS, or --deploy one."
            )
        if deploy or registry is None:
            return cls(rpc, None)
        try:
            return cls(rpc, checksum(registry))
        except ValueError:
            raise ConfigError(f"{registry!r} is not an address.", "It has 0x and 40 hex digits.") from None


def registry_at(folder: Path | None) -> ModelRegistry:
    """The models in a folder; the user's by default."""
    return ModelRegistry(folder or models_folder())


def listed(registry: ModelRegistry) -> list[dict[str, Any]]:
    """One row a model; one that is not what its digest says is named with the reason."""
    used: dict[str, list[str]] = {}
    for key, digest in registry.keys().items():
        used.setdefault(digest, []).append(key)
    rows = []
    for digest in registry.digests():
        row: dict[str, Any] = {"digest": digest, "keys": used.get(digest, []), "refused": ""}
        try:
            card = registry.load(digest).card
            row |= {"target": card.target.name, "beats_baseline": card.beats_baseline}
            row |= {"identifier": card.identifier}
        except ModelRefusedError as error:
            row |= {"target": None, "beats_baseline": None, "identifier": "", "refused": error.sentence}
        rows.append(row)
    return rows


def compared(first: ModelCard, second: ModelCard) -> dict[str, Any]:
    """Two cards beside each other.

    Returns:
        `same_history`, and `rows` of what, first and second.
    """
    rows = [
        (what, one, other)
        for (what, one), other in zip(_facts(first), dict(_facts(second)).values(), strict=True)
    ]
    names = sorted(set(first.metrics) | set(second.metrics))
    for name in names:
        ours, theirs = first.metrics.get(name, {}), second.metrics.get(name, {})
        rows += [
            (f"{name}, {metric}", ours.get(metric), theirs.get(metric)) for metric in sorted({*ours, *theirs})
        ]
    return {
        "same_history": first.trained_on.digest == second.trained_on.digest,
        "rows": [{"what": what, "first": one, "second": other} for what, one, other in rows],
    }


def _facts(card: ModelCard) -> list[tuple[str, object]]:
    trained, gain = card.trained_on, card.comparison
    return [
        ("digest", f"{card.model_digest[:10]}…{card.model_digest[-4:]}"),
        ("target", card.target.name),
        ("features", ", ".join(str(entry.get("name")) for entry in card.features)),
        ("source", trained.source or "-"),
        ("blocks", f"{trained.first_block}..{trained.last_block}"),
        ("samples", trained.samples),
        ("trees", card.trees),
        ("best baseline", gain.baseline),
        ("gain over it", f"{gain.gain:.4g} in {gain.loss} ({gain.low:.4g} .. {gain.high:.4g})"),
        ("beats its baseline", "yes" if card.beats_baseline else "no"),
    ]


def unused(registry: ModelRegistry) -> list[str]:
    """Digests of the models that nothing is served by, that nothing could go back to, and that nobody has named."""
    used = Lineage(registry).in_use()
    found = []
    for digest in registry.digests():
        if digest not in used:
            try:
                if registry.load(digest).card.identifier:
                    continue
            except ModelRefusedError:  # what can't be loaded serves nobody
                pass
            found.append(digest)
    return found


def known_key(registry: ModelRegistry, key: str) -> str:
    """A key, if it stands for a model.

    Raises:
        NotFoundError: where it does not.
    """
    known = registry.keys()
    if key not in known:
        hint = did_you_mean(key, list(known)) or "`defai models list` names the keys."
        raise NotFoundError(f"No model in {registry.folder} is used for {key}.", hint)
    return key


def print_compared(table: dict[str, Any]) -> None:
    """Print what `compared` gave."""
    width = max(len(row["what"]) for row in table["rows"])
    for row in table["rows"]:
        first, second = (_shown(row[side]) for side in ("first", "second"))
        what = f"{row['what']:<{width}}"
        if row["what"] == "features":
            _print_features(what, first.split(", "), second.split(", "))
        elif first == second:
            click.echo(f"  {what}  {first}")
        elif max(len(first), len(second)) <= _COLUMN:
            click.echo(f"* {what}  {first:<{_COLUMN}}  {second}")
        else:
            click.echo(f"* {what}  {first}\n  {'':<{width}}  {second}")
    if not table["same_history"]:
        click.echo("They were measured on different histories: their metrics do not say who is better.")


def _print_features(what: str, first: Sequence[str], second: Sequence[str]) -> None:
    """How many there are, and which of them only one model looks at."""
    mark, count = (" ", "the same") if first == second else ("*", str(len(second)))
    click.echo(f"{mark} {what}  {len(first):<{_COLUMN}}  {count}")
    indent = " " * (len(what) + 4)
    for side, ours, theirs in (("first", first, second), ("second", second, first)):
        alone = ", ".join(name for name in ours if name not in theirs)
        if alone:
            text, width = f"only the {side}: {alone}", len(indent) + 2 * _COLUMN + 2
            click.echo(fill(text, width, initial_indent=indent, subsequent_indent=indent + "  "))


def _shown(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


async def registered(
    shelf: Shelf, model: TrainedModel, parent: str | None, card_uri: str, keystore: Path | None
) -> dict[str, Any]:
    """Register a model, and a registry before it where that was asked for.

    Raises:
        NotFoundError: where the parent is not registered.
    """
    async with Rpc(shelf.rpc) as rpc:
        author = await Wallet.connect(_author(keystore), rpc)
        head = await rpc.call("eth_getBlockByNumber", "latest", False)
        most = 2 * int(head.get("baseFeePerGas", "0x0"), 16) + _TIP_WEI
        place = shelf.registry or await deploy_model_registry(
            rpc, author, max_fee_wei=most, priority_fee_wei=_TIP_WEI
        )
        above = await find_model(rpc, place, parent) if parent else None
        if parent and above is None:
            raise NotFoundError(
                f"The parent {parent} is not in the registry at {place}.", "Register it first."
            )
        model_id = await register_model(
            *(rpc, author, place, model),
            parent=above,
            card_uri=card_uri,
            max_fee_wei=most,
            priority_fee_wei=_TIP_WEI,
        )
    return {"digest": model.digest, "registry": place, "model_id": model_id, "parent": above}


def _author(keystore: Path | None) -> Signer:
    author = named_key(keystore, MODELS_KEY)
    if author is None:
        raise ConfigError("The author's key is missing.", f"Name a --keystore, or set {MODELS_KEY}.")
    return author


async def verified(
    registry: ModelRegistry, digests: list[str], shelf: Shelf | None, rows: int
) -> list[dict[str, Any]]:
    """One finding a model: `broken` says what is wrong, `checked` what was looked at."""
    findings = []
    for digest in digests:
        checked: list[str] = []
        try:
            model = registry.load(digest)
            checked.append("digest")
            wanted = _rows(model, rows)
            _against_lightgbm(model, wanted)
            checked.append("LightGBM")
            if shelf is not None:
                checked.append(await _against_the_chain(shelf, model, wanted))
            broken = ""
        except DefaiError as error:
            broken = error.sentence
        findings.append({"digest": digest, "checked": checked, "broken": broken})
    return findings


def print_findings(findings: list[dict[str, Any]]) -> None:
    """Print what `verified` gave."""
    for finding in findings:
        found = finding["broken"] or f"as its digest says: {', '.join(finding['checked'])}"
        click.echo(f"{finding['digest'][:10]}…{finding['digest'][-4:]}  {found}")
    if not findings:
        click.echo("There is no model to verify.")


def _rows(model: TrainedModel, count: int) -> list[tuple[int, ...]]:
    """Rows at the trees' thresholds, beside them, anywhere, and at the ends of int32."""
    draw = Random(model.digest)  # noqa: S311  rows to forecast, not a secret
    thresholds: dict[int, list[int]] = {}
    for tree in model.ensemble.trees:
        for feature, threshold in zip(tree.feature, tree.threshold, strict=True):
            thresholds.setdefault(feature, []).append(threshold)

    def value(feature: int) -> int:
        near = draw.choice(thresholds.get(feature, [0])) + draw.choice((-1, 0, 1))
        drawn = draw.choice((near, near, draw.randint(-_FAR, _FAR), draw.choice(_ENDS)))
        return max(_ENDS[0], min(_ENDS[1], drawn))

    return [tuple(value(feature) for feature in range(len(model.spec.names))) for _ in range(count)]


def _against_lightgbm(model: TrainedModel, rows: list[tuple[int, ...]]) -> None:
    from defai.models.lightgbm import parse, predict_with_booster  # noqa: PLC0415  numpy and LightGBM

    theirs = parse(model.lightgbm_text)
    if theirs.trees != model.ensemble.trees[-len(theirs.trees) :]:  # a start of trees may come before them
        raise DefaiError("LightGBM's text holds other trees than the model.", "Train it again.")
    if rows and predict_with_booster(model.lightgbm_text, rows) != [theirs.sum_x24(row) for row in rows]:
        raise DefaiError("LightGBM forecasts otherwise than the model.", "Train it again.")


async def _against_the_chain(shelf: Shelf, model: TrainedModel, rows: list[tuple[int, ...]]) -> str:
    if shelf.registry is None:
        raise ConfigError("There is nothing to verify in a registry that is yet to be deployed.")
    async with Rpc(shelf.rpc) as rpc:
        model_id = await find_model(rpc, shelf.registry, model.digest)
        if model_id is None:
            raise NotFoundError(f"The registry at {shelf.registry} has no model {model.digest}.")
        own = await find_model_with_card(rpc, shelf.registry, model)
        read = await read_model(rpc, shelf.registry, own or model_id)
        theirs = (read.digest, read.ensemble, read.features_digest, read.band_x24, read.beats_baseline)
        ours = (model.digest, model.ensemble, model.spec.digest, model.band_x24, model.beats_baseline)
        if theirs != ours:
            raise DefaiError(f"Model #{model_id} on the chain is another than the one on disk.")
        if own is None:
            raise DefaiError(f"The card of model #{model_id} is another than the one on disk.")
        model_id = own
        said = await predict_on_chain(rpc, shelf.registry, model_id, rows)
    if said != [model.ensemble.predict_x24(row) for row in rows]:
        raise DefaiError("The EVM forecasts otherwise than the model.")
    return f"the chain (model #{model_id}, {len(rows)} forecasts by the EVM)"
