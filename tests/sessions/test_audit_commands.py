"""`defai audit`: what its commands print, their exit codes, and the answer to a validation request."""

import asyncio
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from defai.chain.codec import checksum, decode_values, encode_call, topic, unhex
from defai.chain.identity import REGISTER, REGISTERED, VAULT_KEY, Registries, find_registries
from defai.chain.keys import throwaway_key, throwaway_secret
from defai.chain.rpc import Rpc
from defai.chain.tx import Step, Wallet, carry_out
from defai.cli.main import run
from defai.config import Settings
from defai.session.session import Session
from defai.session.verification.responding import METADATA, STATUS
from defai.units import GWEI
from tests.homes import set_home
from tests.sessions.standing import Standing, standing

SEED, BLOCKS = 7, 12
REQUEST, CLAIM = "0x" + "ab" * 32, "0x" + "cd" * 32


@pytest.fixture(scope="module")
def demo(home_path: Path, models: Path) -> Iterator[Standing]:
    """The demo's chain, with a few trades on it."""
    assert models.is_dir()
    with pytest.MonkeyPatch.context() as patch:
        set_home(patch, home_path)
        settings = Settings.demo({"market.seed": SEED, "network.block_time_s": 0}, environment={})
        with standing(settings, BLOCKS) as there:
            yield there


@pytest.fixture
def place(demo: Standing, home: Path) -> list[str]:
    assert home.is_dir()
    return ["--rpc", demo.url, "--contract", demo.contract]


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run(["audit", *arguments])
    return code, capsys.readouterr().out


