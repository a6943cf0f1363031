"""Hypothesis for everyone: the same examples every time, and no clock, since the machine may be busy."""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
