"""The other people in the market: arbitrageurs, noise traders, liquidity providers, attackers.

Pure: a `Market` looks at the pools' states and says what its people do in the next block; worlds carry it out, on the
in-memory pool or as transactions. The only input or output is reading a file of prices.
"""
