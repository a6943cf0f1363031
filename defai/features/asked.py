"""Asking a feature's function while a table is made: an author's own may raise anything, or never end.

The same guard holds it in decisions: there it stops its agent, here it ends the training with a sentence.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from defai.errors import ConfigError
from defai.features.column import ColumnError
from defai.features.spec import Feature
from defai.market.window import NotKnownError
from defai.time_limit import OverrunError, TimeLimit

P = ParamSpec("P")
T = TypeVar("T")


class Asked:
    """One feature, whose function is asked again and again.

    Args:
        one: the feature. Those of the library are asked as they are.
    """

    def __init__(self, one: Feature) -> None:
        self._one = one
        self._limit = TimeLimit() if one.code_digest else None

    def columns(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What it says of all rows at once.

        Raises:
            ColumnError: where it cannot be given columns; an author's own whatever it raises and however long it takes,
                since row by row it may do better, and else tells upon which row it does not.
            NotKnownError: where the rows don't tell what it asks for.
        """
        if self._limit is None:
            return function(*arguments, **named)
        try:
            return self._limit.ask(function, *arguments, **named)
        except (ColumnError, NotKnownError):
            raise
        except (Exception, SystemExit) as error:
            raise ColumnError(f"the feature {self._one.name} failed over columns") from error

    def row(self, block_number: int, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What it says of one row.

        Raises:
            ConfigError: of an author's own, where it raised anything, took too long or gave no integer.
            NotKnownError: where the rows don't tell what it asks for.
        """
        if self._limit is None:
            return function(*arguments, **named)
        try:
            return self._limit.ask(function, *arguments, **named)
        except NotKnownError:
            raise
        except OverrunError as overrun:
            wrong = str(overrun)
        except (Exception, SystemExit) as error:  # noqa: BLE001  an author's code may raise anything
            wrong = f"raised {type(error).__name__}: {error}"
        raise ConfigError(
            f"The feature {self._one.name}, asked of block {block_number}, {wrong}.",
            "It is the strategy's own: mend it in the strategy's file.",
        )
