"""Fetching long stretches of a chain from nodes that refuse, limit, forget and err."""
