"""Measure every strategy beside its baselines, and write the tables of docs/strategies.md anew.

Usage: python scripts/measure_strategies.py [WINDOW ...] [--list] [--starts N] [--no-write]

The real data is read from DEFAI_REAL_DATA, or from `shared/data` beside the project. A window is a history, the one
before it that models learn from, and what gas costs; each strategy that can live there does, with the parameters it
comes with. Everything is seeded: the same data and sources give the same tables. One process, one thread a run.
"""

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any, Final

CHECKOUT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = CHECKOUT / "docs" / "strategies.md"
sys.path[:0] = [str(CHECKOUT), str(Path(__file__).resolve().parent)]

from strategy_windows import CHEAP_GWEI, WINDOWS, Window  # noqa: E402  the same

from defai.backtest.figures import figures  # noqa: E402  found once the path above is set
from defai.backtest.ground import Ground  # noqa: E402  the same
from defai.backtest.metrics import mean_and_standard_error  # noqa: E402  the same
from defai.backtest.request import BacktestRequest, open_ground  # noqa: E402  the same
from defai.backtest.runner import BASELINES, run  # noqa: E402  the same
from defai.backtest.starts import Shifts  # noqa: E402  the same
from defai.config import AgentSettings  # noqa: E402  the same
from defai.market.window import Observation  # noqa: E402  the same
from defai.models.trained import TrainedModel  # noqa: E402  the same
from defai.session.training import train_for  # noqa: E402  the same
from defai.strategy.registry import load  # noqa: E402  the same

MONEY: Final = {"USDC": Decimal(10_000), "WETH": Decimal(5)}
LVR_INTERVAL_S: Final = 900
COLUMNS: Final = (
    *("strategy", "ends with", "vs hold", "fees", "LVR", "hedged"),
    *("gas", "trades", "in range", "max DD"),
)


@dataclass(slots=True)
class Row:
    """What came of one strategy.

    Attributes:
        table: figures of the whole window.
        finals: what it ended with from each start.
        cheap: what it ended with beyond hold, with gas at `CHEAP_GWEI`.
        learnt: whether its model beats the baseline; None without a model.
    """

    name: str
    table: Mapping[str, Any]
    finals: list[float] = field(default_factory=list)
    cheap: float | None = None
    learnt: bool | None = None


@dataclass(slots=True)
class Measured:
    """A window with its rows, baselines first."""

    window: Window
    ground: Ground
    rows: dict[str, Row]
    starts: Shifts | None
    seconds: float = 0.0


def real_data() -> Path:
    """Where the real data is."""
    beside = CHECKOUT.parent / "shared" / "data"
    folder = Path(os.environ.get("DEFAI_REAL_DATA", beside))
    if not folder.is_dir():
        raise SystemExit(f"The real data is not at {folder}; DEFAI_REAL_DATA says where it is.")
    return folder


def ground_of(window: Window, timerange: str, data: Path, **changed: Any) -> Ground:  # noqa: ANN401  of the request
    """The history of a window within a time range."""
    around = {**window.gas, **window.around, **changed}
    if around.get("base_fees"):
        around["base_fees"] = data / around["base_fees"]
    return open_ground(
        BacktestRequest(
            strategies=tuple(window.strategies), source=data / window.source, timerange=timerange, **around
        )
    )


async def rows_of(ground: Ground) -> dict[str, list[Observation]]:
    """A row for every block of a history, by pool, as an agent who lives through it sees them."""
    world = ground.make_world(())
    try:
        opening = await world.open()
        market, feed = opening.market, world.feed
        rows: dict[str, list[Observation]] = {key.name: [] for key in ground.keys}
        feed.begin()
        while (arrival := await feed.next()) is not None:
            before = market.head.number
            market.apply(arrival.block)
            for key in ground.keys:
                new = min(market.head.number - before, len(market.windows[key.address]))
                rows[key.name].extend(market.windows[key.address][-new:])
    finally:
        await world.close()
    return rows


