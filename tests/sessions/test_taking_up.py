"""A fleet on a chain that outlives its process: left at any moment and started again, nothing is lost."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from defai.chain.download.patience import PatientRpc
from defai.chain.keys import Signer, throwaway_key
from defai.chain.tx import Transaction, sign
from defai.domain.stream import ExecutionSettled, SetupProgressed, StreamEvent
from defai.errors import ConfigError, DefaiError, DivergenceError
from defai.session.verification.chapters import Means
from defai.session.verification.evidence import read_evidence
from defai.session.verification.verifier import verify
from defai.strategy.registry import shipped_folder
from defai.units import GWEI
from tests.sessions.elsewhere import Elsewhere, chain_elsewhere
from tests.sessions.fleets import Run, go_on, running, write_fleet
from tests.sessions.processes import started

CHAIN_ID = 31337


@pytest.fixture
async def chain(home: Path) -> AsyncIterator[Elsewhere]:  # noqa: ARG001  in it the contracts are kept
    async with chain_elsewhere(CHAIN_ID) as chain:
        yield chain


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    write_fleet(tmp_path)
    return tmp_path


async def check_verified(chain: Elsewhere, folder: Path, summary: dict[str, Any]) -> None:
    """Every decision is decided again by somebody who has nothing but the strategies."""
    async with PatientRpc(chain.url) as rpc:
        evidence = await read_evidence(rpc, summary["audit_contract"])
        reports = await verify(rpc, evidence, Means((folder, shipped_folder())))
    assert len(reports) == sum(agent["decisions"] for agent in summary["agents"])
    assert [str(report) for report in reports if not report.is_verified] == []


def says(text: str) -> Callable[[StreamEvent], bool]:
    return lambda event: isinstance(event, SetupProgressed) and text in event.text


def decisions_of(fleet: Path, agent: str) -> list[str]:
    lines = (fleet / "run" / "decisions.jsonl").read_text().splitlines()
    return [line for line in lines if json.loads(line)["agent"] == agent]


def blocks(run: Run) -> int:
    """How many blocks it has decided upon, or lived through."""
    return sum(event.kind in {"step_completed", "block_arrived"} for event in run.heard)


async def in_flight(chain: Elsewhere, run: Run, key: Signer) -> None:
    """Mine no more, and only until the key has sent something that is in no block."""
    await chain.stand_still()
    async with asyncio.timeout(300):
        while await chain.nonce(key.address, "pending") == await chain.nonce(key.address):
            lived = blocks(run)
            await chain.next_block()
            await run.until(lambda _, lived=lived: blocks(run) >= lived + 3)  # type: ignore[misc]  # its block, two steps


async def sent_something(chain: Elsewhere) -> None:
    """Wait until somebody waits for the next block."""
    async with asyncio.timeout(300):
        while (await chain.rpc.call("txpool_status"))["pending"] == "0x0":  # noqa: ASYNC110  a node is asked, it does not call
            await asyncio.sleep(0.02)


def decisions(fleet: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (fleet / "run" / "decisions.jsonl").read_text().splitlines()]


def test_killed_for_good_nothing_is_lost(home: Path, fleet: Path) -> None:
    """The very process, and the very signal that nobody can refuse."""
    assert home.is_dir()
    asyncio.run(_killed_for_good(fleet))


async def _killed_for_good(fleet: Path) -> None:
    async with chain_elsewhere(CHAIN_ID) as chain:
        words = ("trade", "-c", "fleet.toml", "--network", "rpc", "--rpc-url", chain.url, "--run-dir", "run")
        with started(*words, "--headless", cwd=fleet) as process:
            await asyncio.to_thread(process.wait_for, "record #3")
            process.process.kill()
            await asyncio.to_thread(process.process.wait)
        summary = await go_on(chain.url, fleet)
        assert summary["records_on_chain"] >= 4
        await check_verified(chain, fleet, summary)


@pytest.mark.parametrize(
    "moment",
    ["preparing models", "starting the rpc chain", "living through"],
)
async def test_left_while_it_is_set_up(chain: Elsewhere, fleet: Path, moment: str) -> None:
    async with running(chain.url, fleet) as run:
        await run.until(says(moment))
    await check_verified(chain, fleet, await go_on(chain.url, fleet))


@pytest.mark.parametrize("steps", [1, 2, 4, 6])
async def test_left_in_the_middle_of_a_start(chain: Elsewhere, fleet: Path, steps: int) -> None:
    """Contracts, vaults, money, identities, charters: none of it is made twice."""
    async with running(chain.url, fleet) as run:
        await run.until(says("starting the rpc chain"))
        await chain.stand_still()
        for _ in range(steps):
            await sent_something(chain)
            await chain.next_block()
        assert not run.task.done()
    chain.go_on()
    ledger = fleet / "run" / "seats.json"
    before = json.loads(ledger.read_text()) if ledger.exists() else {}
    await check_verified(chain, fleet, await go_on(chain.url, fleet))
    after = json.loads(ledger.read_text())
    assert {**after, **before, "agents": 0} == {**after, "agents": 0}
    for name, noted in before.get("agents", {}).items():
        assert {**after["agents"][name], **noted} == after["agents"][name]


async def test_left_again_and_again(chain: Elsewhere, fleet: Path) -> None:
    """And with other parameters than it began with: they stay, and every decision is held to its own."""
    from defai.session.steering import Steering

    for record in (2, 3, 5):
        async with running(chain.url, fleet) as run:
            await run.until_record(record)
            if record == 2:
                await Steering(run.session).set_parameters("buyer", {"share": "50"})
                await run.until_record(3)
    summary = await go_on(chain.url, fleet)
    assert summary["records_on_chain"] >= 6
    await check_verified(chain, fleet, summary)
    assert json.loads((fleet / "run" / "parameters.json").read_text())["buyer"] == {"share": 50}
    digests = {json.loads(line)["strategy_digest"] for line in decisions_of(fleet, "buyer")}
    assert len(digests) == 2
    taken_up = json.loads((fleet / "run" / "run.json").read_text())["taken_up"]
    assert len(taken_up) == 3
    assert json.loads((fleet / "run" / "summary.json").read_text()) == summary


async def test_what_landed_meanwhile_is_told(chain: Elsewhere, fleet: Path) -> None:
    async with running(chain.url, fleet) as run:
        await run.until_record(1)
        await in_flight(chain, run, throwaway_key(1, "agent/buyer"))
        known = [event.record_id for event in run.heard if isinstance(event, ExecutionSettled)]
    chain.go_on()
    async with running(chain.url, fleet, blocks=3) as run:
        await run.until_record(len(known) + 1)
        summary = await run.end()
    told = [event.record_id for event in run.heard if isinstance(event, ExecutionSettled)]
    assert told[0] == len(known) + 1
    await check_verified(chain, fleet, summary)


async def test_what_never_reached_a_block_is_not_counted(chain: Elsewhere, fleet: Path) -> None:
    """The decision stands, and is anchored as one whose trade failed."""
    key = throwaway_key(1, "agent/buyer")
    async with running(chain.url, fleet) as run:
        await run.until_record(1)
        await in_flight(chain, run, key)
    await chain.rpc.call("anvil_removePoolTransactions", key.address)
    chain.go_on()
    summary = await go_on(chain.url, fleet)
    await check_verified(chain, fleet, summary)


async def test_the_journal_alone_leads_to_where_the_checkpoint_stood(chain: Elsewhere, fleet: Path) -> None:
    before = await go_on(chain.url, fleet, blocks=9)
    checkpoint = fleet / "run" / "checkpoint.json"
    remembered = json.loads(checkpoint.read_text())["agents"]
    checkpoint.unlink()
    after = await go_on(chain.url, fleet, blocks=1)
    anew = json.loads(checkpoint.read_text())["agents"]
    for name, memory in remembered.items():
        assert anew[name]["initial_raw"] == memory["initial_raw"]
        assert anew[name]["portfolio"]["initial"] == memory["portfolio"]["initial"]
        assert anew[name]["turnover"][: len(memory["turnover"])] == memory["turnover"]
        assert anew[name]["next_sequence"] == memory["next_sequence"] + 1
        assert anew[name]["counts"]["decisions"] == memory["counts"]["decisions"] + 1
        assert anew[name]["gas_used"] > memory["gas_used"]
    assert after["records_on_chain"] - before["records_on_chain"] in {0, 1}
    await check_verified(chain, fleet, after)


async def test_a_line_that_a_crash_cut_short_is_dropped(chain: Elsewhere, fleet: Path) -> None:
    await go_on(chain.url, fleet, blocks=3)
    for name in ("decisions.jsonl", "events.jsonl", "sent.jsonl"):
        with (fleet / "run" / name).open("a") as file:
            file.write('{"agent": "buy')
    await check_verified(chain, fleet, await go_on(chain.url, fleet, blocks=3))
    for line in (fleet / "run" / "events.jsonl").read_text().splitlines():
        json.loads(line)


async def test_a_paused_agent_stays_paused(chain: Elsewhere, fleet: Path) -> None:
    from defai.session.steering import Steering

    async with running(chain.url, fleet) as run:
        await run.until_record(1)
        await Steering(run.session).pause("buyer")
        lived = len(run.heard)
        await run.until(lambda event: event in run.heard[lived:] and event.kind == "block_arrived")
    decided = [line["agent"] for line in decisions(fleet)]
    await go_on(chain.url, fleet, blocks=4)
    since = [line["agent"] for line in decisions(fleet)][len(decided) :]
    assert set(since) == {"holder"}


async def test_one_process_at_a_time(chain: Elsewhere, fleet: Path) -> None:
    async with running(chain.url, fleet) as run:
        await run.until(says("reading strategies"))
        with pytest.raises(DefaiError, match="Another process runs in"):
            await go_on(chain.url, fleet)


async def test_another_fleet_does_not_go_on_with_it(chain: Elsewhere, fleet: Path) -> None:
    await go_on(chain.url, fleet, blocks=1)
    write_fleet(fleet, share=50)
    with pytest.raises(ConfigError, match="'buyer' began this run with strategy digest 0x"):
        await go_on(chain.url, fleet)
    write_fleet(fleet)
    async with running(chain.url, fleet, seed=5) as run:
        with pytest.raises(ConfigError, match="had another key when this run began"):
            await run.end()


@pytest.mark.parametrize(
    ("chain_id", "words"), [(CHAIN_ID, "of this run is not on the chain"), (5, "This run is on chain 31337")]
)
async def test_a_chain_that_began_anew_is_not_the_same_one(
    chain: Elsewhere, fleet: Path, chain_id: int, words: str
) -> None:
    await go_on(chain.url, fleet, blocks=1)
    async with chain_elsewhere(chain_id) as another:
        with pytest.raises(DivergenceError, match=words):
            await go_on(another.url, fleet)


async def test_a_journal_that_was_changed_is_noticed(chain: Elsewhere, fleet: Path) -> None:
    await go_on(chain.url, fleet, blocks=3)
    decisions = fleet / "run" / "decisions.jsonl"
    lines = [line for line in decisions.read_text().splitlines(keepends=True) if '"agent":"buyer"' in line]
    decisions.write_text("".join(lines[:-1]))
    with pytest.raises(DivergenceError, match="by its own count"):
        await go_on(chain.url, fleet)


async def test_what_offers_too_little_for_gas_is_sent_again_for_more(chain: Elsewhere, fleet: Path) -> None:
    async with running(chain.url, fleet, blocks=24) as run:
        await run.until_record(1)
        await in_flight(chain, run, throwaway_key(1, "agent/buyer"))
        await chain.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(60 * GWEI))
        chain.go_on()
        summary = await run.end()
    lines = [json.loads(line) for line in (fleet / "run" / "sent.jsonl").read_text().splitlines()]
    numbers = [(line["agent"], line["number"]) for line in lines]
    assert len(numbers) > len(set(numbers)), "nothing was sent again"
    await check_verified(chain, fleet, summary)


async def test_somebody_else_with_the_same_key_ends_the_run(chain: Elsewhere, fleet: Path) -> None:
    key = throwaway_key(1, "agent/buyer")
    async with running(chain.url, fleet) as run:
        await run.until_record(1)
        await in_flight(chain, run, key)
        other = Transaction(
            chain_id=CHAIN_ID,
            nonce=await chain.nonce(key.address),
            to=key.address,
            data=b"",
            gas=21_000,
            max_fee_wei=500 * GWEI,
            priority_fee_wei=400 * GWEI,
        )
        await chain.rpc.call("eth_sendRawTransaction", "0x" + sign(other, key).raw.hex())
        chain.go_on()
        with pytest.raises(DivergenceError, match="Another transaction of buyer's key took the place"):
            await run.end()
    summary = await go_on(chain.url, fleet)
    await check_verified(chain, fleet, summary)
