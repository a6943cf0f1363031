"""How long it takes to verify everything: a thousand records and the holds around them, on the stand-in.

The fleet trades at almost every block, so that there are records; what is timed is what a stranger's
`defai audit verify --all` does, from the first request to the last report, without the start of Python.
"""

import asyncio
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from figures import Figure

from defai.agent.bus import Bus
from defai.agent.ports import PublicWorld
from defai.chain.download.patience import PatientRpc
from defai.config import Settings
from defai.session.session import Session
from defai.session.verification.chapters import Means
from defai.session.verification.evidence import read_evidence
from defai.session.verification.verifier import verify
from defai.strategy.registry import shipped_folder

BUSY = '''
"""Trades in every block, so that there is something to verify."""

from defai.strategy.api import Context, Intent, Strategy, Swap


class Busy(Strategy):
    """Sell a seventh of one token, then of the other."""

    def decide(self, ctx: Context) -> Intent:
        """Trade, always."""
        sold = ctx.numeraire if ctx.block_number % 2 else ctx.base
        zero = ctx.pool.key.token0 == sold
        amount = ctx.balance(sold) // 7
        return Swap(pool=ctx.pool.key.address, zero_for_one=zero, amount_in_raw=amount, reason="trade")
'''
FLEET = """
network.block_time_s = 0
[[agents]]
name = "one"
strategy = "{busy}:Busy"
[[agents]]
name = "two"
strategy = "{busy}:Busy"
[[agents]]
name = "reverter"
strategy = "mean_reversion"
[[agents]]
name = "tiers"
strategy = "fee_tier_arbitrage"
"""


BLOCKS = 600
PROMISED_S = 30.0


def measure() -> list[Figure]:
    """Run the fleet, then verify every decision it took."""
    with tempfile.TemporaryDirectory() as folder:
        seconds, decisions, records = asyncio.run(_measured(Path(folder)))
    return [
        Figure(
            what="verify 1,000 records",
            value=seconds * 1_000 / records,
            unit="s",
            most=PROMISED_S,
            headline=True,
            note=f"{records:,} records and the {decisions - records:,} decisions beside them that moved nothing, all "
            f"five rungs, the EVM's forecast included, in {seconds:.1f} s; from the chain's RPC alone.",
        )
    ]


async def _measured(folder: Path) -> tuple[float, int, int]:
    """Seconds, decisions and records.

    Raises:
        AssertionError: where a decision does not stand on every rung.
    """
    source, fleet = folder / "busy.py", folder / "fleet.toml"
    source.write_text(BUSY, encoding="utf-8")
    fleet.write_text(FLEET.format(busy=source), encoding="utf-8")
    session = Session(Settings.load(fleet, environment={}), Bus(), blocks=BLOCKS)
    result: list[tuple[float, int, int]] = []

    async def afterwards(_: dict[str, Any]) -> None:
        result.append(await _verify_all(session, folder))

    session.afterwards = afterwards
    await session.run()
    return result[0]


async def _verify_all(session: Session, folder: Path) -> tuple[float, int, int]:
    world: object = session.world
    if not isinstance(world, PublicWorld) or session.world is None:
        raise AssertionError(world)
    contract = session.world.audit_log.domain.contract
    started = perf_counter()
    async with PatientRpc(world.rpc_url) as rpc:
        evidence = await read_evidence(rpc, contract)
        reports = await verify(rpc, evidence, Means((shipped_folder(), folder)))
    seconds = perf_counter() - started
    if not all(report.is_verified for report in reports):
        raise AssertionError("a decision does not stand")
    return seconds, len(reports), sum(report.token_id is not None for report in reports)