def settings_of(name: str, parameters: Mapping[str, Any]) -> AgentSettings:
    """An agent of a strategy with everybody's money and the usual limits."""
    return AgentSettings(
        name=name.replace("_", "-"), strategy=name, parameters=dict(parameters), balances=dict(MONEY)
    )


async def table_of(
    ground: Ground, name: str, parameters: Mapping[str, Any], model: TrainedModel | None
) -> dict[str, Any]:
    """The figures of one run."""
    result = await run(
        ground,
        [settings_of(name, parameters)],
        models=[model],
        baselines=False,
        anchor_every=ground.decisions_a_day,
    )
    return figures(result, LVR_INTERVAL_S)


async def baselines_of(ground: Ground) -> dict[str, dict[str, Any]]:
    """The figures of the baselines."""
    result = await run(ground, [settings_of("hold", {})], anchor_every=ground.decisions_a_day)
    table = figures(result, LVR_INTERVAL_S)
    return {name: table["baselines"][name] for name in BASELINES}


async def models_of(window: Window, data: Path, names: Sequence[str]) -> dict[str, TrainedModel]:
    """Models of the strategies that want one, trained on what the window says."""
    loaded = {name: load(name, window.strategies[name]) for name in names}
    wanting = {name: one for name, one in loaded.items() if one.strategy.target() is not None}
    if not wanting:
        return {}
    other_seed = {"seed": window.around["seed"] + 1} if "seed" in window.around else {}
    rows = await rows_of(ground_of(window, window.learn, data, **other_seed))
    only = {load("hold").strategy.pools()[0]: next(iter(rows.values()))}
    models = {}
    for name, one in wanting.items():
        tell(f"  training {name} on {len(next(iter(rows.values()))):,} rows")
        models[name] = train_for(one, rows if len(rows) > 1 else only, window.learn)
    return models


async def _again(
    measured: "Measured", ground: Ground, models: Mapping[str, TrainedModel]
) -> dict[str, dict[str, Any]]:
    """The figures of everybody on another part of the history, or at another price of gas."""
    found = await baselines_of(ground)
    for name, parameters in measured.window.strategies.items():
        found[name] = await table_of(ground, name, parameters, models.get(name))
    return found


async def measure(window: Window, data: Path, *, starts: int | None = None) -> Measured:
    """Run everything in a window.

    Args:
        window: which.
        data: the folder of real data.
        starts: how many shifted starts, instead of the window's own number.
    """
    began = perf_counter()
    ground = ground_of(window, window.timerange, data)
    models = await models_of(window, data, list(window.strategies))
    count, shift_s = starts or window.starts[0], window.starts[1]
    shifts = Shifts.over(ground, count, shift_s) if count > 1 else None
    done = Measured(window, ground, {}, shifts)
    for name, table in (await _again(done, ground, models)).items():
        done.rows[name] = Row(name, table)
    for name, model in models.items():
        done.rows[name].learnt = model.beats_baseline
    for number, part in enumerate(shifts.grounds(ground) if shifts else (), 1):
        tell(f"  start {number} of {count}")
        for name, table in (await _again(done, part, models)).items():
            done.rows[name].finals.append(table["final_usd"])
    if window.cheaply:
        tell(f"  again at {CHEAP_GWEI} gwei")
        cheap = ground_of(window, window.timerange, data, base_fees=None, gas_gwei=CHEAP_GWEI)
        for name, table in (await _again(done, cheap, models)).items():
            done.rows[name].cheap = table["final_usd"] - table["hodl_usd"]
    done.seconds = perf_counter() - began
    return done


