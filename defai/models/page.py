"""A model's card as one HTML file with everything in it: it opens without a network."""

import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files

import numpy as np

from defai.models.card import ModelCard
from defai.models.metrics import TICK_FLOOR
from defai.models.targets import VOLATILITIES
from defai.models.verdicts import outcomes, said
from defai.models.walking import Study

_POINTS = 600


def page(card: ModelCard, done: Study | None = None) -> str:
    """The page.

    Args:
        card: what it shows.
        done: the walk forward it comes from; with it the page plots forecasts and outcomes too.
    """
    from plotly.offline import get_plotlyjs  # noqa: PLC0415  heavy, and only pages want it

    content = {
        "card": card.to_json(),
        "name": card.target.name,
        "unit": card.target.unit,
        "walk": _walk(done),
    }
    template = (files("defai.models") / "card.html").read_text(encoding="utf-8")
    head, body = template.replace("__TITLE__", escape(f"{card.target.name} – model card")).split("__PLOTLY__")
    shown = json.dumps(content, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    library: str = get_plotlyjs()
    return head + library + body.replace("__CARD__", shown)


def _walk(done: Study | None) -> dict[str, list[float]] | None:
    """Forecasts and outcomes over time, thinned to a few hundred points, and mean outcomes by tenth of the forecast."""
    if done is None:
        return None
    outcome, forecast = outcomes(done.panel, done.walked), said(done.walked)["model"]
    times = np.concatenate([done.panel.timestamps[one.fold.test] for one in done.walked])
    step = max(len(times) // _POINTS, 1)
    order = np.array_split(np.argsort(forecast, kind="stable"), 10)
    squared = done.panel.target.kind in VOLATILITIES
    return {
        "times": times[::step].tolist(),
        "forecast": _rounded(forecast[::step]),
        "outcome": _rounded(outcome[::step]),
        "tenth_forecast": _rounded([_level(forecast[part], squared=squared) for part in order]),
        "tenth_outcome": _rounded([_level(outcome[part], squared=squared) for part in order]),
    }


def _level(values: np.typing.NDArray[np.float64], *, squared: bool) -> float:
    """A mean; of volatilities that of the variances, which is what is forecast."""
    if not len(values):
        return 0.0
    return float(np.sqrt((np.maximum(values, TICK_FLOOR) ** 2).mean())) if squared else float(values.mean())


def _rounded(values: Sequence[float] | np.typing.NDArray[np.float64]) -> list[float]:
    return [float(f"{value:.5g}") for value in values]
