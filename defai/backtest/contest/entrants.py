"""Who competes: holding, the whole range, bands of every width left alone or re-centred, one as wide as volatility."""

from dataclasses import dataclass, field
from typing import Any, Final

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


def _shipped(file: str, name: str) -> str:
    return f"{shipped_folder() / file}.py:{name}"
