"""Many backtests at once: grids, and searches, over parameters and windows, on the workers of a dask cluster."""
