"""The ladder: what was decided is decided again from the chain alone; a byte that was changed breaks its rung."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from defai.audit.amendment import Amendment
from defai.audit.ladder.findings import Report, Rung
from defai.audit.ladder.findings import Standing as Bearing
from defai.chain.codec import selector, topic
from defai.chain.decode import SWAP
from defai.chain.download.patience import PatientRpc
from defai.chain.rpc import Json
from defai.chain.vault import DECISION_RECORDED, DECISIONS_ANCHORED, EXECUTE
from defai.config import Settings
from defai.domain.tokens import Address
from defai.errors import NotFoundError
from defai.session.verification.chapters import Means
from defai.session.verification.evidence import Evidence, Trail, read_evidence
from defai.session.verification.scope import locate, narrowed, until_of
from defai.session.verification.verifier import verify
from defai.strategy.registry import shipped_folder
from tests.homes import set_home
from tests.sessions.standing import LIES, Alteration, LyingSession, Standing, TamperedRpc, standing

BLOCKS = 9
BROKEN: Mapping[str, Rung] = {
    "features": Rung.DATA,
    "features-digest": Rung.DATA,
    "forecast": Rung.MODEL,
    "model": Rung.MODEL,
    "strategy": Rung.DECISION,
    "intent": Rung.DECISION,
    "reason": Rung.DECISION,
    "verdict": Rung.DECISION,
    "action": Rung.DECISION,
    "name": Rung.DECISION,
    "hold-reason": Rung.DECISION,
    "hold-forecast": Rung.DECISION,
    "hold-block": Rung.DECISION,
    "calls": Rung.EXECUTION,
}


@pytest.fixture(scope="module")
def liars(tmp_path_factory: pytest.TempPathFactory, home_path: Path, models: Path) -> Iterator[Standing]:
    """A fleet of one strategy, each agent of which lies about one thing, but for one that is honest."""
    assert models.is_dir()
    agents = "".join(
        f'[[agents]]\nname = "{name}"\nstrategy = "volatility_band"\n' for name in ("honest", *BROKEN)
    )
    fleet = tmp_path_factory.mktemp("liars") / "fleet.toml"
    fleet.write_text(f"anchor_every_blocks = 4\nnetwork.block_time_s = 0\n{agents}")
    with pytest.MonkeyPatch.context() as patch:
        set_home(patch, home_path)
        with standing(
            Settings.load(fleet, {"market.seed": 7}, environment={}), BLOCKS, LyingSession
        ) as there:
            yield there


def verified(
    there: Standing, *agents: str, rpc: PatientRpc | None = None, strategies: Path | None = None
) -> list[Report]:
    """Reports on some agents, made by somebody who has the chain's address and the strategies' source."""
    return asyncio.run(_verified(rpc or PatientRpc(there.url), there, agents, strategies or shipped_folder()))


async def _verified(
    rpc: PatientRpc, there: Standing, agents: tuple[str, ...], strategies: Path
) -> list[Report]:
    async with rpc:
        evidence = await read_evidence(rpc, there.contract, [there.agent_id(name) for name in agents])
        return await verify(rpc, evidence, Means((strategies,)))


def tampered(there: Standing, alter: Alteration, agent: str = "honest") -> list[Report]:
    """Reports on an honest agent, over a connection that is tampered with."""
    rpc = TamperedRpc(there.url, alter)
    reports = verified(there, agent, rpc=rpc)
    assert rpc.altered, "nothing was tampered with"
    return reports


def test_what_an_honest_agent_decided_stands_on_every_rung(liars: Standing) -> None:
    reports = verified(liars, "honest")
    assert [report.sequence for report in reports] == list(range(BLOCKS))
    assert all(report.is_verified and report.score == 100 for report in reports)
    assert [report.token_id is not None for report in reports].count(True) >= 1
    record = next(report for report in reports if report.token_id is not None)
    model = record.findings[Rung.MODEL - 1]
    assert [each.what for each in model.comparisons] == [
        "model digest",
        "forecast x 2^24, integer trees",
        "forecast x 2^24, EVM",
    ]


def test_every_lie_breaks_the_rung_it_is_told_on(liars: Standing) -> None:
    assert set(LIES) | {"calls"} == set(BROKEN)
    reports = verified(liars, *BROKEN)
    for name, rung in BROKEN.items():
        mine = [report for report in reports if report.agent_id == liars.agent_id(name)]
        broken = {report.broken.rung for report in mine if report.broken}
        assert broken == {rung}, f"{name}: {[report.to_json() for report in mine if report.broken][:1]}"
        about_holds = name.startswith("hold")
        assert all((report.token_id is None) == about_holds for report in mine if report.broken), name
        difference = next(report.broken for report in mine if report.broken).differences[0]
        assert difference.recorded != difference.found


def _record_log(result: Json, change: Json) -> Json:
    logs = json.loads(json.dumps(result))
    for log in logs:
        if log["topics"][0] == topic(DECISION_RECORDED):
            change(log)
    return logs


def _flip(text: str, at: int) -> str:
    """Change one hex digit of a text; `at` counts from its end where it is negative."""
    position = at % len(text)
    return text[:position] + ("0" if text[position] != "0" else "1") + text[position + 1 :]


FIELDS = (
    "agentId", "sequence", "previousDigest", "blockNumber", "blockHash", "strategyDigest", "modelDigest",
    "featuresDigest", "forecast", "action", "actionDigest", "payloadDigest",
)  # fmt: skip
"""The record's struct, a word each at the beginning of the log's data."""
BYTES = {
    "the payload": ("data", -300),
    **{name: ("data", 2 + 64 * place + 63) for place, name in enumerate(FIELDS)},
    "an action that is none": ("data", 2 + 64 * 9 + 62),
    "the digest's topic": ("topics", 3),
}


@pytest.mark.parametrize("changed", BYTES)
def test_a_byte_of_a_records_log_breaks_integrity(liars: Standing, changed: str) -> None:
    """Every field of the struct, its payload, and the digest it is found by."""
    field, at = BYTES[changed]

    def change(log: dict[str, Json]) -> None:
        if field == "data":
            log["data"] = _flip(log["data"], at)
        else:
            log["topics"][at] = _flip(log["topics"][at], -1)

    def alter(method: str, params: Json, result: Json) -> Json:
        about_audit = method == "eth_getLogs" and params[0]["address"] == [liars.contract]
        return _record_log(result, change) if about_audit else result

    reports = tampered(liars, alter)
    records = [report for report in reports if report.token_id is not None]
    assert records
    assert {report.broken.rung for report in records if report.broken} == {Rung.INTEGRITY}


def test_a_byte_of_an_anchor_breaks_what_stands_under_it(liars: Standing) -> None:
    def alter(method: str, params: Json, result: Json) -> Json:
        if method != "eth_getLogs" or params[0]["address"] != [liars.contract]:
            return result
        logs = json.loads(json.dumps(result))
        for log in logs:
            if log["topics"][0] == topic(DECISIONS_ANCHORED):
                log["data"] = _flip(log["data"], 2 + 64 + 10)
        return logs

    holds = [report for report in tampered(liars, alter) if report.token_id is None]
    assert holds
    assert all(report.broken and report.broken.rung is Rung.DECISION for report in holds)
    assert all(
        report.broken.differences[0].what == "Merkle root of the decisions"
        for report in holds
        if report.broken
    )


def test_a_byte_of_a_pools_log_breaks_the_data(liars: Standing) -> None:
    def alter(method: str, _: Json, result: Json) -> Json:
        if method != "eth_getLogs":
            return result
        logs = json.loads(json.dumps(result))
        swaps = [log for log in logs if log["topics"][0] == topic(SWAP)]
        if not swaps:
            return result
        swaps[0]["data"] = _flip(swaps[0]["data"], 2 + 64 * 4 + 63)  # the tick after it
        return logs

    broken = [report.broken for report in tampered(liars, alter)]
    assert all(finding and finding.rung is Rung.DATA for finding in broken)


def test_a_charter_that_leads_nowhere_is_nobody_elses_trouble(liars: Standing) -> None:
    """Anyone can have a vault, and announce what he likes."""
    nowhere = "0x" + "ab" * 20

    async def both(changed: dict[str, Any]) -> list[Report]:
        async with PatientRpc(liars.url) as rpc:
            them = [liars.agent_id(name) for name in ("honest", "calls")]
            evidence = await read_evidence(rpc, liars.contract, them)
            trails = dict(evidence.trails)
            charter = trails[them[1]].charter
            assert charter is not None
            trails[them[1]] = replace(trails[them[1]], charter=replace(charter, **changed))
            return await verify(rpc, replace(evidence, trails=trails), Means((shipped_folder(),)))

    bad: list[dict[str, Any]] = [
        {"watched": (nowhere,)}, {"watched": ("what",)}, {"opens": 10**9}, {"features": ("nothing",)},
        {"pricing_pool": nowhere}, {"limits": {"max_trade_usd": "many"}}, {"pools": ()}, {"funds": (("what", 1),)},
    ]  # fmt: skip
    for changed in bad:
        reports = asyncio.run(both(changed))
        mine = [report for report in reports if report.agent_id == liars.agent_id("honest")]
        assert len(mine) == BLOCKS, changed
        assert all(report.is_verified for report in mine), changed
        others = [report for report in reports if report not in mine]
        assert others
        assert all("cannot be followed" in report.findings[Rung.DATA - 1].note for report in others), changed


def test_a_byte_of_the_calls_breaks_the_execution(liars: Standing) -> None:
    execute = "0x" + selector(EXECUTE).hex()

    def alter(method: str, _: Json, result: Json) -> Json:
        if method != "eth_getBlockByNumber" or not any(
            isinstance(each, dict) and each["input"].startswith(execute) for each in result["transactions"]
        ):
            return result
        block = json.loads(json.dumps(result))
        for each in block["transactions"]:
            if each["input"].startswith(execute):
                each["input"] = _flip(each["input"], -1 - 64 * 2)  # in the last call's arguments
        return block

    records = [report for report in tampered(liars, alter) if report.token_id is not None]
    assert records
    assert {report.broken.rung for report in records if report.broken} == {Rung.EXECUTION}


def test_a_byte_of_the_models_code_breaks_the_model(liars: Standing) -> None:
    asyncio.run(_spoil_a_model(liars))


async def _spoil_a_model(there: Standing) -> None:
    async with PatientRpc(there.url) as rpc:
        before = await rpc.call("evm_snapshot")
        written = topic("ModelPartWritten(uint256,address,uint256)")
        logs = await rpc.call("eth_getLogs", {"fromBlock": "0x0", "topics": [written]})
        for log in logs:
            chunk = "0x" + log["data"][26:66]
            code = await rpc.call("eth_getCode", chunk, "latest")
            await rpc.call("anvil_setCode", chunk, _flip(code, -2))
        try:
            reports = await _verified(PatientRpc(there.url), there, ("honest",), shipped_folder())
        finally:
            await rpc.call("evm_revert", before)
    record = next(report for report in reports if report.token_id is not None)
    assert record.broken
    assert record.broken.rung is Rung.MODEL
    assert "model digest" in {each.what for each in record.broken.differences}


def test_another_source_or_parameter_breaks_the_decision(liars: Standing, tmp_path: Path) -> None:
    source = (shipped_folder() / "volatility_band.py").read_text()
    (tmp_path / "volatility_band.py").write_text(source.replace("self.sigmas * ", "1.01 * self.sigmas * "))
    records = [report for report in verified(liars, "honest", strategies=tmp_path) if report.token_id]
    assert {report.broken.rung for report in records if report.broken} == {Rung.DECISION}
    difference = records[0].findings[Rung.DECISION - 1].differences[0]
    assert difference.what == "strategy digest"
    (tmp_path / "volatility_band.py").unlink()
    record = next(report for report in verified(liars, "honest", strategies=tmp_path) if report.token_id)
    standings = [finding.standing for finding in record.findings]
    assert standings == [*[Bearing.HOLDS] * 3, Bearing.OPEN, Bearing.OPEN]
    assert "no file in" in record.findings[Rung.DECISION - 1].note


def test_a_parameter_that_is_another_breaks_the_decision(liars: Standing) -> None:
    """In the charter; as announced later, it breaks what was decided since."""

    async def changed(upon: int) -> list[Report]:
        async with PatientRpc(liars.url) as rpc:
            honest = liars.agent_id("honest")
            evidence = await read_evidence(rpc, liars.contract, [honest])
            trail = evidence.trails[honest]
            charter = trail.charter
            assert charter is not None
            parameters = {**charter.parameters, "sigmas": "9.75"}
            if upon:
                other = Amendment(agent_id=honest, upon=upon, parameters=parameters)
                trail = replace(trail, amendments=(other,))
            else:
                trail = replace(trail, charter=replace(charter, parameters=parameters))
            return await verify(rpc, replace(evidence, trails={honest: trail}), Means((shipped_folder(),)))

    reports = asyncio.run(changed(0))
    assert {report.broken.rung for report in reports if report.broken} == {Rung.DECISION}
    assert all(report.broken for report in reports)
    reports = asyncio.run(changed(reports[0].block_number + 1 if reports[0].block_number else 0))
    assert reports[0].is_verified
    assert {report.broken.rung for report in reports if report.broken} == {Rung.DECISION}


def test_one_decision_alone_comes_to_the_same(liars: Standing) -> None:
    async def one(name: str) -> tuple[Evidence, list[Report]]:
        async with PatientRpc(liars.url) as rpc:
            evidence = await read_evidence(rpc, liars.contract)
            agent_id, sequence = locate(evidence, name)
            mine = narrowed(evidence, agent_id)
            until = until_of(mine.trails[agent_id], sequence)
            reports = await verify(rpc, mine, Means((shipped_folder(),)), until=until)
            return mine, [report for report in reports if report.sequence == sequence]

    everything = {report.sequence: report for report in verified(liars, "honest")}
    for sequence in (0, 1, BLOCKS - 1):
        _, (alone,) = asyncio.run(one(f"honest:{sequence}"))
        assert alone.is_verified
        assert alone.digest == everything[sequence].digest
    token: Address | int | None = everything[0].token_id
    _, (alone,) = asyncio.run(one(f"#{token}"))
    assert (alone.sequence, alone.is_verified) == (0, True)


def test_what_is_not_on_the_log_is_said_as_far_as_the_chain_tells(liars: Standing) -> None:
    async def followed() -> Trail:
        async with PatientRpc(liars.url) as rpc:
            evidence = await read_evidence(rpc, liars.contract, [liars.agent_id("honest")])
            return evidence.trails[liars.agent_id("honest")]

    trail = asyncio.run(followed())
    with pytest.raises(NotFoundError, match=f"the last one there is {BLOCKS - 1}") as ahead:
        until_of(trail, BLOCKS)
    assert "with the agent's next anchor" in ahead.value.hint
    digest, record = next(iter(trail.records.items()))
    with pytest.raises(NotFoundError, match=f"reverted in transaction {digest}, and waits for"):
        until_of(replace(trail, records={}, anchors={}), record.decision.sequence)
    with pytest.raises(NotFoundError, match="none of this agent yet"):
        until_of(replace(trail, records={}, anchors={}, submissions=()), 0)
