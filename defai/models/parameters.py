"""LightGBM's parameters as a person may set them: by any of their names, and none is passed over in silence."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from defai.errors import ConfigError, did_you_mean

TREES: Final = frozenset(
    {
        *("objective", "alpha", "fair_c", "boosting", "data_sample_strategy", "learning_rate"),
        *("num_leaves", "max_depth", "min_data_in_leaf", "min_sum_hessian_in_leaf", "min_gain_to_split"),
        *("lambda_l1", "lambda_l2", "path_smooth", "max_delta_step", "extra_trees"),
        *("feature_fraction", "feature_fraction_bynode", "bagging_fraction", "bagging_freq"),
        *(
            "top_rate",
            "other_rate",
            "drop_rate",
            "max_drop",
            "skip_drop",
            "uniform_drop",
            "xgboost_dart_mode",
        ),
        *("monotone_constraints_method", "monotone_penalty"),
        *("max_bin", "min_data_in_bin", "bin_construct_sample_cnt", "enable_bundle", "feature_pre_filter"),
        *("use_quantized_grad", "num_grad_quant_bins", "quant_train_renew_leaf", "stochastic_rounding"),
    }
)
"""What shapes trees and leaves them exact."""
_TEXTS: Final = frozenset({"objective", "boosting", "data_sample_strategy", "monotone_constraints_method"})
_ELSEWHERE: Final[Mapping[str, str]] = {
    "num_iterations": "How many trees there are is said by `rounds`.",
    "early_stopping_round": "It stops by itself, unless `fixed_rounds` says otherwise.",
}


def by_their_names(given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters under the one name that LightGBM has for each among several: `eta` is its learning_rate.

    Raises:
        ConfigError: for one that LightGBM doesn't know, or that is given twice.
    """
    from lightgbm.basic import _ConfigAliases  # noqa: PLC0415  training only; it has no public list of them

    aliases: Mapping[str, list[str]] = _ConfigAliases._get_all_param_aliases()  # noqa: SLF001  the same
    known = {alias: name for name, others in aliases.items() for alias in (name, *others)}
    named: dict[str, Any] = {}
    for written, value in given.items():
        name = known.get(written)
        if name is None:
            raise ConfigError(
                f"LightGBM has no parameter {written}.", did_you_mean(written, sorted(TREES | set(known)))
            )
        if name in named:
            raise ConfigError(
                f"The model parameter {name} is given twice.", f"{written} is another name of it."
            )
        named[name] = value
    return named


def refuse_others(named: Mapping[str, Any]) -> None:
    """Nothing where all parameters are ones that shape trees.

    Raises:
        ConfigError: for another one, which would do nothing, or what nobody expects; for a text in a number's place.
    """
    for name, value in named.items():
        if name not in TREES:
            raise ConfigError(
                f"The model parameter {name} is not yours to set.",
                _ELSEWHERE.get(name, f"There are {', '.join(sorted(TREES))}."),
            )
        if isinstance(value, str) and name not in _TEXTS and value.lower() not in {"true", "false"}:
            raise ConfigError(f"The model parameter {name} is no number: {value}.")


@contextmanager
def refusals_told() -> Iterator[None]:
    """What LightGBM itself refuses is the wish of whoever set it.

    Raises:
        ConfigError: with what LightGBM says.
    """
    from lightgbm.basic import LightGBMError  # noqa: PLC0415  training only

    try:
        yield
    except LightGBMError as error:
        said = str(error).splitlines()[0].partition(" at /")[0].rstrip(" .")
        raise ConfigError(
            f"LightGBM does not train with these parameters: {said}.", "Change the model's parameters."
        ) from error
