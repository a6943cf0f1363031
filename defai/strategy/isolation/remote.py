"""A strategy whose code runs in a process of its own, as seen from the session: a `Strategy` like any other.

Its file is never imported here. Its parameters are what its process says they are, so that source, parameters and with
them all digests are those of the same strategy run in the session; so are its own features and their digests.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import PrivateAttr, create_model, model_validator

from defai.errors import ConfigError
from defai.features.spec import Definition, adopt
from defai.models.targets import Target
from defai.strategy.api import Context, Edge, Intent, Strategy
from defai.strategy.isolation import own_features
from defai.strategy.isolation.line import Line
from defai.strategy.isolation.process import Place, Process
from defai.strategy.isolation.wire import read
from defai.strategy.outcome import Outcome
from defai.strategy.parameters import Parameter


class IsolatedStrategy(Strategy):
    """Asks a process; every strategy has a class of its own name that derives from this.

    Attributes:
        place: where it is loaded from.
        declared: its parameters, as its process says.
        started: a process that describes the class already, for its first instance.
    """

    place: ClassVar[Place]
    started: ClassVar[list[Process]]
    declared: ClassVar[tuple[Parameter, ...]]
    _line: Line = PrivateAttr()
    _described: Mapping[str, Any] = PrivateAttr()
    _in_force: str = PrivateAttr()
    _own: Mapping[str, Definition] = PrivateAttr()

    @model_validator(mode="wrap")
    @classmethod
    def _as_its_process_says(cls, values: Any, handler: Any) -> Any:  # noqa: ANN401  pydantic's
        if isinstance(values, cls):
            return values
        try:
            process = cls.started.pop() if cls.started else Process(cls.place, values)
            made = handler(process.described["parameters"])
            made._connect(process)  # noqa: SLF001  of this class
        except ConfigError as refused:
            raise ValueError(refused.sentence) from refused
        return made

    def _connect(self, process: Process) -> None:
        self._described, self._in_force = process.described, process.in_force
        parameters = process.described["parameters"]
        self._line = Line(self.place, parameters, process)
        said, file = process.described["own_features"], self.place.files[0]
        self._own = own_features.read(said, file, self._line)
        # Those that only have a feature's name find it too, and ask a process that decides nothing.
        for definition in own_features.read(said, file, Line(self.place, parameters)).values():
            adopt(definition)

    @property
    def in_force(self) -> str:
        """What protects from its code, in words."""
        return self._in_force

    @property
    def own_definitions(self) -> Mapping[str, Definition]:
        """Its author's own features, computed by the process that decides."""
        return self._own

    def decide(self, ctx: Context) -> Intent:
        """What its process says."""
        said: Intent = self._line.ask_upon("decide", ctx)
        return said

    def pools(self) -> tuple[str, ...]:
        """As its process said when it began; so the next two."""
        return tuple(str(name) for name in self._described["pools"])

    def features(self) -> tuple[str, ...]:
        """Names of features."""
        return tuple(str(name) for name in self._described["features"])

    def target(self) -> Target | None:
        """What its model forecasts."""
        said = read(self._described.get("target"))
        return said if isinstance(said, Target) else None

    def stated_edge(self, ctx: Context) -> Edge | None:
        """What its process says; none where that is no edge."""
        said = self._line.ask_upon("stated_edge", ctx)
        return said if isinstance(said, Edge) else None

    def on_start(self, ctx: Context) -> str:
        """What its process says; so below."""
        said: str = self._line.ask_upon("on_start", ctx)
        return said

    def on_outcome(self, outcome: Outcome) -> str:
        """Words about an outcome."""
        said: str = self._line.ask("on_outcome", outcome)
        return said


def isolated(place: Place, parameters: Mapping[str, Any]) -> IsolatedStrategy:
    """A strategy in a process of its own.

    Raises:
        ConfigError: where it cannot be loaded, its parameters do not fit, or nothing would protect from it.
    """
    process = Process(place, parameters)
    described = process.described
    own_features.read(described["own_features"], place.files[0], Line(place, parameters))
    try:
        declared = tuple(Parameter.from_json(one) for one in described["declared"])
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise ConfigError(f"The process of {place.reference} says of a parameter what is none.") from error
    fields: dict[str, Any] = {name: (Any, value) for name, value in described["parameters"].items()}
    cls = create_model(str(described["class_name"]), __base__=IsolatedStrategy, **fields)
    cls.place, cls.started, cls.declared = place, [process], declared
    cls.api_version = int(described["api_version"])
    return cls.model_validate(described["parameters"])
