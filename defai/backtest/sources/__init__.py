"""Sources of history: what `--source PATH` can be."""
