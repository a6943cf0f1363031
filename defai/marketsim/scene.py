"""What an actor sees when it acts: one block's reference, costs, and the pools as the actors before it leave them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from defai.amm import Pool
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.marketsim.actions import MarketAction
from defai.marketsim.draws import Draws
from defai.marketsim.reference import Reference


@dataclass(frozen=True, slots=True)
class Scene:
    """One block as an actor sees it.

    Attributes:
        seconds: time since the block before.
        keys: the market's pools that are initialised.
        pools: copies of their states by address; every action is carried out on them before the next is asked for.
    """

    block_index: int
    seconds: int
    reference: Reference
    base_fee_wei: int
    keys: tuple[PoolKey, ...]
    pools: Mapping[Address, Pool]


class Actor(Protocol):
    """Someone in the market."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names it acts under; a world funds an account for each."""
        ...

    def act(self, scene: Scene, draws: Draws) -> Iterator[MarketAction]:
        """What it does in this block, one action after the other."""
        ...
