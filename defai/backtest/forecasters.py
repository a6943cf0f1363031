"""Who forecasts for the agents of a backtest: a kept model, one trained on earlier rows of the source, or a fleet's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from defai.backtest.ground import Ground
from defai.backtest.timeranges import parse_timerange
from defai.errors import ConfigError
from defai.market.window import Observation
from defai.models.registry import ModelRegistry
from defai.models.targets import Target
from defai.models.trained import TrainedModel
from defai.session.history import GENERATED
from defai.session.naming_models import fitting
from defai.session.run_directory import models_folder
from defai.session.training import models_for
from defai.strategy.registry import LoadedStrategy

if TYPE_CHECKING:
    from defai.models.study import Design

_OURS: Final = {"rounds": int, "half_life_days": float, "train_period_days": float, "folds": int}
"""Parameters of a training that are not LightGBM's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """Which models a backtest's agents forecast by; those of generated history where nothing is said.

    Attributes:
        digest: of a kept model, or its first digits; for the strategies whose target it has.
        folder: where models are kept; the user's folder where nothing is said.
        trained_on: time range of rows of the source that models are trained on; it ends before the run begins.
        parameters: of that training: LightGBM's, and `rounds`, `half_life_days`, `train_period_days`, `folds`.
    """

    digest: str | None = None
    folder: Path | None = None
    trained_on: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


async def forecasters_for(
    loaded: Sequence[LoadedStrategy],
    choice: ModelChoice,
    source: Path,
    ground: Ground,
    say: Callable[[str], None],
) -> list[TrainedModel | None]:
    """The model of each strategy; None for one that needs none.

    Args:
        loaded: the strategies.
        choice: which models.
        source: the history's files.
        ground: what is run on.
        say: told what is going on.

    Raises:
        ConfigError: where a model is of another target or other features, or has seen what it is to be tested on.
        NotFoundError: where there is no such model.
    """
    found: list[TrainedModel | None] = []
    for one in loaded:
        target = one.strategy.target()
        if target is None:
            found.append(None)
        elif choice.digest is not None:
            registry = ModelRegistry(choice.folder or models_folder())
            found.append(fitting(one, registry.load(registry.named(choice.digest))))
        elif choice.trained_on is not None:
            if ground.kind != "bars":
                raise ConfigError(
                    f"Models can't be trained on {ground.kind} and run on them.", "Train on minute bars."
                )
            names = tuple(one.strategy.features())
            parameters = tuple(sorted(choice.parameters.items()))
            found.append(trained_on(source, choice.trained_on, names, target, parameters))
        else:
            found += await models_for([one], ground.recipe, say, choice.folder)
    if not any(found) and (choice.digest or choice.trained_on):
        say(f"{', '.join(one.name for one in loaded)} forecasts nothing: there is no use for a model")
    for model in found:
        if model is not None:
            refuse_foresight(model, ground)
    return found


def refuse_foresight(model: TrainedModel, ground: Ground) -> None:
    """Refuse a model of recorded history that ends after the run begins.

    Raises:
        ConfigError: naming both moments.
    """
    trained = model.card.trained_on
    if trained.source.startswith(GENERATED) or ground.first_time is None:
        return
    if trained.last_timestamp > ground.first_time:
        seen, begins = (
            datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M")
            for moment in (trained.last_timestamp, ground.first_time)
        )
        raise ConfigError(
            f"The model {model.digest[:10]}… has seen rows up to {seen}, and the run begins {begins}.",
            "Train one with --train-until, or run later.",
        )


@lru_cache(maxsize=64)
def trained_on(
    source: Path,
    timerange: str,
    names: tuple[str, ...],
    target: Target,
    parameters: tuple[tuple[str, str], ...],
) -> TrainedModel:
    """A model of rows of a source; the same one is made once in a process.

    Raises:
        DefaiError: in a sentence, where it can't be trained.
    """
    from defai.models.walking import study, trained_model  # noqa: PLC0415  LightGBM, only where something is trained

    rows, label = _rows(source, timerange)
    done = study(rows, feature_names=names, target=target, design=design_of(dict(parameters)))
    return trained_model(done, source=label)


def design_of(parameters: Mapping[str, str]) -> "Design":
    """The design that parameters make, our own names and LightGBM's together.

    Raises:
        ConfigError: for a value that is none.
    """
    from defai.models.boosting import numbers_of  # noqa: PLC0415  as above
    from defai.models.study import Design  # noqa: PLC0415  as above

    ours: dict[str, int | float] = {}
    for name, kind in _OURS.items():
        if name in parameters:
            try:
                ours[name] = kind(float(parameters[name]))
            except ValueError as error:
                raise ConfigError(
                    f"The model parameter {name} is no number: '{parameters[name]}'."
                ) from error
    theirs = {name: value for name, value in parameters.items() if name not in _OURS}
    half_life = ours.get("half_life_days")
    period = ours.get("train_period_days")
    return Design(
        folds=int(ours.get("folds", 6)),
        rounds=int(ours.get("rounds", 100)),
        weight_half_life_days=half_life,
        train_period_days=period,
        model_training_parameters=numbers_of(theirs),
        workers=1,
    )


@lru_cache(maxsize=4)
def _rows(source: Path, timerange: str) -> tuple[Mapping[str, Sequence[Observation]], str]:
    from defai.backtest.sources.histories import read_training_source  # noqa: PLC0415  numpy

    read = read_training_source(source, *parse_timerange(timerange))
    return read.histories, read.label
