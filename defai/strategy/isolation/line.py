"""The line to a strategy's process: it is begun anew where it has ended, and told only what is new."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from defai.errors import ConfigError
from defai.features.elsewhere import Column
from defai.market.window import NotKnownError, Observation
from defai.strategy.api import Context
from defai.strategy.isolation.faults import IsolatedError
from defai.strategy.isolation.process import Place, Process
from defai.strategy.isolation.told import Told

TABLE_S: Final = 600.0
"""A process' most for the features of a whole history."""
_BYTES_A_VALUE: Final = 32


class Line:
    """Asks one strategy's process; for its author's own features too.

    Args:
        place: where it is loaded from.
        parameters: what it is given.
        process: one that has it loaded already.
    """

    def __init__(self, place: Place, parameters: Mapping[str, Any], process: Process | None = None) -> None:
        self._place = place
        self._parameters = parameters
        self._process = process
        self._told = Told()
        self._values: dict[str, Mapping[str, Any]] = {}

    def ask(self, what: str, argument: object) -> Any:  # noqa: ANN401  what the asker wants
        """Ask for an answer; see `Process.ask`."""
        return self._open().ask(what, argument)

    def ask_upon(self, what: str, context: Context) -> Any:  # noqa: ANN401  the same
        """Ask for an answer upon a context."""
        process = self._open()
        return process.ask(what, self._told.context(context))

    def look(self, names: Sequence[str], rows: Sequence[Sequence[Observation]]) -> None:
        """Have features computed as of the newest of these rows; `value` gives them, one by one.

        Raises:
            IsolatedError: where the process does not answer.
        """
        process = self._open()
        told = [self._told.rows(index, one, whole=False) for index, one in enumerate(rows)]
        said = process.ask("features", (tuple(names), told))
        if not isinstance(said, tuple) or len(said) != len(names):
            raise IsolatedError("gave what are no features")
        self._values = {name: one for name, one in zip(names, said, strict=True) if isinstance(one, dict)}

    def value(self, name: str, _: object) -> Any:  # noqa: ANN401  held to an integer by whoever asks any feature
        """A feature as of the row that was looked from.

        Raises:
            NotKnownError: where the rows don't tell it.
            IsolatedError: where the author's function raised.
        """
        said = self._values.get(name, {})
        if "raised" in said:
            raise IsolatedError(str(said["raised"]))
        if said.get("value") is None:
            raise NotKnownError("the rows don't tell it")
        return said["value"]

    def table(self, names: Sequence[str], histories: Sequence[Sequence[Observation]]) -> dict[str, Column]:
        """Features as of every row of a history, from a process that knows it and lives no longer.

        The one that decides is never told a history: it might find its own future in it.

        Raises:
            ConfigError: where the author's functions raise, or give what are no integers.
        """
        count = len(histories[0])
        process = Process(self._place, self._parameters)
        try:
            asked = (tuple(names), tuple(tuple(rows) for rows in histories))
            most_bytes = 1 << 16 | _BYTES_A_VALUE * count * len(names)
            said = process.ask("table", asked, TABLE_S, most_bytes)
        except IsolatedError as error:
            raise ConfigError(f"A feature of its author's ({', '.join(names)}) {error}.") from error
        finally:
            process.end()
        if isinstance(said, tuple) and said and isinstance(said[0], dict) and "refused" in said[0]:
            raise ConfigError(str(said[0]["refused"])[:2_000], str(said[0].get("hint", ""))[:2_000])
        if not isinstance(said, tuple) or len(said) != len(names):
            raise ConfigError(f"The process of {self._place.reference} gave what are no features.")
        return {name: self._column(one, count) for name, one in zip(names, said, strict=True)}

    def _column(self, said: Any, count: int) -> Column:  # noqa: ANN401  what somebody else's process says
        try:
            values: NDArray[np.int64] = np.array(said["values"], dtype=np.int32).astype(np.int64)
            known = np.ones(count, dtype=np.bool_)
            known[np.array(said["unknown"], dtype=np.int64)] = False
        except (TypeError, ValueError, LookupError, OverflowError) as error:
            raise ConfigError(f"The process of {self._place.reference} gave what are no features.") from error
        if values.shape != (count,):
            raise ConfigError(f"The process of {self._place.reference} gave what are no features.")
        return values, known

    def _open(self) -> Process:
        process = self._process
        if process is None or process.has_ended:
            self._told, self._values = Told(), {}
            self._process = process = Process(self._place, self._parameters)
        return process
