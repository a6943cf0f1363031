"""The worlds that have to agree, made from one and the same market, and how to ask their own books."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from defai.agent.ports import Seat, World
from defai.chain.codec import encode_call, unhex, unsigned
from defai.chain.mainnet import POOLS, USDC
from defai.domain.tokens import Token
from defai.marketsim.generated_prices import generate
from defai.marketsim.market import Market
from defai.session.history import lapse_shape
from defai.testing.stage import VALUATION, Witness
from defai.testing.world import Suite
from defai.worlds.fork import ForkOptions, ForkWorld
from defai.worlds.seating import SeatRequest
from defai.worlds.sim import SimWorld

BLOCK_SECONDS: Final = 60
SEED: Final = 5


def market(seed: int = SEED, *, attackers: bool = False) -> Market:
    """The people of a demo's market."""
    path = generate(seed, Decimal(2_000), BLOCK_SECONDS)
    shape = lapse_shape(BLOCK_SECONDS, Decimal(5_000_000))
    return Market(seed, path, POOLS, quote=USDC, attackers=attackers, shape=shape)


def sim_world(requests: Sequence[SeatRequest], seed: int = SEED, *, attackers: bool = False) -> SimWorld:
    return SimWorld(market(seed, attackers=attackers), VALUATION, requests)


def fork_world(requests: Sequence[SeatRequest], seed: int = SEED, *, attackers: bool = False) -> ForkWorld:
    def people(existing: Decimal | None) -> Market:
        assert existing is None
        return market(seed, attackers=attackers)

    return ForkWorld(ForkOptions(seed=seed), people, POOLS, VALUATION, requests)


async def _sim_balance(world: World, seat: Seat, token: Token) -> int:
    assert isinstance(world, SimWorld)
    return world._vaults.balances[seat.name].get(token.address, 0)


async def _no_sequence(world: World, seat: Seat) -> None:  # noqa: ARG001  a sim keeps no log of its own
    return None


async def _chain_balance(world: World, seat: Seat, token: Token) -> int:
    assert isinstance(world, ForkWorld)
    assert seat.vault is not None
    return await world.chain.balance(seat.vault, token)


async def _chain_sequence(world: World, seat: Seat) -> int:
    assert isinstance(world, ForkWorld)
    call = {
        "to": world.contracts.audit,
        "data": "0x" + encode_call("agentOf(uint256)", seat.agent_id).hex(),
    }
    answer = await world.chain.rpc.call("eth_call", call, "latest")
    return unsigned(unhex(answer), 1)


SIM: Final = Suite(sim_world, Witness(_sim_balance, _no_sequence))
FORK: Final = Suite(fork_world, Witness(_chain_balance, _chain_sequence))
