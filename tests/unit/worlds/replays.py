"""Short lives of a sim world, written down as histories that a replay can start from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from defai.agent.agent import Agent
from defai.agent.ports import Opening, Settlement, Submission, World
from defai.amm import Pool
from defai.chain.mainnet import USDC, USDC_WETH_005
from defai.config import AgentSettings
from defai.domain.chain_events import Block, PoolEvent, PoolSwapped
from defai.market.state import MarketState
from defai.market.valuation import Valuation
from defai.marketsim.generated_prices import generate
from defai.marketsim.market import Market, MarketShape
from defai.session.fleet import Member, build_agents, seat_requests
from defai.strategy.registry import load
from defai.worlds.audit_logs import MemoryAuditLog
from defai.worlds.carrying_out import Till
from defai.worlds.event_history import EventHistory, follow
from defai.worlds.replay import Flow, ReplayWorld
from defai.worlds.sim import SimWorld
from defai.worlds.vaults import Vaults

VALUATION = Valuation(USDC_WETH_005, USDC)
TOKENS = {token.symbol: token for token in (USDC_WETH_005.token0, USDC_WETH_005.token1)}


@dataclass(frozen=True)
class Lived:
    """A sim world's life: its blocks as they were, and its pool at the end."""

    opening: Pool
    head: Block
    blocks: tuple[Block, ...]
    end: Pool
    agents: list[Agent]
    audit_log: MemoryAuditLog
    ours: set[int]

    def history(self) -> EventHistory:
        """The life as a history from which what the agents did is left out.

        The call behind each swap is found with everyone in the pool, as it was.
        """
        calls = follow({USDC_WETH_005.address: self.opening}, self.blocks)
        swaps = [event for block in self.blocks for event in block.events if isinstance(event, PoolSwapped)]
        kept = tuple(call for call, swap in zip(calls, swaps, strict=True) if id(swap) not in self.ours)
        blocks = tuple(
            replace(block, events=tuple(event for event in block.events if id(event) not in self.ours))
            for block in self.blocks
        )
        return EventHistory(
            keys=(USDC_WETH_005,),
            chain_id=0,
            head=self.head,
            opening={USDC_WETH_005.address: self.opening},
            blocks=blocks,
            calls=kept,
            reconstructed=False,
            priced_gas=True,
            fidelity="exact",
            sha256="0x",
            source="a sim world",
        )


class NotingTill(Till):
    """Remembers which events were the agents'."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[PoolEvent] = []

    def carry_out(
        self,
        vaults: Vaults,
        submission: Submission,
        block: tuple[int, int],
        gas_wei: int,
        valuation: Valuation,
    ) -> tuple[Settlement, list[PoolEvent]]:
        settlement, events = super().carry_out(vaults, submission, block, gas_wei, valuation)
        self.events += events
        return settlement, events


def settings(strategy: str, usd: int = 20_000, **parameters: object) -> AgentSettings:
    return AgentSettings(name="lp", strategy=strategy, usd=Decimal(usd), parameters=parameters)


async def live(blocks: int, *fleet: AgentSettings, seed: int = 3) -> Lived:
    """Let a market live, agents of ours in it."""
    people = Market(
        seed,
        generate(seed, Decimal(2_000), 60),
        (USDC_WETH_005,),
        quote=USDC,
        shape=MarketShape(swaps_an_hour=400),
    )
    world = SimWorld(people, VALUATION, seat_requests(members_of(fleet), TOKENS, USDC))
    world.till = till = NotingTill()
    opening = await world.open()
    market = opening.market
    begun, head = market.pools[USDC_WETH_005.address].copy(), market.head
    agents = seated(world, opening, fleet)
    lived = tuple([await step(world, market, agents) for _ in range(blocks)])
    ours = {id(event) for event in till.events}
    return Lived(begun, head, lived, market.pools[USDC_WETH_005.address], agents, world.audit_log, ours)


async def live_again(
    history: EventHistory, *fleet: AgentSettings, flow: Flow = Flow.AMOUNTS
) -> tuple[ReplayWorld, MarketState, list[Agent]]:
    """Replay a history to its end, agents of ours in it."""
    world = ReplayWorld(history, VALUATION, seat_requests(members_of(fleet), TOKENS, USDC), flow=flow)
    opening = await world.open()
    agents = seated(world, opening, fleet)
    for _ in history.blocks:
        await step(world, opening.market, agents)
    return world, opening.market, agents


def members_of(fleet: Sequence[AgentSettings]) -> list[Member]:
    return [Member(one, load(one.strategy, one.parameters), (USDC_WETH_005,)) for one in fleet]


def seated(world: World, opening: Opening, fleet: Sequence[AgentSettings]) -> list[Agent]:
    return build_agents(members_of(fleet), [None] * len(fleet), world, opening, VALUATION, None, 16)


async def step(world: World, market: MarketState, agents: Sequence[Agent]) -> Block:
    """One block, and everyone's step upon it."""
    arrival = await world.feed.next()
    assert arrival is not None
    market.apply(arrival.block)
    for agent in agents:
        await agent.step(0.0)
    return arrival.block
