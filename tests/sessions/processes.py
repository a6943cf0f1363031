"""`defai` as a process: what it says, how it ends, and whether its chain ends with it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEADLINE_S = 300.0
COMMAND = (sys.executable, "-m", "defai")


class Running:
    """A command under way; its lines on stderr are read as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []

    def wait_for(self, pattern: str) -> str:
        """Read on until a line matches; that line."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if re.search(pattern, line):
                return line
        raise AssertionError(f"it never said {pattern!r}:\n{''.join(self.said)}")

    def end(self) -> tuple[int, str, str]:
        """Wait for the end: exit code, standard output, everything on standard error."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        err = self.process.stderr.read()  # through the same buffer that wait_for read from: nothing gets lost
        out = self.process.stdout.read()
        return self.process.wait(timeout=DEADLINE_S), out, "".join(self.said) + err

    def chains(self) -> list[int]:
        """The process ids of the anvils below it."""
        processes = _processes()
        below, found = {self.process.pid}, []
        for pid, parent, name in sorted(processes):
            if parent in below:
                below.add(pid)
                if name == "anvil":
                    found.append(pid)
        return found

    def kill(self) -> str:
        """Kill it, as nobody can refuse; what it had said on standard error."""
        self.process.kill()
        return self.end()[2]

    def interrupt(self) -> None:
        """Press ctrl-c."""
        self.process.send_signal(signal.SIGINT)


@contextmanager
def started(*arguments: str, cwd: Path) -> Iterator[Running]:
    """A command that is running; it is killed if the test leaves it behind."""
    with subprocess.Popen(
        [*COMMAND, *arguments], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


def wait_until_gone(pid: int) -> None:
    """Wait for a process to end; a zombie counts as ended."""
    deadline = time.monotonic() + DEADLINE_S
    while any(pid == other for other, _, _ in _processes()):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        os.sched_yield()


def _processes() -> list[tuple[int, int, str]]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                text = (folder / "stat").read_text()
            except OSError:
                continue  # it ended meanwhile
            name, _, rest = text.partition("(")[2].rpartition(")")
            state, parent = rest.split()[:2]
            if state != "Z":
                found.append((int(folder.name), int(parent), name))
    return found
