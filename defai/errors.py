"""Errors that are meant for a person: one clear sentence, what to do about it, and the exit code."""

from typing import ClassVar


class DefaiError(Exception):
    """Something a person has to know. Never shown as a traceback unless `--debug` asks for it.

    Args:
        sentence: what is wrong, in one sentence that names the thing it is wrong with.
        hint: what to do about it; empty where the sentence says it already.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.sentence} {self.hint}".strip()


class NotFoundError(DefaiError):
    """A file, a strategy, a program or a record that is not there."""

    exit_code = 2


class NotRunningError(DefaiError):
    """A chain or a session that is not running, or has stopped."""

    exit_code = 3


class ConfigError(DefaiError):
    """A setting, a flag or an input file that cannot be used."""

    exit_code = 4


class TooSlowError(DefaiError):
    """Something did not answer within its time."""

    exit_code = 5


class DivergenceError(DefaiError):
    """What we hold to be true and what the chain says differ. We stop; we never heal it silently."""


def error_of(exit_code: int, sentence: str, hint: str = "") -> DefaiError:
    """The error that an exit code stands for, as another process ended with it."""
    kinds = (NotFoundError, NotRunningError, ConfigError, TooSlowError)
    kind = next((kind for kind in kinds if kind.exit_code == exit_code), DefaiError)
    return kind(sentence, hint)


def did_you_mean(word: str, known: "list[str] | tuple[str, ...]") -> str:
    """A hint that names the known words nearest to a mistyped one; empty when none is near."""
    from difflib import get_close_matches  # noqa: PLC0415  only needed on the way out

    near = get_close_matches(word, known, n=2, cutoff=0.6)
    return f"Did you mean {' or '.join(near)}?" if near else ""
