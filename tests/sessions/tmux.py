"""The real program in a real terminal: keys go in, what stands on the screen comes out."""

import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE_S = 300.0


class Pane:
    """A terminal of 80 x 24 that nobody sits before.

    Args:
        socket: of its own tmux server.
    """

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self.code = socket.with_name("exit-code")

    def ask(self, *words: str) -> str:
        """Give tmux a command; what it answers."""
        ran = subprocess.run(
            ["tmux", "-S", str(self._socket), "-f", "/dev/null", *words],
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE_S,
        )
        return ran.stdout

    def press(self, *keys: str) -> None:
        """Press keys, as tmux calls them."""
        self.ask("send-keys", *keys)

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return self.ask("capture-pane", "-p")

    def wait_for(self, words: str) -> str:
        """Wait until some words stand on the screen; all of it."""
        deadline = time.monotonic() + PATIENCE_S
        while words not in (text := self.text):
            assert time.monotonic() < deadline, f"{words!r} never stood there:\n{text}"
            time.sleep(0.1)
        return text

    def wait_for_end(self) -> int:
        """Wait until the program has ended; its exit code."""
        deadline = time.monotonic() + PATIENCE_S
        while not (self.code.exists() and self.code.read_text()):
            assert time.monotonic() < deadline, f"it did not end:\n{self.text}"
            time.sleep(0.1)
        return int(self.code.read_text())


@contextmanager
def in_tmux(command: Sequence[str], folder: Path) -> Iterator[Pane]:
    """Run a command in a terminal of its own, with this process's environment; it is ended with the terminal.

    Its exit code goes into a file: tmux itself loses it now and then.
    """
    pane = Pane(folder / "tmux")
    line = f"{shlex.join(command)}; echo $? > {shlex.quote(str(pane.code))}"
    pane.ask(
        "new-session", "-d", "-x", "80", "-y", "24", line, ";", "set-option", "-g", "remain-on-exit", "on"
    )
    try:
        yield pane
    finally:
        pane.ask("kill-server")


def is_there() -> bool:
    """Whether this machine has tmux."""
    return shutil.which("tmux") is not None
