"""Live trading, with an anvil on the loopback interface that plays the live network: chain id 1, no levers pulled."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from eth_account import Account

from defai.chain.keys import KEYSTORE_VARIABLE, throwaway_key, throwaway_secret
from defai.chain.mainnet import USDC, WETH
from defai.errors import ConfigError, NotFoundError
from defai.units import WEI
from defai.worlds.permits import LivePermit
from tests.sessions.elsewhere import Elsewhere, chain_elsewhere
from tests.sessions.fleets import go_on, running, write_fleet
from tests.sessions.test_taking_up import check_verified

OPERATOR = throwaway_key(9, "operator")
SECRET = throwaway_secret(9, "operator").hex()
GAS_WEI = WEI // 20
PHRASE = "trade live on chain 1"


@pytest.fixture
async def chain(home: Path) -> AsyncIterator[Elsewhere]:  # noqa: ARG001  in it the contracts are kept
    async with chain_elsewhere(1) as chain:
        yield chain


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    write_fleet(tmp_path)
    return tmp_path


def permit(*, chain_id: int = 1, owner: str | None = None) -> LivePermit:
    return LivePermit(OPERATOR, chain_id, owner, GAS_WEI)


def vaults(folder: Path) -> dict[str, str]:
    agents = json.loads((folder / "run" / "seats.json").read_text())["agents"]
    return {name: noted["vault"][1] for name, noted in agents.items()}


async def test_the_operators_money_trades_and_stays_his(chain: Elsewhere, fleet: Path) -> None:
    await chain.pay(OPERATOR.address, dollars=40_000, weth=20)
    summary = await go_on(chain.url, fleet, blocks=12, permit=permit())
    assert (summary["network"], summary["chain_id"]) == ("live", 1)
    assert summary["records_on_chain"] >= 2
    for vault in vaults(fleet).values():
        assert await chain.owner(vault) == OPERATOR.address
    left = await chain.balance(OPERATOR.address, USDC)
    assert left == 10_000 * 10**6
    assert 4 * WEI < await chain.balance(OPERATOR.address, WETH) < 6 * WEI
    await check_verified(chain, fleet, summary)
    async with running(chain.url, fleet, permit=permit()) as run:
        await run.until_record(summary["records_on_chain"] + 1)
    again = await go_on(chain.url, fleet, permit=permit())
    assert await chain.balance(OPERATOR.address, USDC) == left, "a vault was filled twice"
    assert again["audit_contract"] == summary["audit_contract"]
    await check_verified(chain, fleet, again)


async def test_vaults_of_somebody_else_are_filled_by_him(chain: Elsewhere, fleet: Path) -> None:
    cold = throwaway_key(9, "cold wallet").address
    terms = permit(owner=cold)
    await chain.pay(OPERATOR.address)
    with pytest.raises(NotFoundError, match="holder, buyer are empty") as told:
        await go_on(chain.url, fleet, permit=terms)
    for vault in vaults(fleet).values():
        assert vault in told.value.hint
        assert await chain.owner(vault) == cold
        await chain.fund(vault, USDC, 9_000 * 10**6)
        await chain.fund(vault, WETH, 3 * WEI)
    summary = await go_on(chain.url, fleet, permit=terms)
    assert summary["records_on_chain"] >= 1
    assert {round(agent["hodl_usd"], -2) for agent in summary["agents"]} == {15_000}
    await check_verified(chain, fleet, summary)


@pytest.mark.parametrize(
    ("ether", "dollars", "words"),
    [(0, 40_000, "ETH are needed for gas"), (10, 40, "the fleet asks for 30,000.000000 USDC")],
)
async def test_too_little_money_is_said(
    chain: Elsewhere, fleet: Path, ether: int, dollars: int, words: str
) -> None:
    await chain.pay(OPERATOR.address, ether=ether, dollars=dollars, weth=20)
    with pytest.raises(ConfigError, match=words):
        await go_on(chain.url, fleet, permit=permit())


async def test_another_chain_is_refused_before_anything_is_sent(chain: Elsewhere, fleet: Path) -> None:
    await chain.pay(OPERATOR.address)
    with pytest.raises(ConfigError, match="is on chain 1, not on chain 10"):
        await go_on(chain.url, fleet, permit=permit(chain_id=10))
    assert await chain.nonce(OPERATOR.address) == 0


def trade(
    folder: Path, url: str, *words: str, typed: str = "", **environment: str
) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "defai", "trade", "-c", "fleet.toml", "--rpc-url", url, "--blocks", "2"]
    return subprocess.run(
        [*command, "--json", "--run-dir", "run", *words],
        cwd=folder,
        input=typed,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


LIVE = ("--network", "live", "--chain-id", "1")
KEY = {"DEFAI_OPERATOR_KEY": SECRET}


@pytest.mark.parametrize(
    ("words", "typed", "environment", "sentence"),
    [
        (("--network", "live"), PHRASE, KEY, "needs network.chain_id"),
        (LIVE, PHRASE, {}, "needs the account that pays and signs"),
        (LIVE, PHRASE, {"DEFAI_OPERATOR_KEY": "0xabcdef"}, "This is no private key"),
        (LIVE, "", KEY, "It was not confirmed"),
        (LIVE, "yes", KEY, "It was not confirmed"),
        (LIVE, "no", {**KEY, "DEFAI_LIMITS__APPROVAL_ABOVE_USD": "500"}, "above 500 USD waits for you"),
        (LIVE, "trade live on chain 10", KEY, "It was not confirmed"),
        (
            (),
            PHRASE,
            {**KEY, "DEFAI_NETWORK__KIND": "live", "DEFAI_NETWORK__CHAIN_ID": "1"},
            "on the command",
        ),
    ],
)
def test_the_gate(
    home: Path, fleet: Path, words: tuple[str, ...], typed: str, environment: dict[str, str], sentence: str
) -> None:
    assert home.is_dir()
    refused = trade(fleet, "http://127.0.0.1:9", *words, typed=f"{typed}\n", **environment)
    assert refused.returncode == 4
    assert sentence in refused.stderr
    assert SECRET not in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (fleet / "run").exists()


async def test_from_the_keystore_and_the_typed_words_to_a_record(chain: Elsewhere, fleet: Path) -> None:
    await chain.pay(OPERATOR.address, dollars=40_000, weth=20)
    document = Account.encrypt(bytes.fromhex(SECRET), "correct horse", kdf="pbkdf2", iterations=2)
    (fleet / "operator.json").write_text(json.dumps(document))
    words = (*LIVE, "--keystore", "operator.json")
    wrong = await asyncio.to_thread(
        trade, fleet, chain.url, *words, typed=f"{PHRASE}\n", **{KEYSTORE_VARIABLE: "battery staple"}
    )
    assert (wrong.returncode, await chain.nonce(OPERATOR.address)) == (4, 0)
    assert "cannot be opened with this passphrase" in wrong.stderr
    done = await asyncio.to_thread(trade, fleet, chain.url, *words, typed=f"correct horse\n{PHRASE}\n")
    assert done.returncode == 0, done.stderr
    assert OPERATOR.address in done.stderr
    assert json.loads(done.stdout)["network"] == "live"
    kept = b"".join(path.read_bytes() for path in (fleet / "run").iterdir())
    for secret in (SECRET, "correct horse"):
        assert secret.encode() not in kept
        assert secret not in done.stderr + done.stdout
