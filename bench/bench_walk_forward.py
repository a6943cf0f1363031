"""Forecasts on real data: hourly ether trained to 2021 and tested on 2022, minute bars, and how long training takes."""

import calendar
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from figures import Figure

if TYPE_CHECKING:
    from defai.backtest.sources.histories import TrainingSource
    from defai.models.study import Design
    from defai.models.targets import Kind

HOURLY: Final = "ohlcv/binance_ETHUSDT_1h_2017-08_2022-12.parquet"
MINUTES: Final = "univ3_minute"
MINUTE_DAYS: Final = ("2022-07-19", "2022-08-15")
ROUNDS: Final = {1: 700, 24: 160}
"""Trees by horizon in hours: chosen with the rest of the configuration, as `docs/models.md` says among how many."""
MONTH_H: Final = 730.0
"""How long a model of the next hour serves until the next one, in hours; its baselines are fitted anew with it."""
LEAK_SHARE: Final = 0.12
"""More than this over strong HAR at 24 hours would be too good to be true."""


def measure() -> list[Figure]:
    """Everything; unmeasured where the real data is not there."""
    folder = real_data()
    if folder is None:
        return [
            Figure(what="forecasts on real data", value=float("nan"), unit="%", note="No real data here.")
        ]
    return [*hourly(folder), *minutes(folder)]


def real_data() -> Path | None:
    """Where the real data is: DEFAI_REAL_DATA, or `shared/data` beside the project."""
    beside = Path(__file__).parents[1].parent / "shared" / "data"
    folder = Path(os.environ.get("DEFAI_REAL_DATA", beside))
    return folder if folder.is_dir() else None


def hourly(folder: Path) -> list[Figure]:
    """Variance of the next hour and the next 24, by ranges and by squared moves, tested on 2022.

    The next hour's by models of a month each, as live retraining makes them, and by one for the whole year.
    """
    from defai.backtest.sources.histories import read_training_source  # noqa: PLC0415  seconds, measured apart
    from defai.models.study import Design  # noqa: PLC0415  the same

    source = read_training_source(folder / HOURLY)
    figures = []
    for horizon, rounds in ROUNDS.items():
        once = Design(
            folds=1,
            test_from=calendar.timegm((2022, 1, 1, 0, 0, 0)),
            rounds=rounds,
            fixed_rounds=True,
            bands=False,
        )
        designs = {"": once}
        if horizon == 1:
            designs = {", anew each month": replace(once, live_retrain_hours=MONTH_H), ", trained once": once}
        for kind, measured in (("range_volatility", "ranges"), ("volatility", "squared moves")):
            for how, design in designs.items():
                if kind == "volatility" and design.live_retrain_hours:
                    continue  # the trees are those of ranges; another half minute
                what = f"ETH 2022, next {horizon} h by {measured}{how}"
                figures += gains(source, kind, horizon, design, what)
    return figures


def minutes(folder: Path) -> list[Figure]:
    """The next hour's variance on minute bars, tested on the last week; the table's time, and twelve folds'."""
    from defai.backtest.sources.histories import read_training_source  # noqa: PLC0415  the same
    from defai.models.panel import make_panel  # noqa: PLC0415  the same
    from defai.models.presets import default_features  # noqa: PLC0415  the same
    from defai.models.study import Design, walk  # noqa: PLC0415  the same
    from defai.models.targets import Target  # noqa: PLC0415  the same

    days = [
        path
        for path in sorted((folder / MINUTES).rglob("*.minute.csv"))
        if MINUTE_DAYS[0] <= path.name.split(".")[0][-10:] <= MINUTE_DAYS[1]
    ]
    with tempfile.TemporaryDirectory() as place:
        for path in days:
            (Path(place) / path.name).symlink_to(path)
        started = time.perf_counter()
        source = read_training_source(Path(place))
        target = Target("range_volatility", 60)
        names = default_features(target, source.step_s, pool=True)
        panel = make_panel(source.histories, feature_names=names, target=target)
        table_s = time.perf_counter() - started
    started = time.perf_counter()
    walk(panel, Design(folds=12, rounds=100))
    folds_s = time.perf_counter() - started
    design = Design(folds=1, test_from=calendar.timegm((2022, 8, 9, 0, 0, 0)), rounds=150)
    what = f"{len(days)} days of minute bars"
    return [
        *gains(source, "range_volatility", 60, design, "minute bars, next hour"),
        Figure(what=f"training table of {what}", value=table_s, unit="s", most=20, note="Reading included."),
        Figure(what=f"walk-forward of 12 folds on {what}", value=folds_s, unit="s", most=60),
    ]


def gains(source: "TrainingSource", kind: "Kind", horizon: int, design: "Design", what: str) -> list[Figure]:
    """How much less QLIKE the model has than each baseline, with the interval in the note."""
    from defai.models import verdicts  # noqa: PLC0415  the same
    from defai.models.presets import default_features  # noqa: PLC0415  the same
    from defai.models.targets import Target  # noqa: PLC0415  the same
    from defai.models.walking import study  # noqa: PLC0415  the same

    target = Target(kind, horizon)
    names = default_features(target, source.step_s, pool=source.pool)
    done = study(source.histories, feature_names=names, target=target, design=design)
    found = []
    for one in verdicts.comparisons(done.panel, done.walked, design.seed):
        if one.share is None or one.share_low is None or one.share_high is None:
            continue
        leak = one.baseline == "strong HAR" and horizon == 24 and one.share > LEAK_SHARE
        found.append(
            Figure(
                what=f"{what}: less QLIKE than {one.baseline}",
                value=one.share * 100,
                unit="%",
                rate=True,
                note=f"95 %: {one.share_low:.1%} .. {one.share_high:.1%}"
                + (" Look for a leak." if leak else ""),
            )
        )
    return found


def main(figures: Sequence[Figure]) -> None:
    """Print them."""
    for figure in figures:
        print(f"{figure.what:<78} {figure.value:8.2f} {figure.unit:<3} {figure.note}")


if __name__ == "__main__":
    main(measure())
