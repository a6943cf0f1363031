"""`defai trade` on chains that somebody else runs: a fork of one, and one used as it is."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FLEET = """
[market]
warm_up_blocks = 4

[[agents]]
name = "holder"
strategy = "hold"

[[agents]]
name = "dipper"
strategy = "{strategy}:BuyAtOnce"
"""

STRATEGY = '''
from defai.strategy.api import Context, Hold, Intent, Strategy, Swap


class BuyAtOnce(Strategy):
    """Buy a little ether in every block."""

    def decide(self, ctx: Context) -> Intent:
        """Sell a hundredth of the dollars."""
        amount = ctx.balance(ctx.numeraire) // 100
        if amount == 0:
            return Hold(reason="nothing left")
        zero = ctx.pool.key.token0 == ctx.numeraire
        return Swap(pool=ctx.pool.key.address, zero_for_one=zero, amount_in_raw=amount, reason="a little")
'''


@pytest.fixture
def endpoint(home: Path) -> Iterator[str]:
    """A stand-in in another process, a block a second."""
    assert home.is_dir()
    command = [sys.executable, "-m", "defai", "chain", "start", "--port", "0", "--block-time", "1", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
        process.terminate()


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    strategy = tmp_path / "buy_at_once.py"
    strategy.write_text(STRATEGY, encoding="utf-8")
    path = tmp_path / "fleet.toml"
    path.write_text(FLEET.format(strategy=strategy), encoding="utf-8")
    return path


def trade(fleet: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "defai", "trade", "-c", str(fleet), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def summary(run: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    assert run.returncode == 0, run.stderr
    result: dict[str, Any] = json.loads(run.stdout)
    return result


def test_a_fleet_trades_on_a_fork_of_another_chain(endpoint: str, fleet: Path) -> None:
    run = summary(trade(fleet, "--network", "fork", "--fork-url", endpoint, "--blocks", "5", "--json"))
    assert (run["network"], run["blocks"]) == ("fork", 5)
    dipper = next(agent for agent in run["agents"] if agent["name"] == "dipper")
    assert dipper["trades"] == dipper["records"] == run["records_on_chain"] == 5


def test_a_fleet_trades_on_a_chain_that_is_already_there(endpoint: str, fleet: Path) -> None:
    run = summary(trade(fleet, "--network", "rpc", "--rpc-url", endpoint, "--blocks", "5", "--json"))
    assert (run["network"], run["blocks"]) == ("rpc", 5)
    dipper = next(agent for agent in run["agents"] if agent["name"] == "dipper")
    assert dipper["trades"] == dipper["records"] == run["records_on_chain"] >= 2


def test_one_block_is_enough(endpoint: str, fleet: Path) -> None:
    run = summary(trade(fleet, "--network", "fork", "--fork-url", endpoint, "--once", "--json"))
    assert run["blocks"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--network", "fork", "--fork-url", "http://127.0.0.1:9"), 3, "No node answers"),
        (("--network", "fork"), 4, "fork_url"),
        (("--network", "rpc", "--rpc-url", "http://127.0.0.1:9"), 3, "No node answers"),
        (("--network", "rpc", "--rpc-url", "https://mainnet.example"), 4, "not on this machine"),
        (("--network", "rpc", "--rpc-url", "ws://127.0.0.1:9"), 4, "starts with http:// or https://"),
    ],
)
def test_a_chain_that_cannot_be_had(
    home: Path, fleet: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    assert home.is_dir()
    run = trade(fleet, *arguments, "--headless", "--blocks", "1")
    assert run.returncode == code
    assert words in run.stderr
    assert "Traceback" not in run.stderr
