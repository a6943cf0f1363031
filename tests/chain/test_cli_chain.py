"""`defai chain start`, as a person runs it: it says where it is, works, and ends upon ctrl-c."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from eth_account import Account

from defai.chain import mainnet
from defai.chain.keys import Signer
from defai.chain.pools import check_pools
from defai.chain.reader import BlockReader
from defai.chain.rpc import Rpc
from defai.chain.seeding import sqrt_price_x96
from defai.chain.tx import Wallet, send, wait_for_receipts
from tests.chain.scenes import someone_listens

DEADLINE_SECONDS = 300.0


@contextmanager
def running(home: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "defai", "chain", "start", *arguments]
    places = {name: str(home / name) for name in ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | places
    ) as process:
        try:
            yield process
        finally:
            process.kill()


async def test_it_runs_until_ctrl_c(tmp_path: Path) -> None:
    with running(tmp_path, "--port", "0", "--seed-price", "1234.5", "--json") as process:
        assert process.stdout is not None
        there = json.loads(process.stdout.readline())
        assert there["chain_id"] == 31337
        assert [pool["address"] for pool in there["pools"]] == [key.address for key in mainnet.ALL_POOLS]
        assert len(there["accounts"]) >= 2
        async with Rpc(there["url"]) as rpc:
            await check_pools(rpc, mainnet.POOLS)
            reader = BlockReader(rpc, mainnet.ALL_POOLS)
            account = there["accounts"][0]
            assert Account.from_key(account["private_key"]).address == account["address"]
            reading = await reader.read(await reader.head(), accounts=[account["address"]])
            assert reading.balances[account["address"]][mainnet.USDC.address] == 10**12
            start_x96 = sqrt_price_x96(mainnet.USDC_WETH_005, Decimal("1234.5"), of=mainnet.WETH)
            assert reading.pools[mainnet.USDC_WETH_005.address].sqrt_price_x96 == start_x96
            pair = reading.pools[mainnet.USDC_WETH_V2.address]
            assert pair.sqrt_price_x96 == pytest.approx(start_x96, rel=1e-9)
            wallet = await Wallet.connect(Signer(bytes.fromhex(account["private_key"][2:])), rpc)
            payment = wallet.sign(
                wallet.address, b"", gas=21_000, max_fee_wei=10**11, priority_fee_wei=1, value_wei=1
            )
            assert await send(rpc, [payment]) == [None]
            await wait_for_receipts(
                rpc, [payment.hash], timeout_seconds=60
            )  # a block of its own comes at once
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=DEADLINE_SECONDS)
        assert (process.returncode, complaint) == (0, "")
        assert not someone_listens(there["url"])


def test_its_text_names_pools_and_accounts(tmp_path: Path) -> None:
    with running(tmp_path, "--port", "0") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        text = "".join(lines) + process.stdout.read()
        complaint = process.stderr.read()
        process.wait(DEADLINE_SECONDS)
    assert (process.returncode, complaint) == (0, "")
    assert "chain id 31337" in lines[0]
    for key in mainnet.ALL_POOLS:
        assert f"{key.name:<18} {key.address}" in text
    assert "never use them on a public network" in text
    assert text.endswith("Stopped.\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--port", "70000"], "70000 is not in the range"),
        (["--seed-price", "0"], "0.0 is not in the range"),
        (["--block-time", "0"], "0 is not in the range"),
    ],
)
def test_bad_input_is_a_sentence_and_exit_code_4(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    with running(tmp_path, *arguments) as process:
        _, complaint = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 4
    assert sentence in complaint
    assert "Traceback" not in complaint


def test_a_port_in_use_is_a_sentence_and_exit_code_4(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with running(tmp_path, "--port", str(port)) as process:
            _, complaint = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 4
    assert f"Port {port} is in use." in complaint


async def test_anvil_killed_underneath_it_is_a_sentence_and_exit_code_3(tmp_path: Path) -> None:
    with running(tmp_path, "--port", "0", "--json", "--block-time", "1") as process:
        assert process.stdout is not None
        json.loads(process.stdout.readline())
        os.kill(anvil_below(process.pid), signal.SIGKILL)
        _, complaint = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 3
    assert "The local chain (anvil) has ended by itself: killed by signal 9" in complaint
    assert "Traceback" not in complaint


def anvil_below(pid: int) -> int:
    """The anvil among the descendants of a process."""
    listing = subprocess.run(["ps", "-eo", "pid=,ppid=,comm="], capture_output=True, text=True, check=True)
    rows = [line.split(None, 2) for line in listing.stdout.splitlines()]
    below = {pid}
    for _ in range(4):
        below |= {int(child) for child, parent, _ in rows if int(parent) in below}
    (found,) = [int(child) for child, _, name in rows if int(child) in below and name == "anvil"]
    return found
