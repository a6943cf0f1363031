"""Every test here runs in a home of its own."""

from tests.homes import home

__all__ = ["home"]