def tables(done: Measured) -> str:
    """A window's table, with what is true of all its rows above it and what models learnt below."""
    window, ground = done.window, done.ground
    heads = list(COLUMNS)
    if done.starts is not None:
        heads += ["vs hold, from all starts", "vs static band, from all starts"]
    if window.cheaply:
        heads.append(f"vs hold, gas at {CHEAP_GWEI} gwei")
    rows = [heads, ["---"] + ["--:"] * (len(heads) - 1)]
    rows += [_cells(row, done) for row in done.rows.values()]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in rows)
    above = f"{ground.kind}: {ground.fidelity}. Gas: {ground.settings['gas_price']}."
    if done.starts is not None:
        days, hours = done.starts.window_s / 86_400, done.starts.shift_s / 3_600
        above += f" Starts: {done.starts.count}, {hours:g} hours apart, each {days:.2g} days long."
    below = "; ".join(
        f"{row.name} {'beats' if row.learnt else 'does not beat'} its baseline"
        for row in done.rows.values()
        if row.learnt is not None
    )
    learnt = f"\n\nModels, trained on {window.learn_words}: {below}." if below else ""
    return f"{above}\n\n{table}{learnt}"


def _cells(row: Row, done: Measured) -> list[str]:
    table = row.table
    cells = [
        row.name
        + "".join(f", {key}={value}" for key, value in done.window.strategies.get(row.name, {}).items()),
        _money(table["final_usd"]),
        _signed(table["final_usd"] - table["hodl_usd"]),
        _money(table["fees_usd"]),
        _money(table["lvr_usd"]),
        _signed(table["hedged_pnl_usd"]),
        _money(table["gas_usd"]),
        str(table["trades"]),
        "" if table["in_range_ratio"] is None else f"{table['in_range_ratio']:.0%}",
        f"{table['max_drawdown']:.1%}",
    ]
    if done.starts is not None:
        cells += [_against(row, done.rows[other]) for other in ("hold", "static_band")]
    if done.window.cheaply:
        cells.append(_signed(row.cheap))
    return cells


def _against(row: Row, other: Row) -> str:
    """Mean difference in what they end with, start by start, and its standard error."""
    if row is other:
        return ""
    apart = mean_and_standard_error([mine - its for mine, its in zip(row.finals, other.finals, strict=True)])
    mean, error = apart or (None, None)
    return _signed(mean) + ("" if error is None else f" ± {error:,.0f}")


def _money(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+,.0f}".replace("-", "−") if round(value) else "0"


def page_with(text: str, name: str, table: str) -> str:
    """The page with one of its tables written anew.

    Raises:
        ValueError: where the page has no place for it.
    """
    place = re.compile(rf"(<!-- measured {name} -->\n).*?(<!-- /measured {name} -->)", re.DOTALL)
    if not place.search(text):
        raise ValueError(f"{PAGE.name} has no <!-- measured {name} --> to write after.")
    return place.sub(lambda found: f"{found[1]}\n{table}\n\n{found[2]}", text)


def tell(text: str) -> None:
    """Say what is going on."""
    print(text, file=sys.stderr, flush=True)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure every strategy beside its baselines.")
    names = [window.name for window in WINDOWS]
    parser.add_argument(
        "windows", nargs="*", metavar="WINDOW", help=f"which: {', '.join(names)}; by default all"
    )
    parser.add_argument("--list", action="store_true", help="say which windows there are")
    parser.add_argument("--starts", type=int, help="shifted starts, instead of each window's own number")
    parser.add_argument("--no-write", action="store_true", help="print the tables, leave the page as it is")
    options = parser.parse_args()
    unknown = [name for name in options.windows if name not in names]
    if unknown:
        parser.error(f"there is no window {', '.join(unknown)}; there are {', '.join(names)}")
    return options


def main() -> int:
    """Measure, print, write."""
    options = parse()
    if options.list:
        print("\n".join(f"{window.name:<14}{window.title}" for window in WINDOWS))
        return 0
    data = real_data()
    for window in WINDOWS:
        if options.windows and window.name not in options.windows:
            continue
        tell(f"measuring {window.name}: {window.title}")
        done = asyncio.run(measure(window, data, starts=options.starts))
        text = tables(done)
        print(text)
        if not options.no_write:
            PAGE.write_text(page_with(PAGE.read_text(encoding="utf-8"), window.name, text), encoding="utf-8")
        tell(f"  {done.seconds:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
