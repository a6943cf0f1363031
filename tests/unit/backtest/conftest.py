"""A home in which the models of the strategies that come along are there already."""

from tests.homes import home, home_path, models, trained_home

__all__ = ["home", "home_path", "models", "trained_home"]
