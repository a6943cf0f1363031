"""The owner answers from another process; the run is killed while a decision waits: none is lost, none is twice."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data

from defai.chain.keys import throwaway_key, throwaway_secret
from defai.server.places import find
from defai.server.standing import status_of
from tests.sessions.elsewhere import Elsewhere, chain_elsewhere
from tests.sessions.fleets import check_journal
from tests.sessions.processes import COMMAND, Running, started
from tests.sessions.test_taking_up import CHAIN_ID, check_verified

SEED = 1
OWNER, THIEF = throwaway_secret(SEED, "owner").hex(), throwaway_secret(SEED, "thief").hex()
FLEET = """
anchor_every_blocks = 5
market.seed = 1
market.warm_up_blocks = 4
limits = { approval_above_usd = 100, approval_waits_s = 43200 }
[[agents]]
name = "buyer"
strategy = "buyer.py:Buyer"
"""
BUYER = '''
from defai.strategy.api import Context, Intent, Strategy, Swap


class Buyer(Strategy):
    """Buys, and waits for its owner's word each time."""

    def decide(self, ctx: Context) -> Intent:
        zero = ctx.pool.key.token0 == ctx.numeraire
        return Swap(pool=ctx.pool.key.address, zero_for_one=zero, amount_in_raw=150 * 10**6, reason="a little")
'''


class Owner:
    """Somebody at another terminal."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def says(self, *words: str, typed: str = "") -> tuple[int, str]:
        """A command of its own; exit code and everything it printed."""
        done = await asyncio.to_thread(
            subprocess.run,
            [*COMMAND, "approvals", *words],
            cwd=self._folder,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        assert OWNER not in done.stdout + done.stderr
        return done.returncode, done.stdout + (done.stderr if done.returncode else "")

    async def waits(self, it: Running, chain: Elsewhere) -> dict[str, Any]:
        """The one decision that waits, once it does; then the chain stands still."""
        chain.go_on()
        await said(it, "waiting: moves")
        await chain.stand_still()
        (one,) = (await asyncio.to_thread(status_of, *find(None)))["approvals"]
        return dict(one)


def decisions(folder: Path) -> list[str]:
    lines = (folder / "run" / "decisions.jsonl").read_text().splitlines()
    return [json.loads(line)["digest"] for line in lines]


def events(folder: Path, kind: str) -> list[dict[str, str]]:
    told = map(json.loads, (folder / "run" / "events.jsonl").read_text().splitlines())
    return [event for event in told if event["kind"] == kind]


async def signed_elsewhere(owner: Owner) -> str:
    """By a wallet that is not ours."""
    _, words = await owner.says("approve", "buyer", "--typed-data")
    signable = encode_typed_data(full_message=json.loads(words))
    return "0x" + bytes(Account.sign_message(signable, OWNER).signature).hex()


async def said(it: Running, pattern: str) -> None:
    await asyncio.to_thread(it.wait_for, pattern)


def test_answered_from_another_process_across_a_kill(home: Path, tmp_path: Path) -> None:
    assert home.is_dir()
    (tmp_path / "buyer.py").write_text(BUYER)
    (tmp_path / "fleet.toml").write_text(FLEET)
    asyncio.run(_answered(tmp_path))


async def _answered(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    async with chain_elsewhere(CHAIN_ID) as chain:
        place = ("--network", "rpc", "--rpc-url", chain.url, "--run-dir", "run")
        words = ("trade", "-c", "fleet.toml", *place, "--headless", "--serve")
        with started(*words, cwd=tmp_path) as it:
            first = await owner.waits(it, chain)
            code, told = await owner.says("approve", "buyer", "--key-stdin", typed=f"{THIEF}\nbuyer\n")
            assert (code, "not that of the vault's owner" in told) == (4, True)
            code, told = await owner.says("approve", "buyer", "--key-stdin", typed=f"{OWNER}\nbyer\n")
            assert (code, "It was not confirmed" in told) == (4, True)
            (waiting,) = json.loads((await owner.says("list", "--json"))[1])["approvals"]
            assert waiting["digest"] == first["digest"], "nothing of that was an answer"
            assert " s on the chain\n" in (await owner.says("list"))[1], "whose clock it is by"
            assert (await owner.says("approve", "buyer", "--key-stdin", typed=f"{OWNER}\nbuyer\n"))[0] == 0
            second = await owner.waits(it, chain)
            assert (await owner.says("reject", second["digest"], "--why", "enough"))[0] == 0
            third = await owner.waits(it, chain)
            it.process.kill()
            await asyncio.to_thread(it.process.wait)
        assert third["digest"] == decisions(tmp_path)[-1]
        with started(*words, cwd=tmp_path) as it:
            fourth = await owner.waits(it, chain)
            assert fourth["digest"] != third["digest"], "its process ended: it was dropped"
            assert decisions(tmp_path).count(third["digest"]) == 1
            signature = await signed_elsewhere(owner)
            answer = await owner.says("approve", "buyer", "--signature", signature, "--yes", "--json")
            assert json.loads(answer[1])["outcome"] == "approved"
            await owner.waits(it, chain)
            chain.go_on()
            await asyncio.to_thread(subprocess.run, [*COMMAND, "teardown"], check=True, capture_output=True)
            await asyncio.to_thread(it.end)
        resolved = {event["digest"]: event["outcome"] for event in events(tmp_path, "approval_resolved")}
        assert [resolved[one["digest"]] for one in (first, second, third, fourth)] == [
            "approved", "rejected", "withdrawn", "approved",
        ]  # fmt: skip
        summary = json.loads((tmp_path / "run" / "summary.json").read_text())
        check_journal(tmp_path / "run", summary)
        assert summary["records_on_chain"] == 2
        assert await chain.owner(first["vault"]) == throwaway_key(SEED, "owner").address
        await check_verified(chain, tmp_path, summary)
