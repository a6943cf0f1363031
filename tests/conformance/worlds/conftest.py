"""Every test here runs in a home of its own."""

from tests.homes import home, home_path

__all__ = ["home", "home_path"]
