"""Which screen stands for which mode: each is imported when somebody goes there, and not for the first paint."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Final

from textual.screen import Screen

from defai.tui import actions

_CLASSES: Final[Mapping[str, str]] = {
    actions.FLEET: "FleetScreen",
    actions.AGENT: "AgentScreen",
    actions.POOL: "PoolScreen",
    actions.DECISIONS: "DecisionsScreen",
    actions.APPROVALS: "ApprovalsScreen",
    actions.MODELS: "ModelsScreen",
    actions.BACKTEST: "BacktestScreen",
    actions.RISK: "RiskScreen",
    actions.LOGS: "LogsScreen",
}
"""A mode's screen stands in the module of the mode's name."""


def screen_class(mode: str) -> type[Screen[None]]:
    """The class of a mode's screen."""
    found: type[Screen[None]] = getattr(import_module(f"defai.tui.screens.{mode}"), _CLASSES[mode])
    return found


def _make(mode: str) -> Screen[None]:
    return screen_class(mode)()


MODES: Final[Mapping[str, Callable[[], Screen[None]]]] = {mode: partial(_make, mode) for mode in _CLASSES}
"""What makes a mode's screen."""
