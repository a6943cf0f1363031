"""What can be forecast, and what came of it: labels, from rows that lie after the row decided upon."""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["volatility", "return", "range_volatility", "net_return", "survival", "fees", "fee_lvr"]

TARGET_CODES: Final[dict[Kind, int]] = {
    "volatility": 1,
    "return": 2,
    "range_volatility": 3,
    "net_return": 4,
    "survival": 5,
    "fees": 6,
    "fee_lvr": 7,
}
"""Kinds of targets as the model's digest knows them. Part of the digest: never reuse one."""
VOLATILITIES: Final = ("volatility", "range_volatility")
_UNITS: Final = {"survival": "probability", "fees": "bps at a fee of 1 %", "fee_lvr": "ratio"}
_PARAMETERS: Final = {
    "net_return": "after costs of {} ticks",
    "survival": "within ±{} ticks",
    "fees": "of a band of ±{} ticks",
    "fee_lvr": "at a fee of {} pips",
}
_PARAMETER_BITS: Final = 16


@dataclass(frozen=True, slots=True)
class Target:
    """What a strategy wants forecast.

    Attributes:
        kind: over the horizon, after the row decided upon,
            "volatility": square root of the summed squared tick moves, in ticks;
            "range_volatility": the same from each row's extreme ticks (Parkinson 1980), in ticks;
            "return": the tick's move, signed;
            "net_return": the move less the parameter, the ticks that entering and leaving cost; 0 where it is smaller;
            "survival": whether no tick leaves the band of the parameter's half-width around the tick now: 0 or 1;
            "fees": fees of a band of the parameter's half-width before the pool's share, in bps of its worth at a fee
            of 1 %, so that they are multiplied by the pool's own in percent;
            "fee_lvr": fees of in-range liquidity over its loss versus rebalancing; the parameter is the fee in pips.
        horizon_blocks: how far ahead; it sets the purge and, unless said otherwise, the embargo.
        parameter: see the kind; below 2**16. 0 where the kind has none.
    """

    kind: Kind
    horizon_blocks: int
    parameter: int = 0

    def __post_init__(self) -> None:
        """Hold the parameter to what the digest has room for.

        Raises:
            ValueError: for a parameter too many, one too few, or one that does not fit.
        """
        if (self.kind in _PARAMETERS) != (self.parameter > 0):
            raise ValueError(
                f"the target {self.kind} takes {'a' if self.kind in _PARAMETERS else 'no'} parameter"
            )
        if self.parameter >> _PARAMETER_BITS or (self.parameter and self.horizon_blocks >> _PARAMETER_BITS):
            raise ValueError("a target's parameter and its horizon have 16 bits each")

    @classmethod
    def of_terms(cls, kind: str, terms: int) -> "Target":
        """The target that a kind and `terms` stand for, as the chain's registry keeps them.

        Raises:
            ValueError: where there is no such target.
        """
        known = next((one for one in TARGET_CODES if one == kind), None)
        if known is None:
            raise ValueError(f"there is no target {kind}")
        if known in _PARAMETERS:
            return cls(known, terms & ((1 << _PARAMETER_BITS) - 1), terms >> _PARAMETER_BITS)
        return cls(known, terms)

    @property
    def terms(self) -> int:
        """Horizon and parameter as one number, which is the horizon alone where there is no parameter."""
        return self.parameter << _PARAMETER_BITS | self.horizon_blocks

    @property
    def is_positive(self) -> bool:
        """Whether it is never below 0."""
        return self.kind not in {"return", "net_return"}

    @property
    def unit(self) -> str:
        """What a forecast of one stands for."""
        return _UNITS.get(self.kind, "ticks")

    @property
    def name(self) -> str:
        """The target in words: "volatility of the next 12 blocks"."""
        said = f"{self.kind.replace('_', ' ')} of the next {self.horizon_blocks} blocks"
        return f"{said} {_PARAMETERS[self.kind].format(self.parameter)}" if self.parameter else said
