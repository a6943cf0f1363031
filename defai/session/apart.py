"""Work in a process of its own, at low priority: what a person asks for must not slow the agents."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from defai.errors import DefaiError, error_of

_NICENESS: Final = 10
_LONGEST_LINE: Final = 64 * 1024 * 1024


async def lines_of(
    module: str,
    arguments: Sequence[str],
    *,
    words: bytes = b"",
    environment: Mapping[str, str] | None = None,
    bad_news: int = 0,
) -> AsyncGenerator[bytes, None]:
    """Run a module with this Python, and give its lines on standard output as they come. Closing it ends it.

    Args:
        module: as `python -m` takes it.
        arguments: no secret among them: others can see them.
        words: written to its standard input.
        environment: added to that of this process.
        bad_news: an exit code that says what was found, not that it failed; only where it printed something.

    Raises:
        DefaiError: where it fails, with the last line it said on standard error.
    """
    process = await _begun(module, arguments, environment or {})
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise DefaiError(f"{module} has no pipes.")
    complaints = asyncio.ensure_future(process.stderr.read())
    try:
        process.stdin.write(words)
        process.stdin.close()
        lines = 0
        async for line in process.stdout:
            lines += 1
            yield line
        code = await process.wait()
        if code and not (lines and code == bad_news):
            raise _error(code, (await complaints).decode(errors="replace"))
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        complaints.cancel()


async def _begun(
    module: str, arguments: Sequence[str], environment: Mapping[str, str]
) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
        limit=_LONGEST_LINE,
        start_new_session=True,  # ctrl-c is the session's to settle
    )
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
    return process


def _error(code: int, complaints: str) -> DefaiError:
    """What a process said before it failed, for people."""
    said = complaints.strip().splitlines() or [f"It ended with exit code {code}."]
    sentence = next((line for line in said if line.startswith("defai: ")), said[-1])
    return error_of(code, sentence.removeprefix("defai: "))
