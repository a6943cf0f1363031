"""The features that come with the program. All are integers; ratios and roots carry fractional bits.

A tick is a step of the logarithm of the price (base 1.0001), so a return is a difference of ticks and a
realised variance a sum of squared ones; nothing has to be divided or rounded until a root is taken.
"""

from defai.features.arithmetic import RATIO_BITS, ratio_x16
from defai.features.library import clock, flow, liquidity, pools, prices, quantities
from defai.features.library.quantities import squared_move, squared_range, swap_count

__all__ = [
    "RATIO_BITS",
    "clock",
    "flow",
    "liquidity",
    "pools",
    "prices",
    "quantities",
    "ratio_x16",
    "squared_move",
    "squared_range",
    "swap_count",
]
