"""Who competes: holding, the whole range, bands of every width left alone or re-centred, one as wide as volatility."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from defai.errors import ConfigError, did_you_mean
from defai.strategy.registry import shipped_folder

WIDTHS: Final = (50, 100, 200, 400, 800, 1_600, 3_200)
"""Half-widths in ticks: from half a percent of the price to a quarter of it."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """A strategy with its parameters, under a name.

    Attributes:
        reference: as `-s` takes it.
        anchors: whether it pays for keeping its decisions: who is measured does, whom it is measured by does not.
    """

    name: str
    reference: str
    parameters: dict[str, Any] = field(default_factory=dict)
    anchors: bool = False


def rivals() -> tuple[Entrant, ...]:
    """Everyone that a strategy is measured by, holding first."""
    return (
        Entrant("hold", _shipped("hold", "HoldTokens")),
        Entrant("full range", _shipped("full_range", "FullRange")),
        *(
            Entrant(f"static ±{width}", _shipped("static_band", "StaticBand"), {"half_width": width})
            for width in WIDTHS
        ),
        *(
            Entrant(f"re-centring ±{width}", _shipped("just_recentre", "JustRecentre"), {"half_width": width})
            for width in WIDTHS
        ),
        Entrant("volatility-scaled", _shipped("volatility_band", "VolatilityBand")),
    )


def chosen_rivals(names: Sequence[str]) -> tuple[Entrant, ...]:
    """Those rivals alone that are named, in the table's order; all where none is.

    Raises:
        ConfigError: where there is none of a name; the hint says which are near.
    """
    known = {one.name: one for one in rivals()}
    for name in names:
        if name not in known:
            hint = did_you_mean(name, list(known)) or f"There are {', '.join(known)}."
            raise ConfigError(f"There is no rival called {name}.", hint)
    return tuple(one for name, one in known.items() if name in names or not names)


def _shipped(file: str, name: str) -> str:
    return f"{shipped_folder() / file}.py:{name}"
