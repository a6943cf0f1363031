"""What a strategy acts for: an edge, of which is known whether it may be nothing."""

from dataclasses import dataclass
from typing import Final

from defai.domain.decisions import Forecast
from defai.models.targets import Target

GAINS: Final = frozenset({"return", "net_return", "fees", "fee_lvr"})
"""Kinds of forecasts that are themselves of a gain. One of volatility or of survival says how large to be, not why."""


@dataclass(frozen=True, slots=True)
class Edge:
    """What acting is expected to gain. Where its interval is not above zero, the agent stays flat.

    Attributes:
        name: what is gained, in words: "the gain of its model over its baseline".
        is_above_zero: whether all of its interval is.
        interval: in words; empty where none is known.
    """

    name: str
    is_above_zero: bool
    interval: str = ""

    @classmethod
    def between(cls, name: str, low: float, high: float, unit: str) -> "Edge":
        """An edge with the ends of its interval, which a strategy works out of what it sees."""
        return cls(name, low > 0, f"{low:.4g} .. {high:.4g} {unit}")

    @property
    def doubt(self) -> str:
        """Why nothing is to be done for it, in words."""
        within = f", {self.interval}" if self.interval else ""
        return f"{self.name} may be nothing{within}"


def model_edge(target: Target | None, forecast: Forecast | None) -> Edge | None:
    """The edge of whoever acts on a model's forecast: that the model has beaten its baseline out of sample.

    Args:
        target: what is forecast; None for nothing.
        forecast: None for none yet.

    Returns:
        None where the forecast is not of a gain, or is not there.
    """
    if target is None or forecast is None or target.kind not in GAINS:
        return None
    return Edge("the gain of its model over its baseline", bool(forecast.beats_baseline))
