"""What acting costs: the gas, in the numeraire. What a swap costs besides stands on its `Quote`."""

from dataclasses import dataclass

from defai.strategy.gas import estimate_intents


@dataclass(frozen=True, slots=True)
class Costs:
    """What gas costs now, in the numeraire, as floats for arithmetic.

    How much gas is used is an estimate, measured on the stand-in; what a unit of it costs is the block's.

    Attributes:
        gas_usd: cost of the gas of one swap through the vault, its record included.
        rebalance_gas_usd: the same for closing a position, swapping and opening another.
        usd_per_gas: cost of one unit of gas.
    """

    gas_usd: float
    rebalance_gas_usd: float
    usd_per_gas: float

    def gas_of(self, *kinds: type) -> float:
        """Cost of the gas of one transaction that does all of these, its record included: `gas_of(Swap, Swap)`.

        Args:
            kinds: of intents; several are those of a `Batch`. `SwapInPair` stands for a swap in a pair of Uniswap v2.

        Raises:
            KeyError: for what is no single intent.
        """
        return self.usd_per_gas * estimate_intents(kinds)
