"""Readers of the documentation have a home of their own, in which the models are there already."""

from tests.homes import home, home_path, models, trained_home

__all__ = ["home", "home_path", "models", "trained_home"]
