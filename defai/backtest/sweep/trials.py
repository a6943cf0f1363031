"""Which parameters to try next: optuna's tree-structured Parzen estimator, asked so that clocks make no difference.

Trials are asked for in batches and told in the order of their numbers, and the sampler of each is seeded by its number:
what is tried depends on the seed, the size of a batch and what came of the batches before, not on which worker was
quicker, nor on whether the search was interrupted in between.
"""

import hashlib
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from defai.backtest.sweep.space import Axis, Choices
from defai.errors import ConfigError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial

_RANDOM_FIRST = 10
"""Trials drawn at random before there is anything to learn from."""


class Study:
    """A search in memory.

    Args:
        distributions: what is searched, by parameter.
        seed: the same gives the same trials.
        maximize: whether more is better.
    """

    def __init__(self, distributions: "Mapping[str, BaseDistribution]", *, seed: int, maximize: bool) -> None:
        import optuna  # noqa: PLC0415  a second that only searches pay

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._distributions = dict(distributions)
        self._seed = seed
        self._optuna = optuna
        self._direction: Literal["maximize", "minimize"] = "maximize" if maximize else "minimize"
        self._study = optuna.create_study(direction=self._direction)

    def ask(self, count: int) -> "list[Trial]":
        """The next trials, none of which knows what comes of the others."""
        with _without_warnings():
            return [self._ask() for _ in range(count)]

    def tell(self, trial: "Trial", value: float | None) -> None:
        """What came of a trial; None where it failed, or was not measured."""
        if value is None:
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(trial, value)

    def write(self, path: Path, name: str) -> None:
        """Write the trials for optuna's own tools, as a journal; an older one is replaced.

        Raises:
            OSError: where it cannot be written.
        """
        from optuna.storages import JournalStorage  # noqa: PLC0415  a second that only searches pay
        from optuna.storages.journal import JournalFileBackend  # noqa: PLC0415  the same

        draft = path.with_name(f"{path.name}.draft")
        draft.unlink(missing_ok=True)
        with _without_warnings():
            storage = JournalStorage(JournalFileBackend(str(draft)))
            copy = self._optuna.create_study(storage=storage, study_name=name, direction=self._direction)
            copy.add_trials([trial for trial in self._study.get_trials() if trial.state.is_finished()])
        draft.replace(path)

    def _ask(self) -> "Trial":
        number = len(self._study.get_trials(deepcopy=False))
        self._study.sampler = self._optuna.samplers.TPESampler(
            n_startup_trials=_RANDOM_FIRST,
            multivariate=True,
            constant_liar=True,
            seed=int.from_bytes(hashlib.sha256(f"{self._seed}:{number}".encode()).digest()[:4]),
        )
        return self._study.ask(fixed_distributions=self._distributions)


def distribution(name: str, axis: Axis, *, whole: bool) -> "BaseDistribution":
    """An axis as optuna has it.

    Args:
        name: of the parameter.
        axis: its values, or what they are between.
        whole: whether they are whole numbers.

    Raises:
        ConfigError: where there is nothing in between, or a whole number is to go in steps that are none.
    """
    from optuna import distributions  # noqa: PLC0415  a second that only searches pay

    if isinstance(axis, Choices):
        return distributions.CategoricalDistribution(axis.values)
    if whole:
        low, high, stride = math.ceil(axis.low), math.floor(axis.high), axis.step or 1
        if low > high or stride != int(stride):
            raise ConfigError(f"The parameter '{name}' is a whole number: {axis} has none for it.")
        high -= (high - low) % int(stride)
        return distributions.IntDistribution(low, high, log=axis.log, step=int(stride))
    if axis.step is None:
        return distributions.FloatDistribution(float(axis.low), float(axis.high), log=axis.log)
    last = axis.high - (axis.high - axis.low) % axis.step
    return distributions.FloatDistribution(float(axis.low), float(last), step=float(axis.step))


def ends_of(axis: Axis, *, whole: bool) -> Sequence[str]:
    """Values that have to be allowed if all of an axis is: its ends, or each of its choices."""
    if isinstance(axis, Choices):
        return axis.values
    ends = (math.ceil(axis.low), math.floor(axis.high)) if whole else (axis.low, axis.high)
    return [str(end) for end in ends]


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Optuna calls what we use of it experimental, at every use."""
    from optuna.exceptions import ExperimentalWarning  # noqa: PLC0415  a second that only searches pay

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield
