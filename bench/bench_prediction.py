"""One forecast by the walk over integers, against LightGBM itself, on a model of the demo's size."""

from random import Random
from typing import Any, Final

from figures import Figure, seconds_each

from defai.models import lightgbm as trees

FEATURES: Final = 7
SAMPLES: Final = 3_000
ROUNDS: Final = 60
"""The most trees that a model of the demo has."""


def measure() -> list[Figure]:
    """Train once, check that all three agree to the bit, and time them on the same rows."""
    import lightgbm  # noqa: PLC0415  takes a second, and isn't what is measured
    import numpy as np  # noqa: PLC0415  the same
    import pandas as pd  # noqa: PLC0415  the same

    draw = Random(1)  # noqa: S311  numbers to train on, not a secret
    rows = [tuple(draw.randrange(-(1 << 20), 1 << 20) for _ in range(FEATURES)) for _ in range(SAMPLES)]
    labels = [(row[0] - row[1]) * 8 + draw.randrange(1 << 24) for row in rows]
    names = [f"feature_{n}" for n in range(FEATURES)]
    fitted = trees.fit(rows, labels, names=names, parameters={}, rounds=ROUNDS, seed=1)
    booster = lightgbm.Booster(model_str=fitted.text)
    row = rows[0]
    array, frame = np.array([row], dtype=np.float64), pd.DataFrame([row], columns=names, dtype=np.float64)

    def theirs(features: Any) -> float:  # noqa: ANN401  an array or a frame
        return float(booster.predict(features, raw_score=True, num_threads=1)[0])

    said = fitted.ensemble.predict_x24(row) / (1 << 24)
    if not said == theirs(array) == theirs(frame):
        raise AssertionError("all are to give the same forecast")
    ours = seconds_each(lambda: fitted.ensemble.predict_x24(row)) * 1e6
    what = f"one forecast, {ROUNDS} trees of 15 leaves"
    return [
        Figure(
            what=what,
            value=ours,
            unit="µs",
            against="LightGBM, a DataFrame of one row",
            alternative=seconds_each(lambda: theirs(frame)) * 1e6,
            headline=True,
        ),
        Figure(
            what=f"{what} (against numpy)",
            value=ours,
            unit="µs",
            against="LightGBM, an array of one row",
            alternative=seconds_each(lambda: theirs(array)) * 1e6,
            headline=True,
            note="The same forecasts to the bit, on one thread, through LightGBM's Python interface; its C interface "
            "for single rows is not measured.",
        ),
    ]
