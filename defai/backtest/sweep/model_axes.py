"""Parameters of the models' training that a search varies together with the strategy's, as `model.NAME`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from defai.backtest.forecasters import design_of
from defai.backtest.request import BacktestRequest
from defai.backtest.sweep.space import Axes, Axis, Span
from defai.backtest.sweep.trials import distribution, ends_of
from defai.backtest.timeranges import moment_text, parse_timerange
from defai.errors import ConfigError
from defai.strategy.registry import LoadedStrategy

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

PREFIX: Final = "model."


def model_distributions(
    axes: Axes, request: BacktestRequest, loaded: LoadedStrategy
) -> "dict[str, BaseDistribution]":
    """What is searched of a training, by `model.NAME`.

    Raises:
        ConfigError: where nothing is trained, or a value is none.
    """
    if not axes:
        return {}
    if loaded.strategy.target() is None:
        raise ConfigError(f"The strategy '{loaded.name}' forecasts nothing, so there is no model to search.")
    if request.model.trained_on is None:
        raise ConfigError(
            "Parameters of a model are searched where one is trained.", "Say --train-on YYYYMMDD-YYYYMMDD."
        )
    for name, axis in axes.items():
        for end in ends_of(axis, whole=_is_whole(axis)):
            design_of({name: end})
    return {PREFIX + name: distribution(name, axis, whole=_is_whole(axis)) for name, axis in axes.items()}


def with_chosen(request: BacktestRequest, chosen: Mapping[str, Any]) -> BacktestRequest:
    """The request with the parameters of a trial: the strategy's, and those of its model's training."""
    model = {name.removeprefix(PREFIX): str(at) for name, at in chosen.items() if name.startswith(PREFIX)}
    ours = {name: at for name, at in chosen.items() if not name.startswith(PREFIX)}
    parameters = {**request.model.parameters, **model}
    return replace(request, parameters=ours, model=replace(request.model, parameters=parameters))


def knowing_all_before(request: BacktestRequest, moment: int) -> BacktestRequest:
    """The request with a model that is trained on all rows up to a moment, where one is trained for it.

    Args:
        request: of a test.
        moment: when the test begins, in seconds since 1970.
    """
    if request.model.trained_on is None:
        return request
    first = parse_timerange(request.model.trained_on)[0]
    rows = f"{'' if first is None else moment_text(first)}-{moment_text(moment)}"
    return replace(request, model=replace(request.model, trained_on=rows))


def _is_whole(axis: Axis) -> bool:
    """Whether a range was written in whole numbers: LightGBM takes no 31.5 leaves, and 0.1 of a rate."""
    ends = (axis.low, axis.high, axis.step or axis.low) if isinstance(axis, Span) else ()
    return bool(ends) and all(end.as_tuple().exponent == 0 for end in ends)
