"""A session that serves, as a process of its own: attached to, asked, steered from the command line, torn down."""

import asyncio
import json
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from defai.domain.answers import BacktestDone, BacktestWish
from defai.domain.stream import (
    ExecutionSettled,
    LiquiditySeen,
    ModelSeen,
    RiskMeasured,
    StreamEvent,
    SwapsSeen,
)
from defai.errors import NotFoundError
from defai.server.client import RemoteSession
from defai.server.places import find, folder
from tests.sessions import tmux
from tests.sessions.processes import COMMAND, Running, started
from tests.unit.backtest.price_scenes import price_file
from tests.unit.server.stage import Audience, listening, until

PATIENCE_S = 300.0


def command_line(running: Running) -> str:
    return Path(f"/proc/{running.process.pid}/cmdline").read_text()


def said(*arguments: str) -> tuple[int, str]:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


async def asked(*arguments: str) -> tuple[int, str]:
    return await asyncio.to_thread(said, *arguments)


def test_without_a_session_there_is_nothing_to_steer(home: Path) -> None:
    assert home.is_dir()
    for command in (["status"], ["pause", "--all"], ["resume", "x"], ["teardown"], ["approvals", "list"]):
        code, words = said(*command)
        assert (code, words.splitlines()[0]) == (3, "defai: No session is serving.")


async def heard(audience: Audience, wanted: Callable[[StreamEvent], bool]) -> StreamEvent:
    await until(lambda: any(map(wanted, audience.heard)), PATIENCE_S)
    return next(filter(wanted, audience.heard))


async def steered(running: Running) -> None:
    """What the command line does to it."""
    code, words = await asked("status", "--json")
    status = json.loads(words)
    assert (code, status["network"], status["readers"]) == (0, "standin", 1)
    assert status["url"] in "".join(running.said)
    assert (await asked("pause", "holder"))[0] == 0
    assert (await asked("pause", "nobody"))[0] == 2
    status = json.loads((await asked("status", "--json"))[1])
    assert {agent["name"]: agent["state"] for agent in status["agents"]}["holder"] == "paused"
    assert (await asked("resume", "--all"))[0] == 0
    assert (await asked("approvals", "list"))[1].strip() == "Nothing waits for you."
    code, words = await asked("approvals", "approve", "holder")
    assert (code, "waits for you" in words) == (2, True)


async def questioned(remote: RemoteSession, trade: ExecutionSettled, prices: Path) -> None:
    """What a terminal asks of it."""
    told = await remote.explain(trade.digest)
    assert (told.agent, told.sequence, told.record_id) == (trade.agent, trade.sequence, trade.record_id)
    assert told.calls
    assert all(not call.text.startswith("0x") for call in told.calls), "every call is known by its name"
    assert json.loads(told.payload)["reason"] == told.reason
    assert told.checks
    assert all(check.ok for check in told.checks)
    verification = await remote.verify(trade.digest)
    assert verification.is_verified
    assert [rung.name for rung in verification.rungs] == [
        "integrity",
        "data",
        "model",
        "decision",
        "execution",
    ]
    await remote.rate(trade.digest, "good", "well timed")
    told = await remote.explain(trade.digest)
    assert (told.rating, told.rating_why) == ("good", "well timed")
    with pytest.raises(NotFoundError, match="no decision 0xabcd"):
        await remote.explain("0xabcd")
    updates = [one async for one in remote.backtest(BacktestWish("hold", str(prices), {}, baselines=False))]
    done = updates[-1]
    assert isinstance(done, BacktestDone)
    assert len(updates) > 2
    page = await asyncio.to_thread(Path(done.report or "").read_text, encoding="utf-8")
    assert "<html" in page[:500].lower()
    assert done.rows[0].versus_hold_percent == pytest.approx(0, abs=0.01)
    with pytest.raises(NotFoundError, match="no strategy called 'nope'"):
        _ = [one async for one in remote.backtest(BacktestWish("nope", str(prices), {}))]


async def test_a_session_is_attached_to_asked_and_torn_down(
    trained_home: Path, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    assert not folder().is_relative_to(trained_home)
    prices = price_file(tmp_path, 30)
    with started(
        "demo", "--serve", "--block-time", "0.2", "--run-dir", str(tmp_path / "run"), cwd=tmp_path
    ) as it:
        it.wait_for("serving at ws://127")
        async with listening(RemoteSession(lambda: find(None))) as audience:
            trade = await heard(
                audience, lambda event: isinstance(event, ExecutionSettled) and event.status == "filled"
            )
            assert isinstance(trade, ExecutionSettled)
            for kind in (SwapsSeen, LiquiditySeen, ModelSeen, RiskMeasured):
                await heard(audience, lambda event, kind=kind: isinstance(event, kind))  # type: ignore[misc]  # a default binds it
            own = await heard(audience, lambda event: isinstance(event, SwapsSeen) and _has_own(event))
            assert isinstance(own, SwapsSeen)
            with subtests.test("in a real terminal"):
                if not tmux.is_there():
                    pytest.skip("tmux is not installed: nobody looks at the attached terminal")
                await asyncio.to_thread(looked_at, tmp_path)
            await steered(it)
            await questioned(audience.remote, trade, prices)
            (place,) = folder().glob("*.json")
            assert stat.S_IMODE(place.stat().st_mode) == 0o600
            token = json.loads(place.read_text())["token"]
            assert token not in command_line(it)
            assert (await asked("teardown"))[0] == 0
            await heard(audience, lambda event: event.kind == "session_ended")
        code, _, err = it.end()
        assert code == 0
        assert token not in err
        assert token not in "".join(path.read_text() for path in (tmp_path / "run").glob("*.json*"))
    assert (await asked("status"))[0] == 3
    assert not list(folder().iterdir())


def looked_at(folder: Path) -> None:
    """Attach the terminal in a real one, go through its screens, and leave: the session goes on."""
    with tmux.in_tmux([*COMMAND, "attach"], folder) as pane:
        pane.wait_for("Fleet · 4 agents")
        for key, words in (("2", "Account"), ("6", "Card of"), ("7", "Settings of"), ("8", "Limits of")):
            pane.press(key)
            pane.wait_for(words)
        pane.press("?")
        pane.wait_for("Keys")
        pane.press("Escape")
        pane.wait_for("Limits of")  # an escape that keys follow at once is read as one with them
        pane.press("1")
        pane.wait_for("Fleet · 4 agents")
        pane.press("q")
        assert pane.wait_for_end() == 0


def _has_own(event: SwapsSeen) -> bool:
    return any(swap.agent for swap in event.swaps)
