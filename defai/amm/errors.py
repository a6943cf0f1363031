"""A refusal of the pool, under the name that the contract gives it."""

from typing import Final

from defai.errors import DefaiError

REASONS: Final[dict[str, str]] = {
    "": "The pool refuses: a number doesn't fit where the contract keeps it.",
    "AI": "The pool is initialised already.",
    "AS": "A swap needs an amount other than zero.",
    "BP": "A mean tick needs a period longer than zero seconds.",
    "F0": "The flash loan's token0 came back short of its fee.",
    "F1": "The flash loan's token1 came back short of its fee.",
    "I": "The oracle has no observation: the pool is not initialised.",
    "L": "A flash loan needs liquidity in range.",
    "LA": "Liquidity grows beyond 128 bits.",
    "LO": "The tick would hold more liquidity than the pool allows for one tick.",
    "LOK": "The pool is not initialised, or locked.",
    "LS": "Less liquidity is there than is to be taken away.",
    "NP": "There is no such position to collect fees for.",
    "OLD": "The oracle's memory doesn't reach back that far.",
    "R": "The square-root price lies outside the range that ticks cover.",
    "SPL": "The price limit lies on the wrong side of the pool's price, or outside the range of prices.",
    "T": "The tick lies outside the range of ticks.",
    "TLM": "The lower tick lies below the lowest tick.",
    "TLU": "The lower tick is not below the upper tick.",
    "TUM": "The upper tick lies above the highest tick.",
    "UniswapV2: INSUFFICIENT_INPUT_AMOUNT": "Nothing was paid in.",
    "UniswapV2: INSUFFICIENT_LIQUIDITY": "The pair doesn't hold as much as is to go out.",
    "UniswapV2: INSUFFICIENT_LIQUIDITY_BURNED": "The liquidity is worth less than one unit of a token.",
    "UniswapV2: INSUFFICIENT_LIQUIDITY_MINTED": "The amounts buy no liquidity.",
    "UniswapV2: INSUFFICIENT_OUTPUT_AMOUNT": "A swap has to take something out.",
    "UniswapV2: K": "Too little was paid in for what goes out.",
    "UniswapV2: OVERFLOW": "A reserve would need more than 112 bits.",
    "UniswapV2Library: INSUFFICIENT_INPUT_AMOUNT": "An input has to be more than nothing.",
    "UniswapV2Library: INSUFFICIENT_LIQUIDITY": "The pair has no reserves.",
    "UniswapV2Library: INSUFFICIENT_OUTPUT_AMOUNT": "An output has to be more than nothing.",
    "ds-math-add-overflow": "A sum needs more than 256 bits.",
    "ds-math-mul-overflow": "A product needs more than 256 bits.",
    "ds-math-sub-underflow": "More is to be taken away than is there.",
}
"""The contract's revert reasons that this package can meet, with a sentence for each.

`IIA`, `M0`, `M1` and `TF` are missing on purpose: they say that a caller did not pay or a token did not move, and a
`Pool` keeps no token balances.
"""


class AmmRevert(DefaiError):  # noqa: N818  the EVM's word for it
    """The contract would revert here. The pool is as it was before the call.

    Args:
        reason: the contract's revert reason, such as "SPL"; empty where the contract reverts without one.
        sentence: what is wrong, where more can be said than `REASONS` does.
    """

    def __init__(self, reason: str, sentence: str = "") -> None:
        super().__init__(
            sentence or REASONS[reason], f"The contract reverts with '{reason}'." if reason else ""
        )
        self.reason = reason


class PoolStateError(DefaiError):
    """A state that no pool can be in: a tick off the spacing, a fee of a hundred percent, time running backwards."""
