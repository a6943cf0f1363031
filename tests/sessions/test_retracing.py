"""Retracing whole fleets: trades, reverts, denials, pauses, errors of authors, and chains that others mine."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from defai.agent.agent import AgentState
from defai.audit.ladder.findings import Report
from defai.chain.download.patience import PatientRpc
from defai.config import Settings
from defai.domain.stream import BlockArrived, StreamEvent
from defai.session.session import Session
from defai.session.verification.chapters import Means
from defai.session.verification.evidence import read_evidence
from defai.session.verification.verifier import verify
from defai.strategy.registry import shipped_folder
from tests.sessions.processes import started
from tests.sessions.standing import Standing, standing
from tests.sessions.test_records import BUSY, settings

pytestmark = pytest.mark.usefixtures("trained_home")

MOODY = '''
from defai.strategy.api import Context, Hold, Intent, Strategy, Swap

class Moody(Strategy):
    """Draws, asks for too much now and then, and breaks in the end."""

    breaks_at: int = 10**9

    def decide(self, ctx: Context) -> Intent:
        if ctx.block_number >= self.breaks_at:
            raise RuntimeError("enough")
        drawn = ctx.rng.random()
        if drawn < 0.6:
            return Hold(reason=f"drew {drawn:.6f}, {len(ctx.pool.history)} blocks seen, {ctx.equity_raw} raw")
        amount = int(ctx.balance(ctx.numeraire) * (2.0 if drawn > 0.9 else 0.1))
        zero = ctx.pool.key.token0 == ctx.numeraire
        return Swap(pool=ctx.pool.key.address, zero_for_one=zero, amount_in_raw=amount, reason="drew")
'''


async def reports_on(there: Standing, *folders: Path) -> list[Report]:
    async with PatientRpc(there.url) as rpc:
        evidence = await read_evidence(rpc, there.contract)
        return await verify(rpc, evidence, Means((shipped_folder(), *folders)))


def assert_all_stand(there: Standing, *folders: Path) -> list[Report]:
    """Every decision that any agent took was found again, and stands."""
    reports = asyncio.run(reports_on(there, *folders))
    broken = [report.to_json() for report in reports if not report.is_verified]
    assert not broken, broken[0]
    taken = {agent.seat.agent_id: agent.decisions["decisions"] for agent in there.session.agents}
    assert Counter(report.agent_id for report in reports) == taken
    return reports


def test_trades_reverts_and_denials_stand(tmp_path: Path) -> None:
    chosen = settings(tmp_path, 7, **{"market.attackers": True})
    with standing(chosen, 40) as there:
        reports = assert_all_stand(there, tmp_path)
    reverted = [report for report in reports if report.token_id is None and report.action != "hold"]
    assert reverted, "the fleet is meant to meet a revert"
    assert "transaction" in reverted[0].findings[-1].note
    assert {report.action for report in reports if report.token_id is not None} >= {"swap", "rebalance"}


def test_pauses_draws_and_an_authors_errors_stand(tmp_path: Path) -> None:
    source, fleet = tmp_path / "moody.py", tmp_path / "fleet.toml"
    source.write_text(MOODY)
    fleet.write_text(
        "anchor_every_blocks = 6\nnetwork.block_time_s = 0\n"
        f'[[agents]]\nname = "one"\nstrategy = "{source}:Moody"\n'
        f'[[agents]]\nname = "two"\nstrategy = "{source}:Moody"\nparameters.breaks_at = 105\n'
        '[[agents]]\nname = "holder"\nstrategy = "hold"\n'
    )

    def pause_now_and_then(session: Session) -> None:
        blocks = 0

        def heard(event: StreamEvent) -> None:
            nonlocal blocks
            if not isinstance(event, BlockArrived):
                return
            blocks += 1
            for agent in session.agents:
                if agent.name != "two" and blocks - 64 in {5, 20}:
                    agent.change_state(AgentState.PAUSED, "for a while")
                elif agent.name != "two" and blocks - 64 in {9, 23}:
                    agent.change_state(AgentState.RUNNING, "again")

        session.bus.tap(heard)

    with standing(Settings.load(fleet, environment={}), 40, meanwhile=pause_now_and_then) as there:
        reports = assert_all_stand(there, tmp_path)
    counted = Counter(report.agent_id for report in reports)
    assert counted[there.agent_id("holder")] == 40 - 7
    assert counted[there.agent_id("two")] < 40


def test_a_fleet_on_somebody_elses_chain_stands(tmp_path: Path) -> None:
    source, fleet = tmp_path / "busy.py", tmp_path / "fleet.toml"
    source.write_text(BUSY)
    arguments = ("chain", "start", "--port", "0", "--block-time", "1", "--json")
    with started(*arguments, cwd=tmp_path) as node:
        assert node.process.stdout is not None
        url = node.process.stdout.readline().split('"url": "')[1].split('"')[0]
        fleet.write_text(
            "anchor_every_blocks = 3\n[market]\nwarm_up_blocks = 3\n[limits]\ntwap_seconds = 0\n"
            f'[network]\nkind = "rpc"\nrpc_url = "{url}"\n'
            f'[[agents]]\nname = "busy"\nstrategy = "{source}:Busy"\nparameters.every = 2\n'
            '[[agents]]\nname = "holder"\nstrategy = "hold"\n'
        )
        with standing(Settings.load(fleet, environment={}), 6) as there:
            reports = assert_all_stand(there, tmp_path)
        node.interrupt()
    assert any(report.token_id is not None for report in reports)