def test_list_and_export_have_every_decision_once(
    demo: Standing, place: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out = printed(capsys, "list", *place, "--json")
    rows = json.loads(out)["records"]
    assert code == 0
    taken = sum(agent.decisions["decisions"] for agent in demo.session.agents)
    assert sum(row["count"] for row in rows) == taken == 4 * BLOCKS
    _, text = printed(capsys, "list", *place, "--agent", "holder", "--action", "anchor", "--limit", "1")
    assert text.splitlines()[1].split()[:3] == ["-", "holder", f"0…{BLOCKS - 1}"]
    assert printed(capsys, "export", *place, "--out", str(tmp_path / "all.parquet"))[0] == 0
    table = pq.read_table(tmp_path / "all.parquet")
    assert table.num_rows == len(rows)
    _, lines = printed(capsys, "export", *place)
    exported = [json.loads(line) for line in lines.splitlines()]
    assert [row["sequence"] for row in exported] == table["sequence"].to_pylist()
    assert all(json.loads(row["payload"]) for row in exported if row["record"] is not None)


def test_verify_says_what_stands_and_what_there_is_not(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = printed(capsys, "verify", "--all", *place, "--json")
    told = json.loads(out)
    assert (code, told["verified"], told["broken"]) == (0, 4 * BLOCKS, 0)
    code, text = printed(capsys, "verify", "1", "--isolate", *place)
    assert code == 0
    assert "volatility_band.py, in a process of its own" in text
    for rung in ("1 integrity", "2 data", "3 model", "4 decision", "5 execution"):
        assert f"  {rung:<12}✓ holds" in text
    assert text.splitlines()[-1] == "verified, 100 of 100"
    assert printed(capsys, "verify", "999", *place)[0] == 2
    assert printed(capsys, "verify", "nobody:1", *place)[0] == 2
    assert printed(capsys, "verify", "what", *place)[0] == 4
    assert printed(capsys, "verify", *place)[0] == 4
    assert printed(capsys, "verify", "--all", "--rpc", place[1], "--contract", "0x" + "11" * 20)[0] == 2


def test_verify_ends_with_1_where_the_source_is_another(
    place: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "hold.py").write_text(
        "from defai.strategy.api import Strategy\nclass HoldTokens(Strategy):\n    '''Another.'''\n"
    )
    code, text = printed(capsys, "verify", "--agent", "holder", "--strategies", str(tmp_path), *place)
    assert code == 1
    assert f"{BLOCKS} break on the rung of decision" in text
    assert "✗ strategy digest" in text


def test_without_the_source_a_rung_is_open_and_none_breaks(
    place: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, text = printed(
        capsys, "verify", "--agent", "reverter", "--strategies", str(tmp_path), *place, "--json"
    )
    reports = json.loads(text)["reports"]
    assert code == 0
    assert len(reports) == BLOCKS
    assert {report["broken_rung"] for report in reports} == {None}
    model = next(rung for rung in reports[0]["rungs"] if rung["rung"] == "model")
    assert model["standing"] == "open"
    assert [(each["what"], each["agrees"]) for each in model["compared"]] == [("model digest", True)]


def test_show_explains_and_its_contributions_add_up(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = printed(capsys, "show", "lp-wide:0", *place, "--json")
    told = json.loads(out)
    assert code == 0
    assert told["record"] is not None
    assert told["gas_used"] > 100_000
    assert told["outcome"].startswith("opened #")
    adds = sum(part["adds"] for part in told["contributions"])
    assert told["usual_forecast"] + adds == pytest.approx(told["forecast"])
    _, text = printed(capsys, "show", "lp-wide:0", *place)
    assert [line.split()[0] for line in text.splitlines() if not line.startswith(" ")][1:] == [
        "what", "why", "forecast", "because", "guard", "outcome", "gas",
    ]  # fmt: skip


async def request_validation(there: Standing, agent: str) -> Registries:
    """Let the agent's owner ask a validator about it."""
    vault = next(each.seat.vault for each in there.session.agents if each.name == agent)
    async with Rpc(there.url) as rpc:
        await rpc.call("evm_setAutomine", True)
        registries = await find_registries(rpc)
        assert registries is not None
        assert registries.validation is not None
        validator = throwaway_key(SEED, "validator").address
        await rpc.call("anvil_setBalance", validator, hex(10**18))
        logs = await rpc.call(
            "eth_getLogs", {"fromBlock": "0x0", "address": registries.identity, "topics": [topic(REGISTERED)]}
        )
        for number in (int(log["topics"][1], 16) for log in logs):
            data = encode_call(METADATA, number, VAULT_KEY)
            answer = await rpc.call(
                "eth_call", {"to": registries.identity, "data": "0x" + data.hex()}, "latest"
            )
            (named,) = decode_values(("bytes",), unhex(answer))
            if checksum("0x" + named.hex()) == vault:
                break
        owner = await Wallet.connect(throwaway_key(SEED, "owner"), rpc)
        asking = encode_call(
            "validationRequest(address,uint256,string,bytes32)", validator, number, "", unhex(REQUEST)
        )
        step = Step(registries.validation, asking, 500_000, "ask")
        await carry_out(rpc, owner, [step], max_fee_wei=500 * GWEI, priority_fee_wei=GWEI)
        return registries


def test_respond_answers_on_the_chain(
    demo: Standing,
    place: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registries = asyncio.run(request_validation(demo, "reverter"))
    answer = ("verify", "--agent", "reverter", "--respond", REQUEST, *place)
    assert printed(capsys, *answer)[0] == 4  # nobody's key
    monkeypatch.setenv("DEFAI_VALIDATOR_KEY", throwaway_secret(SEED, "nobody").hex())
    assert printed(capsys, *answer)[0] == 4  # another was asked
    monkeypatch.setenv("DEFAI_VALIDATOR_KEY", "0x" + throwaway_secret(SEED, "validator").hex())
    assert (
        printed(capsys, "verify", "--agent", "holder", "--respond", REQUEST, *place)[0] == 4
    )  # about another
    code, out = printed(capsys, *answer, "--json")
    told = json.loads(out)["answer"]
    assert (code, told["response"]) == (0, 100)

    async def status() -> tuple[int, str]:
        async with Rpc(demo.url) as rpc:
            call = {"to": registries.validation, "data": "0x" + encode_call(STATUS, unhex(REQUEST)).hex()}
            answer = unhex(await rpc.call("eth_call", call, "latest"))
            types = ("address", "uint256", "uint8", "bytes32", "string", "uint256")
            _, _, response, digest, tag, _ = decode_values(types, answer)
            assert tag == "re-execution"
            return response, "0x" + digest.hex()

    assert asyncio.run(status()) == (100, told["evidence_digest"])


async def request_for_an_impostor(there: Standing, agent: str) -> None:
    """Somebody enters an agent of his own into the registry, with another's vault, and asks a validator about it."""
    vault = next(each.seat.vault for each in there.session.agents if each.name == agent)
    assert vault is not None
    async with Rpc(there.url) as rpc:
        await rpc.call("evm_setAutomine", True)
        registries = await find_registries(rpc)
        assert registries is not None
        assert registries.validation is not None
        impostor = throwaway_key(SEED, "impostor")
        await rpc.call("anvil_setBalance", impostor.address, hex(10**18))
        wallet = await Wallet.connect(impostor, rpc)
        carry = partial(carry_out, rpc, wallet, max_fee_wei=500 * GWEI, priority_fee_wei=GWEI)
        entry = encode_call(REGISTER, "", [(VAULT_KEY, unhex(vault))])
        (receipt,) = await carry([Step(registries.identity, entry, 900_000, "register")])
        number = int(
            next(log["topics"][1] for log in receipt.logs if log["topics"][0] == topic(REGISTERED)), 16
        )
        asking = encode_call(
            "validationRequest(address,uint256,string,bytes32)",
            throwaway_key(SEED, "validator").address,
            number,
            "",
            unhex(CLAIM),
        )
        await carry([Step(registries.validation, asking, 500_000, "ask")])


def test_nobody_is_answered_about_anothers_vault(
    demo: Standing,
    place: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asyncio.run(request_for_an_impostor(demo, "reverter"))
    monkeypatch.setenv("DEFAI_VALIDATOR_KEY", "0x" + throwaway_secret(SEED, "validator").hex())
    code = run(["audit", "verify", "--agent", "reverter", "--respond", CLAIM, *place])
    assert (code, "never signed" in capsys.readouterr().err) == (4, True)


def test_a_runs_directory_says_where_its_records_are(
    demo: Standing, home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert home.is_dir()
    assert isinstance(demo.session, Session)
    assert printed(capsys, "list", "--run", str(tmp_path))[0] == 2
    (tmp_path / "chain.json").write_text(json.dumps({"rpc_url": demo.url, "audit_contract": demo.contract}))
    assert printed(capsys, "list", "--run", str(tmp_path))[0] == 0
