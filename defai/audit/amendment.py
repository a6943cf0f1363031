"""An amendment: what of an agent's charter is another from a block on, announced as the charter was.

A model that takes over, parameters that were set anew, a strategy that is not asked while its model has drifted: the
agent's key says so in a transaction to itself, ahead of the first decision that is taken so. Without it a stranger who
decides again would find another decision.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from defai.audit.canonical import canonical_json
from defai.audit.charter import Charter

TAG: Final = b"defai amendment 1\n"
"""How the data of the transaction begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """What changes.

    Attributes:
        agent_id: the agent's number.
        upon: the first block decided upon so.
        model_digest: of the model that forecasts from then on; None where that stays.
        strategy_digest: of the file and the parameters from then on, and `parameters` as in a charter; None where
            they stay.
        holds: the reason with which the agent holds from then on, whatever its strategy wants; empty lets the strategy
            decide again; None where that stays.
    """

    agent_id: int
    upon: int
    model_digest: str | None = None
    strategy_digest: str | None = None
    parameters: Mapping[str, Any] | None = None
    holds: str | None = None

    def encode(self) -> bytes:
        """The data of the transaction: the tag and canonical JSON."""
        return TAG + canonical_json({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def decode(cls, data: bytes) -> "Amendment | None":
        """The amendment in a transaction's data; None where there is none, or none that can be read."""
        if not data.startswith(TAG):
            return None
        try:
            found = cls(**json.loads(data[len(TAG) :]))
        except (ValueError, TypeError):
            return None
        numbers = all(type(number) is int and number >= 0 for number in (found.agent_id, found.upon))
        texts = (found.model_digest, found.strategy_digest, found.holds)
        named = found.parameters is None or isinstance(found.parameters, Mapping)
        return (
            found
            if numbers and named and all(text is None or isinstance(text, str) for text in texts)
            else None
        )

    def amended(self, charter: Charter) -> Charter:
        """The charter as it is from then on."""
        return replace(
            charter,
            model_digest=self.model_digest or charter.model_digest,
            strategy_digest=self.strategy_digest or charter.strategy_digest,
            parameters=charter.parameters if self.parameters is None else self.parameters,
        )
