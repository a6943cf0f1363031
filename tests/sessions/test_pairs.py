"""A pair of Uniswap v2 beside a v3 pool: traded through the vault, the same in memory, decided again from the chain."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from defai.agent.bus import Bus
from defai.agent.ports import World
from defai.audit.ladder.findings import Report
from defai.chain.download.patience import PatientRpc
from defai.config import Settings
from defai.domain.tokens import Address
from defai.market.valuation import Valuation
from defai.session.choice import build_parity
from defai.session.session import Session
from defai.session.verification.chapters import Means
from defai.session.verification.evidence import read_evidence
from defai.session.verification.verifier import verify
from defai.worlds.kept import Kept
from defai.worlds.seating import SeatRequest
from defai.worlds.shadow import ShadowedWorld
from tests.sessions.standing import standing

BLOCKS = 14
RETURNING = '''
from defai.strategy.api import Batch, Context, Hold, Intent, Strategy


class Returning(Strategy):
    """Buy in the pair, see in the outcome what came of it, and sell just that in the pool and the pair in turns."""

    api_version = 1

    def pools(self) -> tuple[str, ...]:
        return ("USDC/WETH 0.05 %", "USDC/WETH v2")

    def decide(self, ctx: Context) -> Intent:
        pool, pair = ctx.pools
        if not ctx.outcomes:
            return ctx.swap(ctx.numeraire, 900 * 10**6, pool=pair, reason="the first")
        last = ctx.outcomes[-1]
        if last.block_number != ctx.block_number:
            return Hold(reason=f"waits after {len(ctx.outcomes)} outcomes")
        got = last.delta(ctx.base)
        if got <= 0:
            return ctx.swap(ctx.numeraire, -last.delta(ctx.base) // 10**9, pool=pair, reason=f"got {got}")
        half = ctx.swap(ctx.base, got // 2, pool=pool, reason="half of what came")
        rest = ctx.swap(ctx.base, got - got // 2, pool=pair, reason="the rest")
        return Batch(intents=(half, rest), reason=f"sells the {got} that came, at {pair.tick}")
'''
FLEET = """
anchor_every_blocks = 4
network.block_time_s = 0
market.warm_up_blocks = 6

[[agents]]
name = "returning"
strategy = "{file}:Returning"

[[agents]]
name = "arbitrage"
strategy = "v2_v3_arbitrage"
parameters = {{ edge_usd = 0.0, safety = 0.0 }}
"""


def fleet(folder: Path) -> Settings:
    (folder / "mine").mkdir()
    file = folder / "mine" / "returning.py"
    file.write_text(RETURNING)
    path = folder / "fleet.toml"
    path.write_text(FLEET.format(file=file))
    return Settings.load(path, {"market.seed": 7}, environment={})


def test_what_was_swapped_in_a_pair_and_upon_outcomes_is_decided_again(tmp_path: Path) -> None:
    with standing(fleet(tmp_path), BLOCKS) as there:
        agent = next(one for one in there.session.agents if one.name == "returning")
        reports = asyncio.run(verified(there.url, there.contract, agent.seat.agent_id, tmp_path / "mine"))
    assert agent.decisions["trades"] >= 6
    assert [report.sequence for report in reports] == list(range(BLOCKS))
    assert all(report.is_verified for report in reports), [str(r) for r in reports if not r.is_verified][:1]


async def verified(url: str, contract: Address, agent_id: int, folder: Path) -> list[Report]:
    async with PatientRpc(url) as rpc:
        evidence = await read_evidence(rpc, contract, [agent_id])
        return await verify(rpc, evidence, Means((folder,)))


async def test_a_pair_is_the_same_in_memory_and_on_the_chain(tmp_path: Path) -> None:
    worlds: list[ShadowedWorld] = []

    def build(
        settings: Settings,
        requests: Sequence[SeatRequest],
        valuation: Valuation,
        warn: Callable[[str], None],
        kept: Kept | None = None,
    ) -> World:
        worlds.append(build_parity(settings, requests, valuation, warn, kept))
        return worlds[-1]

    summary = await Session(fleet(tmp_path), Bus(), blocks=BLOCKS, build=build).run()
    agreed = worlds[0].agreement
    assert agreed.pool_states == 3 * (agreed.blocks + 1)
    assert summary["agents"][0]["trades"] >= 6
    agreed.require_gas_estimates()
