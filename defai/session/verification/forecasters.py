"""The models that charters name: read back from the chain, or from a folder where they were never registered."""

from dataclasses import dataclass
from pathlib import Path

from defai.audit.charter import Charter
from defai.chain.codec import checksum
from defai.chain.model_registry import find_model, read_model
from defai.chain.rpc import Rpc
from defai.domain.tokens import Address
from defai.errors import DefaiError
from defai.features.spec import FeatureSpec
from defai.models.registry import ModelRegistry
from defai.models.targets import Target
from defai.models.trained import Forecaster
from defai.strategy.api import Strategy


@dataclass(frozen=True, slots=True)
class Oracle:
    """Who forecasts for an agent.

    Attributes:
        forecaster: None where there is none, or none that can be had.
        registry: where the EVM runs it, as `model_id`; None where it is not registered.
        note: where it is from, or why there is none.
    """

    forecaster: Forecaster | None
    registry: Address | None = None
    model_id: int = 0
    note: str = ""


async def find_oracle(rpc: Rpc, charter: Charter, author: Strategy, folder: Path | None) -> Oracle:
    """The model of a charter.

    Args:
        rpc: the node.
        charter: names the model's digest and the registry.
        author: the strategy: says what its model forecasts; where it is not there, the registry does, and the model's
            digest, which covers it, tells whether that is so.
        folder: where models are looked for that are not registered.
    """
    if charter.model_digest is None:
        return Oracle(None, note="decides without a model")
    note = "the charter names no registry"
    if charter.registry is not None:
        try:
            return await _registered(rpc, charter, author)
        except (DefaiError, ValueError) as error:
            note = error.sentence if isinstance(error, DefaiError) else str(error)
    if folder is not None:
        try:
            kept = ModelRegistry(folder).load(charter.model_digest)
        except DefaiError as error:
            return Oracle(None, note=f"{note} {error.sentence}")
        return Oracle(kept, note=f"{note}; read from {folder}, so the EVM could not be asked")
    return Oracle(None, note=note)


async def _registered(rpc: Rpc, charter: Charter, author: Strategy) -> Oracle:
    registry, digest = checksum(charter.registry or ""), charter.model_digest or ""
    model_id = await find_model(rpc, registry, digest)
    if model_id is None:
        return Oracle(None, note=f"the registry at {registry} has no model {digest}")
    read = await read_model(rpc, registry, model_id)
    forecaster = Forecaster(
        spec=FeatureSpec.of(charter.features),
        target=author.target() or Target.of_terms(read.target_kind, read.horizon_blocks),
        ensemble=read.ensemble,
        band_x24=read.band_x24,
        beats_baseline=read.beats_baseline,
    )
    return Oracle(forecaster, registry, model_id, f"model #{model_id} of the registry at {registry}")
