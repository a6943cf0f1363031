"""What a strategy finds where the history's files should be, in a process of its own.

Three ways lead to a file: a path from the working directory, a path from the root, and the command line. In a staged
process the working directory is a mirror of the real one, links all through, in which only the source is a copy cut
short; whatever Python opens by the source's real path is opened in the copy; and the command line names the copy. What
is not redirected is a path from the root that native code opens by itself.
"""

import builtins
import io
import os
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final

import defai

_OWN: Final = (str(Path(defai.__file__).parent), sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"))


class Doorkeeper:
    """Notes who opens the source from now on, and gives him the copy instead, where there is one.

    It stays until the process ends.

    Args:
        source: the source's real path.
        copy: what is opened instead; None for the source itself.

    Attributes:
        opened: who opened it: file and line.
    """

    def __init__(self, source: Path, copy: Path | None = None) -> None:
        self._source = source
        self._copy = copy
        self.opened: set[str] = set()

    def install(self) -> None:
        """Stand at every door that Python code goes through."""
        for module in (builtins, io, os):
            name = "open"
            setattr(module, name, self._watched(getattr(module, name)))

    def _watched(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def opening(file: Any, *more: Any, **named: Any) -> Any:  # noqa: ANN401  it is called as `open` is
            return real(self._instead_of(file), *more, **named)

        return opening

    def _instead_of(self, file: object) -> object:
        if not isinstance(file, str | bytes | os.PathLike):
            return file
        path = Path(os.path.realpath(os.fsdecode(file)))
        if self._copy is not None and path.is_relative_to(self._copy):
            self._note()
        elif path.is_relative_to(self._source):
            self._note()
            if self._copy is not None:
                return str(self._copy / path.relative_to(self._source))
        return file

    def _note(self) -> None:
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  who opens it, only the frames tell
        while frame is not None:
            name = frame.f_code.co_filename
            if not name.startswith((*_OWN, "<")):
                self.opened.add(f"{Path(name).name}, line {frame.f_lineno}")
                return
            frame = frame.f_back
        self.opened.add("a library")


def enter_mirror(folder: Path, source: Path) -> Path:
    """Change into a mirror of the working directory.

    Args:
        folder: where the mirror is built; empty.
        source: the source's real path.

    Returns:
        Where the copy of the source belongs: nothing is there yet. Where the source and the working directory have no
        folder in common, or one is in the other, nothing is mirrored.
    """
    here = Path.cwd().resolve()
    top = Path(os.path.commonpath([here, source.parent]))
    if top == Path(top.anchor) or here.is_relative_to(source):
        return folder / source.name
    real = {top, *_between(top, here), *_between(top, source.parent)}
    for directory in real:
        place = folder / directory.relative_to(top)
        place.mkdir(parents=True, exist_ok=True)
        for entry in directory.iterdir():
            if entry not in real and entry != source:
                (place / entry.name).symlink_to(entry)
    os.chdir(folder / here.relative_to(top))
    return folder / source.relative_to(top)


def _between(top: Path, bottom: Path) -> list[Path]:
    return [path for path in (bottom, *bottom.parents) if path != top and path.is_relative_to(top)]
