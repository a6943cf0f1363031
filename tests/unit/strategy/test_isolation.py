"""A strategy in a process of its own: the same answers and digests, and whatever else it tries comes to nothing."""

import asyncio
import json
import os
import pickle
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner

from defai.agent.asking import Asking
from defai.audit.record import strategy_digest
from defai.backtest.request import BacktestRequest, perform
from defai.chain.mainnet import USDC_WETH_005
from defai.cli.backtest import command
from defai.domain.decisions import Decision
from defai.domain.intents import Hold
from defai.errors import ConfigError
from defai.session.fleet import parameters_of
from defai.strategy.api import Context
from defai.strategy.isolation import process, sandbox, wire
from defai.strategy.registry import LoadedStrategy, load
from defai.testing.builders import context_on, pool_with_liquidity
from tests.unit.backtest.minute_scenes import minute_file

ATTEMPTS = (
    *("connect", "local_socket", "environment", "parents_environment", "read", "write", "look_around"),
    *("fork", "run", "kill", "memory", "print_and_raise"),
)
EVIL = '''
import os
import socket
import subprocess
from pathlib import Path
from defai.strategy.api import Context, Hold, Intent, Strategy


class Evil(Strategy):
    """Tries whatever the block's number says."""

    secret: str = ""

    def decide(self, ctx: Context) -> Intent:
        attempts = [getattr(self, name) for name in ATTEMPTS]
        if ctx.block_number >= len(attempts):
            os._exit(3) if ctx.block_number == len(attempts) else self.loop()
        try:
            return Hold(reason=str(attempts[ctx.block_number]()))
        except OSError as refused:
            return Hold(reason=f"refused: {refused}")

    def connect(self): return socket.create_connection(("127.0.0.1", 9), timeout=1)
    def local_socket(self): return socket.socket(socket.AF_UNIX)
    def environment(self): return sorted(os.environ)
    def parents_environment(self): return Path(f"/proc/{os.getppid()}/environ").read_text()
    def read(self): return Path(self.secret).read_text()
    def write(self): return Path(self.secret).write_text("gone")
    def look_around(self): return os.listdir(Path(self.secret).parent)
    def run(self): return subprocess.run(["/bin/true"])
    def kill(self): return os.kill(os.getppid(), 9)
    def memory(self): return len(bytearray(8 << 30))
    def fork(self):
        while True:
            os.fork()
    def loop(self):
        while True:
            pass
    def print_and_raise(self):
        print("{}")
        raise ValueError("no more ideas")
'''.replace("ATTEMPTS", repr(ATTEMPTS))


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadedStrategy]:
    folder = tmp_path_factory.mktemp("evil")
    (folder / "evil.py").write_text(EVIL)
    (folder / "secret.key").write_text("hush")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEFAI_SECRET", "hush")
        yield load(f"{folder / 'evil.py'}:Evil", {"secret": str(folder / "secret.key")}, isolate=True)


@pytest.fixture(scope="module")
def context() -> Context:
    return context_on({USDC_WETH_005: pool_with_liquidity()})


def upon(context: Context, attempt: str | int) -> Context:
    number = attempt if isinstance(attempt, int) else ATTEMPTS.index(attempt)
    return replace(context, block_number=number)


def is_alive() -> bool:
    return True


@pytest.mark.parametrize(
    "attempt",
    ["connect", "local_socket", "parents_environment", "read", "write", "look_around", "fork", "run", "kill"],
)
def test_what_reaches_out_is_refused(evil: LoadedStrategy, context: Context, attempt: str) -> None:
    reason = evil.strategy.decide(upon(context, attempt)).reason
    assert reason.startswith(("refused: [Errno 1]", "refused: [Errno 13]")), reason


def test_its_environment_holds_nothing_of_ours(evil: LoadedStrategy, context: Context) -> None:
    reason = evil.strategy.decide(upon(context, "environment")).reason
    assert "SECRET" not in reason
    assert not {"PATH", "HOME"} & set(reason.split("'"))


def test_what_it_does_to_itself_is_its_own_agents_matter(
    evil: LoadedStrategy, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "ANSWER_S", 1.0)
    asking, author = Asking("evil"), evil.strategy
    for attempt, why in (
        ("memory", "MemoryError"),
        ("print_and_raise", "ValueError: no more ideas"),
        (len(ATTEMPTS), "ended its process"),
        (len(ATTEMPTS) + 1, "did not answer in time"),
    ):
        intent = asking.decide(author.decide, upon(context, attempt), author.stated_edge)
        assert isinstance(intent, Hold)
        assert why in asking.fault
    assert asking.decide(author.decide, upon(context, "environment"), author.stated_edge)
    assert not asking.fault, "its process was begun anew"


def test_a_file_that_does_harm_when_imported_does_none(tmp_path: Path) -> None:
    path, mark = tmp_path / "eager.py", tmp_path / "mark"
    path.write_text(f"from pathlib import Path\nPath({str(mark)!r}).write_text('was here')\n{EVIL}")
    with pytest.raises(ConfigError, match="PermissionError"):
        load(f"{path}:Evil", isolate=True)
    assert not mark.exists()


def test_a_parameter_that_does_not_fit_is_told_as_ever() -> None:
    with pytest.raises(ConfigError, match="StaticBand has no parameter 'widht'"):
        load("static_band", {"widht": 1}, isolate=True)


