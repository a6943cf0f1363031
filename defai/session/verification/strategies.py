"""Finding the strategy that a charter names, by its digest: whatever the file is called."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from defai.audit.charter import Charter
from defai.audit.record import strategy_digest
from defai.domain.decisions import ZERO_DIGEST
from defai.errors import DefaiError
from defai.session.fleet import parameters_of
from defai.strategy.registry import LoadedStrategy, load


@dataclass(frozen=True, slots=True)
class Found:
    """A strategy, or why there is none.

    Attributes:
        digest: of the strategy that was found; else of the nearest candidate, or zero.
    """

    strategy: LoadedStrategy | None
    digest: str
    note: str

    @property
    def is_missing(self) -> bool:
        """Whether there is not even another version of it."""
        return self.strategy is None and self.digest == ZERO_DIGEST


def find_strategy(charter: Charter, folders: Sequence[Path]) -> Found:
    """The strategy whose source and parameters have the charter's digest.

    Files are compared by their bytes; only the one that matches is imported.
    """
    nearest = ""
    for path in (path for folder in folders for path in sorted(folder.glob("*.py"))):
        source = path.read_bytes()
        digest = strategy_digest(source, charter.parameters)
        if digest == charter.strategy_digest:
            return _loaded(path, charter)
        if f"class {charter.strategy_class}(".encode() in source:
            nearest = nearest or digest
    where = ", ".join(str(folder) for folder in folders)
    if nearest:
        return Found(
            None, nearest, f"{charter.strategy_class} is in {where}, but not the source that was run"
        )
    return Found(None, ZERO_DIGEST, f"no file in {where} is the source of {charter.strategy}")


def _loaded(path: Path, charter: Charter) -> Found:
    try:
        loaded = load(f"{path}:{charter.strategy_class}", charter.parameters)
    except DefaiError as error:
        return Found(None, ZERO_DIGEST, error.sentence)
    digest = strategy_digest(loaded.source, parameters_of(loaded))
    if digest != charter.strategy_digest:
        return Found(None, digest, f"{path} was given the charter's parameters and took others")
    apart = ", in a process of its own" if loaded.protection else ""
    return Found(loaded, digest, f"{path.parent.name}/{path.name}{apart}")
