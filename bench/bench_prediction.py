"""One forecast by the compiled walk over integers, against LightGBM's own ways to forecast one row.

Every row of 100,000 is held against `Booster.predict(raw_score=True)` before anything is timed.
"""

import ctypes
from collections.abc import Callable
from importlib import import_module
from random import Random
from typing import Any, Final

from figures import Figure, seconds_each

from defai.models import lightgbm as trees
from defai.models.ensemble import Ensemble

FEATURES: Final = 12
SAMPLES: Final = 6_000
ROWS: Final = 100_000
TREES: Final = 200
LEAVES: Final = 31
CYCLED: Final = 1_000
"""Rows that are forecast in turn: the processor can't learn the way through the trees by heart."""
MOST_US: Final = 10.0


def measure() -> list[Figure]:
    """Train once, check that all agree to the bit, and time them on the same rows."""
    import lightgbm  # noqa: PLC0415  takes a second, and isn't what is measured
    import numpy as np  # noqa: PLC0415  the same
    import pandas as pd  # noqa: PLC0415  the same

    fitted = trained()
    names = [f"feature_{n}" for n in range(FEATURES)]
    booster = lightgbm.Booster(model_str=fitted.text)
    array = drawn(ROWS)
    rows = [tuple(row) for row in array.tolist()]
    if not fitted.ensemble.compile():
        raise AssertionError("nothing can be compiled here")
    _check(fitted.ensemble, fitted.text, rows)
    some = array[:CYCLED].astype(np.float64)
    frames = [pd.DataFrame([row], columns=names, dtype=np.float64) for row in rows[:CYCLED]]
    arrays = [row.reshape(1, -1) for row in some]
    quick = single_row_fast(booster, some)
    scores = booster.predict(some, raw_score=True, num_threads=1)
    if [quick(at) for at in range(CYCLED)] != np.asarray(scores).tolist():
        raise AssertionError("LightGBM's C interface is to give the same forecasts")

    def theirs(features: Any) -> float:  # noqa: ANN401  an array or a frame
        return float(booster.predict(features, raw_score=True, num_threads=1)[0])

    ours = _each_us(lambda at: fitted.ensemble.predict_x24(rows[at]))
    return _figures(
        ours,
        _each_us(lambda at: theirs(frames[at])),
        _each_us(lambda at: theirs(arrays[at])),
        _each_us(quick),
        _each_us(lambda at: fitted.ensemble.sum_x24(rows[at])),
    )


def _figures(ours: float, by_frame: float, by_array: float, by_c: float, in_python: float) -> list[Figure]:
    """All in microseconds."""
    what = f"one forecast, {TREES} trees of {LEAVES} leaves"
    note = f"The same to the bit on {ROWS:,} rows, one thread; {CYCLED:,} rows in turn, each a tuple of integers."
    note += " The best of five medians, on every side: what else runs is not measured."
    return [
        Figure(
            what=what,
            value=ours,
            unit="µs",
            against="LightGBM, a DataFrame of one row",
            alternative=by_frame,
            most=MOST_US,
            headline=True,
            note=note,
        ),
        Figure(
            what=f"{what} (against numpy)",
            value=ours,
            unit="µs",
            against="LightGBM, an array of one row",
            alternative=by_array,
        ),
        Figure(
            what=f"{what} (against C)",
            value=ours,
            unit="µs",
            against="LightGBM, its C interface for single rows",
            alternative=by_c,
            headline=True,
            note="Called through ctypes on rows that are float64 already, its configuration parsed beforehand.",
        ),
        Figure(
            what=f"{what}, in Python",
            value=in_python,
            unit="µs",
            note="What agents use until they have forecast so much that loading a compiler has paid.",
        ),
    ]


def trained() -> trees.Fitted:
    """An ensemble of exactly so many trees of exactly so many leaves."""
    rows = drawn(SAMPLES, seed=1).tolist()
    draw = Random(1)  # noqa: S311  numbers to train on, not a secret
    labels = [(row[0] - row[1]) * 8 + abs(row[2]) * 4 + draw.randrange(1 << 24) for row in rows]
    names = [f"feature_{n}" for n in range(FEATURES)]
    shape = {"num_leaves": LEAVES, "min_data_in_leaf": 5}
    fitted = trees.fit(rows, labels, names=names, parameters=shape, rounds=TREES, seed=1)
    if len(fitted.ensemble.trees) != TREES or {len(tree.leaf_x24) for tree in fitted.ensemble.trees} != {
        LEAVES
    }:
        raise AssertionError("the ensemble is smaller than it should be")
    return fitted


def drawn(count: int, seed: int = 2) -> Any:  # noqa: ANN401  numpy is imported on use
    """Rows of integer features, shape (count, FEATURES)."""
    import numpy as np  # noqa: PLC0415  as in `measure`

    return np.random.default_rng(seed).integers(-(1 << 20), 1 << 20, (count, FEATURES))


def single_row_fast(booster: Any, rows: Any) -> Callable[[int], float]:  # noqa: ANN401  lightgbm has no types
    """LightGBM's `LGBM_BoosterPredictForMatSingleRowFast` on a row of these, by its number.

    Args:
        booster: the booster; it has to outlive the answer.
        rows: shape (n, FEATURES), float64.
    """
    library = import_module("lightgbm.basic")._LIB  # noqa: SLF001  the package has no public door to this

    fast = ctypes.c_void_p()
    raw_score, float64 = ctypes.c_int(1), ctypes.c_int(1)
    made = library.LGBM_BoosterPredictForMatSingleRowFastInit(
        booster._handle,  # noqa: SLF001  the same
        *(raw_score, ctypes.c_int(0), ctypes.c_int(0), float64, ctypes.c_int32(FEATURES)),
        *(ctypes.c_char_p(b"num_threads=1"), ctypes.byref(fast)),
    )
    if made != 0:
        raise AssertionError("LightGBM has no configuration for single rows")
    length, answer = ctypes.c_int64(), ctypes.c_double()
    length_at, answer_at = ctypes.byref(length), ctypes.byref(answer)
    places = [ctypes.c_void_p(row.ctypes.data) for row in rows]
    call = library.LGBM_BoosterPredictForMatSingleRowFast

    def predict(at: int) -> float:
        call(fast, places[at], length_at, answer_at)
        return answer.value

    return predict


def _check(ensemble: Ensemble, text: str, rows: list[tuple[int, ...]]) -> None:
    ours = [ensemble.predict_x24(row) for row in rows]
    if ours != trees.predict_with_booster(text, rows):
        raise AssertionError("the walk and LightGBM are to give the same forecasts")
    if ours[:CYCLED] != [ensemble.sum_x24(row) for row in rows[:CYCLED]]:
        raise AssertionError("the walk is to be the same compiled and in Python")


def _each_us(forecast: Callable[[int], object]) -> float:
    def all_of_them() -> None:
        for at in range(CYCLED):
            forecast(at)

    return min(seconds_each(all_of_them, at_least_s=0.1, rounds=3) for _ in range(5)) / CYCLED * 1e6