def test_digest_and_answers_are_those_of_the_same_strategy_in_the_session(context: Context) -> None:
    apart, here = (load("volatility_band", isolate=isolate) for isolate in (True, False))
    assert type(apart.strategy).__name__ == type(here.strategy).__name__
    digests = [strategy_digest(one.source, parameters_of(one)) for one in (apart, here)]
    assert digests[0] == digests[1]
    assert apart.strategy.decide(context) == here.strategy.decide(context)
    for what in ("pools", "features", "target"):
        assert getattr(apart.strategy, what)() == getattr(here.strategy, what)()
    assert all(word in apart.protection for word in ("network: ", "files: Landlock", "processes: seccomp"))


def test_a_backtest_comes_to_the_same_decisions(tmp_path: Path) -> None:
    source = minute_file(tmp_path / "bars", 60).parent
    asked = ["-s", "static_band", "--source", str(source), "--no-baselines", "--json"]
    here, apart = (
        json.loads(CliRunner().invoke(command, [*asked, *more], catch_exceptions=False).stdout)
        for more in ([], ["--isolate"])
    )
    assert here["decisions"] == apart["decisions"] > 0
    assert here["decision_digest"] == apart["decision_digest"]


def test_where_the_kernel_protects_from_nothing_it_is_not_run() -> None:
    nothing = sandbox.InForce(("seccomp",), (), ("seccomp",))
    said = {"lacks": list(nothing.lacks), "in_force": str(nothing)}
    with pytest.raises(ConfigError, match="protects files from nothing"):
        process.in_force("hold", said)


IN_MEMORY = '''
import gc
from defai.market.bars import MinuteBars
from defai.strategy.api import Context, Hold, Intent, Strategy


class InMemory(Strategy):
    """Reaches through the window, or through all of the memory, for the bars behind it."""

    def decide(self, ctx: Context) -> Intent:
        window = getattr(ctx.pool.history, "_window", None)
        bars = getattr(window, "_bars", None)
        ahead = 0 if bars is None else len(bars.close_tick) - ctx.block_number
        if ctx.block_number % 20 == 0:
            ahead += sum(isinstance(one, MinuteBars) for one in gc.get_objects())
        return Hold(reason=f"{ahead} bars ahead")
'''


def test_apart_there_is_no_future_in_memory(tmp_path: Path) -> None:
    (tmp_path / "in_memory.py").write_text(IN_MEMORY)
    source = minute_file(tmp_path / "bars", 60).parent
    cheat = f"{tmp_path / 'in_memory.py'}:InMemory"
    request = BacktestRequest(strategies=(cheat,), source=source, baselines=False)
    here, apart = (
        {_reason(one) for one in asyncio.run(perform(replace(request, isolate=isolate))).agents[0].decisions}
        for isolate in (False, True)
    )
    assert apart == {"0 bars ahead"}
    assert here - apart, "within the session a determined cheat finds them: that is what isolation is for"


def test_in_the_session_a_reach_for_what_is_private_is_told(tmp_path: Path) -> None:
    (tmp_path / "in_memory.py").write_text(IN_MEMORY)
    source = minute_file(tmp_path / "bars", 30).parent
    asked = ["-s", f"{tmp_path / 'in_memory.py'}:InMemory", "--source", str(source), "--no-baselines"]
    done = CliRunner().invoke(command, asked, catch_exceptions=False)
    assert (
        "in_memory.py:11: reaches for _window, which is private: in this process that may know" in done.stderr
    )
    assert "in_memory.py:12: reaches for _bars, which is private" in done.stderr


def _reason(decision: Decision) -> str:
    return str(json.loads(decision.payload)["reason"])


def test_time_in_which_nobody_looked_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a stop of an hour, by the shell: each look finds the clock far on."""
    hours = count(step=3_600)
    monkeypatch.setattr(wire, "monotonic", lambda: next(hours))
    ours, theirs = os.pipe()
    late = threading.Timer(0.1, wire.send, (theirs, b"7", 60, is_alive))
    late.start()
    assert wire.receive(ours, 60, is_alive) == b"7"
    with pytest.raises(wire.WireError, match="did not answer in time"):
        wire.receive(ours, 0.2, is_alive)
    late.join()
    os.close(ours)
    os.close(theirs)


def test_who_does_not_listen_is_waited_for_no_longer_than_who_does_not_answer() -> None:
    """Its author's code may have answered for itself, and never read again: a session must not stand still for that."""
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    with pytest.raises(wire.WireError, match="did not answer in time"):
        wire.send(theirs, bytes(1 << 20), 0.2, is_alive)
    os.close(ours)
    with pytest.raises(BrokenPipeError):
        wire.send(theirs, b"7", 60, is_alive)
    os.close(theirs)


def test_a_process_that_never_comes_back_ends_with_its_session(tmp_path: Path) -> None:
    path = tmp_path / "endless.py"
    path.write_text(EVIL.replace("def loop(self):", "def on_outcome(self, outcome):"))
    apart = process.Process(process.Place(f"{path}:Evil", (str(path),)), {})
    apart._send(pickle.dumps(("on_outcome", None)), 60)
    pipe = apart._popen.stdin
    assert pipe is not None
    pipe.close()  # as the kernel does, however a session ends
    apart._popen.wait(60)


def test_what_is_nested_too_deep_is_no_answer() -> None:
    with pytest.raises(wire.WireError, match="no answer"):
        wire.loads(b"[" * 100_000)
