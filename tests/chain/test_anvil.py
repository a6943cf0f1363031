"""anvil as a child process: it comes up, it says why it doesn't, and it never outlives us."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from defai.chain import anvil as anvil_module
from defai.chain.anvil import Anvil, AnvilOptions, find_anvil
from defai.chain.rpc import Rpc
from defai.errors import ConfigError, NotFoundError, NotRunningError, TooSlowError
from defai.worlds.permits import PlayPermit
from tests.chain.scenes import someone_listens

DEADLINE_SECONDS = 300.0

PARENT = """
import asyncio, sys
from defai.chain.anvil import Anvil

async def main():
    async with Anvil() as anvil:
        print(anvil.url, anvil.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def gone(url: str, pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return not someone_listens(url)
    return False


def wait_until_gone(url: str, pid: int) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not gone(url, pid):
        assert time.monotonic() < deadline, f"anvil {pid} is still there"
        time.sleep(0.02)


async def test_answers_with_its_chain_id_on_a_free_port() -> None:
    async with Anvil(AnvilOptions(chain_id=4242)) as anvil, anvil.rpc() as rpc:
        assert anvil.running
        assert anvil.url.startswith("http://127.0.0.1:")
        assert await rpc.call("eth_chainId") == hex(4242)
        assert await rpc.call("eth_accounts") == []


async def test_two_run_side_by_side() -> None:
    async with Anvil(AnvilOptions(chain_id=1001)) as one, Anvil(AnvilOptions(chain_id=1002)) as two:
        assert one.url != two.url
        async with one.rpc() as to_one, two.rpc() as to_two:
            assert [await to_one.call("eth_chainId"), await to_two.call("eth_chainId")] == ["0x3e9", "0x3ea"]


async def test_leaving_the_context_ends_it() -> None:
    async with Anvil() as anvil:
        url, pid = anvil.url, anvil.pid
    assert not anvil.running
    assert gone(url, pid)
    await anvil.stop()  # a second time is no error


async def test_an_error_inside_the_context_ends_it() -> None:
    anvil = Anvil()

    async def fail_inside() -> None:
        async with anvil:
            raise KeyError

    with pytest.raises(KeyError):
        await fail_inside()
    assert gone(anvil.url, anvil.pid)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_dies_with_its_parent(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        url, pid = parent.stdout.readline().split()
        assert someone_listens(url)
        parent.send_signal(number)
        parent.wait(DEADLINE_SECONDS)
        wait_until_gone(url, int(pid))


async def test_a_terminals_ctrl_c_does_not_reach_it() -> None:
    async with Anvil() as anvil:
        assert os.getpgid(anvil.pid) != os.getpgid(0)
        assert os.getsid(anvil.pid) != os.getsid(0)


async def test_killed_in_mid_run_says_so() -> None:
    async with Anvil() as anvil, anvil.rpc() as rpc:
        assert await rpc.call("eth_blockNumber") == "0x0"
        assert anvil.death() is None
        os.kill(anvil.pid, signal.SIGKILL)
        reason = await asyncio.wait_for(anvil.ended(), DEADLINE_SECONDS)
        assert isinstance(reason, NotRunningError)
        assert "ended by itself: killed by signal 9 (SIGKILL)" in reason.sentence
        with pytest.raises(NotRunningError, match="ended by itself"):
            await rpc.call("eth_blockNumber")
        assert not anvil.running


async def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"Port {port} is in use") as caught:
            await Anvil(AnvilOptions(port=port)).start()
    assert caught.value.exit_code == 4


async def test_a_refused_setting_is_passed_on() -> None:
    with pytest.raises(NotRunningError, match="anvil did not start: exit code 2") as caught:
        await Anvil(AnvilOptions(extra=("--no-such-flag",))).start()
    assert "--no-such-flag" in caught.value.hint


async def test_a_fork_of_nothing_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anvil_module, "FORK_CHECK_SECONDS", 3_600)  # whoever waited would wait so long
    with socket.socket() as taken:  # and not listened to: nobody else gets it meanwhile
        taken.bind(("127.0.0.1", 0))
        url = f"http://user:hidden-word@127.0.0.1:{taken.getsockname()[1]}/hidden-key"
        with pytest.raises(NotRunningError, match=r"No node answers at http://127\.0\.0\.1:\d+/…") as caught:
            await Anvil(AnvilOptions(fork_url=url)).start()
    assert "hidden" not in str(caught.value)


async def test_a_fork_of_a_silent_host_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anvil_module, "FORK_CHECK_SECONDS", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(TooSlowError, match=r"did not answer within 0\.3 s"):
            await Anvil(AnvilOptions(fork_url=f"http://127.0.0.1:{silent.getsockname()[1]}")).start()


async def test_a_fork_of_something_that_is_no_address_is_refused() -> None:
    with pytest.raises(ConfigError, match="is not the address of a node"):
        await Anvil(AnvilOptions(fork_url="mainnet")).start()


async def test_a_fork_beyond_the_newest_block_is_refused() -> None:
    async with Anvil() as origin:
        with pytest.raises(ConfigError, match=r"Block 1,000 cannot be forked: .* is at block 0"):
            await Anvil(AnvilOptions(fork_url=origin.url, fork_block=1000)).start()


async def test_being_cancelled_while_starting_leaves_nothing_behind() -> None:
    anvil = Anvil()
    starting = asyncio.create_task(anvil.start())
    await asyncio.sleep(0)
    assert anvil._process is not None
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not anvil.running


def test_without_anvil_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(anvil_module, "NODE_MODULES", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotFoundError, match="is not installed") as caught:
        find_anvil()
    assert "make setup" in caught.value.hint
    assert caught.value.exit_code == 2


def test_an_anvil_on_the_path_is_used_where_npms_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "anvil"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(anvil_module, "NODE_MODULES", tmp_path / "nowhere")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_anvil() == program


def test_the_forks_address_is_not_in_the_options_repr() -> None:
    assert "hidden" not in repr(AnvilOptions(fork_url="https://node.example/hidden"))


async def test_before_it_is_started_it_has_no_address() -> None:
    anvil = Anvil()
    with pytest.raises(NotRunningError):
        _ = anvil.url
    with pytest.raises(NotRunningError):
        _ = anvil.pid
    assert not anvil.running
    await anvil.stop()


async def test_a_node_is_looked_at_while_it_mines() -> None:
    """Some of anvil's own questions lock it up for good when a block is mined at the same time."""
    async with Anvil(AnvilOptions()) as anvil, anvil.rpc() as rpc, anvil.rpc() as miner:
        permit = PlayPermit(rpc.url, seed=0)
        mining = asyncio.create_task(_mine(miner, 400))
        while not mining.done():
            await permit.check(rpc)
        await mining


async def _mine(rpc: Rpc, blocks: int) -> None:
    for _ in range(blocks):
        await rpc.call("evm_mine")
