"""Limits, and the guard that measures every plan against them."""
