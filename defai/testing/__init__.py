"""For authors: markets in memory, a check of one's strategy, a suite for one's world, generated input, a manual clock.

    from defai.testing import check_strategy, context_on, pool_with_liquidity

A name's module is imported when the name is asked for: hypothesis, for one, is needed by nobody who doesn't generate.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from defai.testing.builders import (
        context_on,
        liquidity_event,
        market_of,
        next_block,
        pool_with_liquidity,
        swap_block,
        swap_event,
        vault_on,
    )
    from defai.testing.checking import CheckReport, Finding, check_strategy
    from defai.testing.clock import ManualClock
    from defai.testing.generated import event_sequences, sqrt_prices_x96, ticks
    from defai.testing.histories import generated_history
    from defai.testing.scripted import Scripted
    from defai.testing.world import Suite, Witness, check_world

__all__ = [
    "CheckReport",
    "Finding",
    "ManualClock",
    "Scripted",
    "Suite",
    "Witness",
    "check_strategy",
    "check_world",
    "context_on",
    "event_sequences",
    "generated_history",
    "liquidity_event",
    "market_of",
    "next_block",
    "pool_with_liquidity",
    "sqrt_prices_x96",
    "swap_block",
    "swap_event",
    "ticks",
    "vault_on",
]

_PLACES: Final = {
    "builders": (
        *("context_on", "liquidity_event", "market_of", "next_block", "pool_with_liquidity", "swap_block"),
        *("swap_event", "vault_on"),
    ),
    "checking": ("CheckReport", "Finding", "check_strategy"),
    "clock": ("ManualClock",),
    "generated": ("event_sequences", "sqrt_prices_x96", "ticks"),
    "histories": ("generated_history",),
    "scripted": ("Scripted",),
    "world": ("Suite", "Witness", "check_world"),
}
_MODULE_OF: Final = {name: module for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:  # noqa: ANN401  each name has a type of its own
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
