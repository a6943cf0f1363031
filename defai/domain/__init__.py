"""Frozen records: what the floors above say to each other."""
