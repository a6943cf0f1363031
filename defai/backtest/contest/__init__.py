"""A strategy against the ways to provide liquidity without forecasting, day by day, from shifted starts."""
