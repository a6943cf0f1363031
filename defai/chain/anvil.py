"""anvil as a child process that never outlives us: not after ctrl-c, not after kill -9."""

import asyncio
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from defai.chain.rpc import Rpc, is_loopback, redact
from defai.errors import ConfigError, DefaiError, NotFoundError, NotRunningError, TooSlowError

CHECKOUT: Final = Path(__file__).resolve().parents[2]
NODE_MODULES: Final = CHECKOUT / "contracts" / "node_modules"
"""Where `npm ci` puts anvil and Uniswap's artifacts."""
START_SECONDS: Final = 20.0
STOP_SECONDS: Final = 3.0
FORK_CHECK_SECONDS: Final = 6.0
BLOCK_GAS_LIMIT: Final = 100_000_000

_GUARD: Final = """
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
echo "child $child"
(while read -r _ <&3; do :; done; kill -KILL "$child") >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$child"
status=$?
kill "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
exit "$status"
"""
"""Runs a program for as long as our end of the pipe on its standard input is open.

The kernel closes our end however we end, so this holds after kill -9 too, on every system that has a shell; a
death signal (prctl) would be Linux's alone and bound to the thread that asked for it.
"""


def find_anvil() -> Path:
    """The native anvil: npm's where it is installed, else the one on PATH.

    Raises:
        NotFoundError: where there is neither.
    """
    from shutil import which  # noqa: PLC0415  only needed once, at start

    for candidate in sorted(NODE_MODULES.glob("@foundry-rs/anvil-*/bin/anvil")):
        if candidate.is_file():
            return candidate
    on_path = which("anvil")
    if on_path is not None:
        return Path(on_path)
    raise NotFoundError(
        "anvil, the local Ethereum node, is not installed.",
        "Run `make setup` in the checkout (it needs npm), or install Foundry so that `anvil` is on PATH.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnvilOptions:
    """How to start anvil.

    Attributes:
        port: the TCP port on the loopback interface; 0 takes a free one.
        chain_id: the chain's id; None takes the fork's (31337 without a fork).
        timestamp: the genesis block's Unix time; None takes the clock's.
        load_state: a state dump (JSON) to start from.
        fork_url: a node whose chain is continued locally; it may hold a secret.
        fork_block: the block to fork at; None for the latest.
        automine: mine a block upon each transaction; otherwise blocks come from `evm_mine` alone.
        block_time: mine a block every so many seconds instead.
        extra: further arguments, as they are.
    """

    port: int = 0
    chain_id: int | None = None
    timestamp: int | None = None
    load_state: Path | None = None
    fork_url: str | None = field(default=None, repr=False)
    fork_block: int | None = None
    automine: bool = False
    block_time: float | None = None
    extra: tuple[str, ...] = ()

    def arguments(self) -> list[str]:
        """The command line, without the program."""
        arguments = [
            *("--port", str(self.port), "--host", "127.0.0.1", "--order", "fees", "--accounts", "0"),
            *("--hardfork", "prague", "--gas-limit", str(BLOCK_GAS_LIMIT), "--no-request-size-limit"),
        ]
        if self.block_time is not None:
            arguments += ["--block-time", f"{self.block_time:g}"]
        elif not self.automine:
            arguments.append("--no-mining")
        for flag, value in (
            ("--chain-id", self.chain_id),
            ("--timestamp", self.timestamp),
            ("--load-state", self.load_state),
            ("--fork-url", self.fork_url),
            ("--fork-block-number", self.fork_block),
        ):
            if value is not None:
                arguments += [flag, str(value)]
        if self.fork_url is not None and is_loopback(self.fork_url):
            arguments.append("--no-storage-caching")  # another local chain may have had the same blocks
        return [*arguments, *self.extra]


class Anvil:
    """A running anvil. An async context manager: leaving it ends the process.

    The child has a session of its own, so a ctrl-c in the terminal reaches us alone, and we end it once we have
    settled.
    """

    def __init__(self, options: AnvilOptions | None = None) -> None:
        self.options = options or AnvilOptions()
        self._process: subprocess.Popen[str] | None = None
        self._listening: Future[str] = Future()
        self._ended: Future[int] = Future()
        self._child: int | None = None
        self._stopping = False
        self._tail: deque[str] = deque(maxlen=30)

    @property
    def url(self) -> str:
        """The address of its JSON-RPC."""
        if not self._listening.done():
            raise NotRunningError("The local chain has not been started.")
        return self._listening.result()

    @property
    def pid(self) -> int:
        """Process id of anvil itself."""
        if self._child is None:
            raise NotRunningError("The local chain has not been started.")
        return self._child

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and not self._ended.done()

    def rpc(self, *, timeout_seconds: float = 20.0) -> Rpc:
        """A new connection to it, which knows why when it is gone."""
        return Rpc(self.url, timeout_seconds=timeout_seconds, explain=self.death)

    def death(self) -> DefaiError | None:
        """Why it is gone; None while it runs."""
        if not self._ended.done():
            return None
        if self._stopping:
            return NotRunningError("The local chain has been stopped.")
        return NotRunningError(
            f"The local chain (anvil) has ended by itself: {_why(self._ended.result())}.",
            "Nothing that was recorded is lost; start again." if not self._complaint() else self._complaint(),
        )

    async def ended(self) -> DefaiError:
        """Wait until it is gone, and say why."""
        await asyncio.shield(asyncio.wrap_future(self._ended))
        reason = self.death()
        if reason is None:  # pragma: no cover  the future above is done
            raise AssertionError
        return reason

    async def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            NotFoundError: where anvil is not installed.
            ConfigError: where the port is in use, the fork's address is no node, or a setting is refused.
            NotRunningError, TooSlowError: where the fork's node does not answer, or anvil does not come up.
        """
        program = find_anvil()
        if self.options.fork_url is not None:
            await _check_fork(self.options.fork_url, self.options.fork_block)
        self._process = subprocess.Popen(  # noqa: ASYNC220, S603  starting takes 2 ms; the arguments are our own
            ["/bin/sh", "-c", _GUARD, "anvil-guard", str(program), *self.options.arguments()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        threading.Thread(target=self._listen, args=(self._process,), name="anvil-output", daemon=True).start()
        try:
            await self._until_listening()
        except BaseException:
            await self.stop()
            raise

    async def _until_listening(self) -> None:
        waits = (asyncio.wrap_future(self._listening), asyncio.wrap_future(self._ended))
        await asyncio.wait(waits, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not self._listening.done():
            raise self._start_failure()

    async def stop(self) -> None:
        """End it: politely first, so that a fork's cache is kept, then for certain. Safe to call twice."""
        process = self._process
        if process is None:
            return
        self._stopping = self._stopping or not self._ended.done()
        if self._child is not None and not self._ended.done():
            _signal(os.kill, self._child, signal.SIGTERM)
        try:
            await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(self._ended)), STOP_SECONDS)
        except TimeoutError:
            _signal(os.killpg, process.pid, signal.SIGKILL)
            await asyncio.shield(asyncio.wrap_future(self._ended))
        finally:
            if process.stdin is not None and not process.stdin.closed:
                process.stdin.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        """Drain the child's output for as long as there is any: a full pipe would stop it."""
        output = process.stdout
        if output is None:  # pragma: no cover  it is a pipe, we asked for one
            raise AssertionError
        with output:
            for line in output:
                text = line.strip()
                if not self._listening.done():
                    if text.startswith("child ") and self._child is None:
                        self._child = int(text.removeprefix("child "))
                    elif text.startswith("Listening on "):
                        self._listening.set_result("http://" + text.removeprefix("Listening on "))
                if text:
                    self._tail.append(text)
        self._ended.set_result(process.wait())

    def _complaint(self) -> str:
        for line in reversed(self._tail):
            if "rror" in line or "panicked" in line:
                return f"It said: {_without_secret(line, self.options.fork_url)}"
        return ""

    def _start_failure(self) -> DefaiError:
        if not self._ended.done():
            return TooSlowError(f"anvil did not come up within {START_SECONDS:g} s.", self._complaint())
        complaint = self._complaint()
        if "ddress already in use" in complaint:
            return ConfigError(
                f"Port {self.options.port} is in use.", "Choose another one, or 0 for any free port."
            )
        return NotRunningError(f"anvil did not start: {_why(self._ended.result())}.", complaint)


async def _check_fork(url: str, block: int | None) -> None:
    """Ask the node to be forked for its id first: anvil itself retries a dead address for minutes."""
    async with Rpc(url, timeout_seconds=FORK_CHECK_SECONDS) as rpc:
        await rpc.number("eth_chainId")
        head = await rpc.number("eth_blockNumber")
    if block is not None and block > head:
        raise ConfigError(f"Block {block:,} cannot be forked: {redact(url)} is at block {head:,}.")


def _signal(send: Callable[[int, int], None], target: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it may end between the look and the signal
        send(target, number)


def _why(status: int) -> str:
    number = -status if status < 0 else status - 128
    if number > 0 and number in {int(known) for known in signal.Signals}:
        return f"killed by signal {number} ({signal.Signals(number).name})"
    return f"exit code {status}"


def _without_secret(line: str, url: str | None) -> str:
    return line if url is None else line.replace(url, redact(url))
