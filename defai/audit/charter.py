"""A charter: what an agent announces on the chain before its first decision, so that a stranger can decide again.

A record commits to the strategy by digest, to the features by digest; neither says from which block on the agent
looked at the market, within which limits it traded, or what its parameters were. The charter does. It is the data of a
transaction that the agent's key sends to itself: signed like everything else the key sends, and as old as its block.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from defai.audit.canonical import canonical_json
from defai.domain.tokens import Address

TAG: Final = b"defai charter 1\n"
"""How the data of the transaction begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charter:
    """What an agent sets out with.

    Attributes:
        agent_id: its number.
        name: what it is called; part of every payload, and of the seed of its dice.
        strategy: what the strategy is called.
        strategy_class: the class in the strategy's file.
        strategy_digest: of the file and the parameters.
        parameters: as the digest has them: floats as text.
        features: those its model is given, among them the strategy's; without a model the strategy's.
        pools: the pools the strategy looks at, the main one first.
        watched: all pools the agent knows of.
        pricing_pool: the pool whose price says what tokens are worth; `numeraire`: in which of its tokens.
        limits: the guard's limits, by name.
        funds: what the vault held when the agent sat down, by token, in smallest units.
        opens: the market is known from the state after this block on; the block behind it is the first one observed.
        counts_from: gains, and the fall from the highest equity, count from the state after this block on; the block
            behind it is the first one decided upon.
        model_digest: of the model that forecasts; None where there is none.
        registry: the ModelRegistry that has the model; None where it is nowhere.
    """

    agent_id: int
    name: str
    strategy: str
    strategy_class: str
    strategy_digest: str
    parameters: Mapping[str, Any]
    features: tuple[str, ...]
    pools: tuple[Address, ...]
    watched: tuple[Address, ...]
    pricing_pool: Address
    numeraire: Address
    limits: Mapping[str, Any]
    funds: tuple[tuple[Address, int], ...]
    opens: int
    counts_from: int
    model_digest: str | None = None
    registry: Address | None = None

    def encode(self) -> bytes:
        """The data of the transaction: the tag and canonical JSON."""
        content = {name: getattr(self, name) for name in self.__slots__}
        content["funds"] = [[token, str(amount)] for token, amount in self.funds]
        return TAG + canonical_json(content)

    @classmethod
    def decode(cls, data: bytes) -> "Charter | None":
        """The charter in a transaction's data; None where there is none, or none that can be read."""
        if not data.startswith(TAG):
            return None
        try:
            raw = json.loads(data[len(TAG) :])
            lists = {name: tuple(raw[name]) for name in ("features", "pools", "watched")}
            funds = tuple((token, int(amount)) for token, amount in raw["funds"])
            charter = cls(**{**raw, **lists, "funds": funds})
            numbers = (charter.agent_id, charter.opens, charter.counts_from)
        except (ValueError, KeyError, TypeError):
            return None
        return charter if all(type(number) is int and number >= 0 for number in numbers) else None
