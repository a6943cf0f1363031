"""The terminal goes away without a word: the program must not outlive it."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

DEADLINE_S = 300.0


def test_the_program_ends_with_its_terminal(tmp_path: Path) -> None:
    terminal, end = pty.openpty()
    environment = os.environ | {
        "XDG_DATA_HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path),
        "TERM": "xterm",
    }
    program = subprocess.Popen(
        [sys.executable, "-m", "defai", "demo"],
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
        env=environment,
    )
    os.close(end)
    deadline = time.monotonic() + DEADLINE_S
    painted = b""
    while b"defai" not in painted and time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.2)[0]:
            painted += os.read(terminal, 65_536)
    assert b"defai" in painted
    os.close(terminal)
    try:
        assert program.wait(timeout=DEADLINE_S) != 0
    finally:
        program.kill()
