"""A year of minute bars with a strategy called at every bar, beside zelos-demeter 1.3.0.

Both provide one band of a thousand ticks to either side from the first bar on, and are called at every bar. The bars
are one series, from a seed, written as demeter-fetch writes them. zelos-demeter is given its first two weeks, for a
year takes it minutes; nothing it does grows with their number. Time gone by, the best of some rounds on either side,
since a machine may be busy; imports, reading files and making reports not included. The peak is that of a process that
reads, runs and reports.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench_crossover import write_bars
from figures import Figure
from peers import Answer, answer_of

from defai.testing.bars import walking_bars

PEER: Final = "zelos-demeter==1.3.0"
DAYS: Final = 365
PEER_DAYS: Final = 14
MINUTES: Final = 1_440
SEED: Final = 11
HALF_WIDTH: Final = 1_000
TIMES_DEMETER: Final = 100.0
MOST_MEGABYTES: Final = 300.0
ROUNDS: Final = 4
FEW: Final = "20220719-20220719"
POOL: Final = "0x45dda9cb7c25131df268515131f647d726f50608"

OURS: Final = """
import asyncio, json, resource, sys, time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from defai.backtest.figures import figures
from defai.backtest.request import BacktestRequest, agents_of, open_ground
from defai.backtest.runner import run
asked = json.loads(sys.argv[1])
request = BacktestRequest(
    strategies=("static_band",), source=Path(asked["source"]), parameters={"half_width": asked["half_width"]},
    balances={"USDC": Decimal(10_000), "WETH": Decimal(5)}, gas_gwei=Decimal(30), limits={"max_drawdown": "1"},
)
ground = open_ground(request)
few = open_ground(replace(request, timerange=asked["few"]))
asyncio.run(run(few, agents_of(request, few), baselines=False, engine="columns"))  # loads what is compiled
elapsed, started = time.perf_counter(), time.process_time()
result = asyncio.run(run(ground, agents_of(request, ground), baselines=asked["baselines"], anchor_every=MINUTES))
seconds, elapsed = time.process_time() - started, time.perf_counter() - elapsed
table = figures(result)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
print(json.dumps({"seconds": seconds, "elapsed": elapsed, "megabytes": peak, "decisions": table["decisions"],
                  "gas_usd": table["gas_usd"], "fees_usd": table["fees_usd"], "mints": table["mints"]}))
""".replace("MINUTES", str(MINUTES))
"""Run in a process of its own, since its memory is measured."""

THEIRS: Final = """
import json, sys, time, warnings
from datetime import date
warnings.filterwarnings("ignore")
from demeter import Actuator, MarketInfo, Strategy, TokenInfo
from demeter.uniswap import UniLpMarket, UniV3Pool
asked = json.load(sys.stdin)
money, ether = TokenInfo(name="usdc", decimal=6), TokenInfo(name="eth", decimal=18)
key = MarketInfo("lp")
class Band(Strategy):
    calls = 0
    def initialize(self):
        market = self.markets[key]
        centre = round(market.data.iloc[0].openTick / 10) * 10
        market.add_liquidity_by_tick(centre - asked["half_width"], centre + asked["half_width"])
    def on_bar(self, row):
        Band.calls += 1
actuator = Actuator()
market = UniLpMarket(key, UniV3Pool(money, ether, 0.05, money))
actuator.broker.add_market(market)
actuator.broker.set_balance(money, 10_000)
actuator.broker.set_balance(ether, 5)
actuator.strategy = Band()
market.data_path = asked["source"]
market.load_data("polygon", asked["pool"], date.fromisoformat(asked["first"]), date.fromisoformat(asked["last"]))
actuator.set_price(market.get_price_from_data())
started = time.perf_counter()
actuator.run(print=False) if "print" in actuator.run.__code__.co_varnames else actuator.run()
print()
print(json.dumps({"seconds": time.perf_counter() - started, "bars": Band.calls}))
"""


def write_year(folder: Path) -> list[str]:
    """A file for each day; the days."""
    bars = walking_bars(DAYS * MINUTES, seed=SEED, step_ticks=3.0)
    days = []
    for first in range(0, len(bars), MINUTES):
        part = bars.rows(first, first + MINUTES)
        days.append(datetime.fromtimestamp(int(part.timestamps[0]), UTC).date().isoformat())
        path = folder / f"polygon-{POOL}-{days[-1]}.minute.csv"
        write_bars(part, path)
        text = path.read_text(encoding="utf-8").replace("+00:00", "")
        path.write_text(re.sub(r"(?m)^(\d{4}-\d\d-\d\d)T", r"\1 ", text), encoding="utf-8")
    return days


def run_ours(source: Path, *, baselines: bool) -> dict[str, Any]:
    """Our run in a process of its own."""
    asked = {"source": str(source), "half_width": HALF_WIDTH, "baselines": baselines, "few": FEW}
    ran = subprocess.run(
        [sys.executable, "-c", OURS, json.dumps(asked)], check=True, stdout=subprocess.PIPE, text=True
    )
    answer: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    if answer["decisions"] != DAYS * MINUTES or answer["mints"] != 1 or not answer["gas_usd"]:
        raise RuntimeError(f"The year was not run as it was meant: {answer}.")
    return answer


def ask_demeter(source: Path, days: Sequence[str]) -> Answer:
    """Its run on the first days."""
    asked = {
        "source": str(source),
        "half_width": HALF_WIDTH,
        "pool": POOL,
        "first": days[0],
        "last": days[-1],
    }
    answer = answer_of(PEER, THEIRS, asked)
    if answer.given is not None and answer.given["bars"] < (PEER_DAYS - 1) * MINUTES:
        raise RuntimeError(f"{PEER} was called at {answer.given['bars']} bars only.")
    return answer


def measure() -> list[Figure]:
    """A year of ours, two weeks of theirs, on the same files."""
    with tempfile.TemporaryDirectory(prefix="defai-bench-") as name:
        folder = Path(name)
        days = write_year(folder)
        run_ours(folder, baselines=False)  # compiles, where it has not been done before
        ours = min((run_ours(folder, baselines=False) for _ in range(ROUNDS)), key=lambda run: run["elapsed"])
        beside = run_ours(folder, baselines=True)
        theirs = min(
            (ask_demeter(folder, days[:PEER_DAYS]) for _ in range(2)),
            key=lambda answer: answer.given["seconds"] if answer.given else 0.0,
        )
    bars = DAYS * MINUTES
    note = (
        f"defai: {bars:,} bars, fees to the unit and gas at 30 gwei included, a sealed decision at every bar;"
        f" zelos-demeter (MIT): {PEER_DAYS * MINUTES:,} of these bars, no gas, no records."
        f" Best of some rounds; defai on two cores: {ours['seconds']:.1f} s of work in {ours['elapsed']:.1f} s."
    )
    return [
        Figure(
            what=f"an LP backtest on {bars:,} minute bars, Python called at every bar",
            value=bars / ours["elapsed"],
            unit="bars a second",
            against=PEER.replace("==", " ") + (f" {theirs.why_not}" if theirs.given is None else ""),
            alternative=theirs.given["bars"] / theirs.given["seconds"] if theirs.given else None,
            rate=True,
            least_ratio=TIMES_DEMETER if theirs.given else None,
            headline=True,
            note=note,
        ),
        Figure(
            what="its peak memory, reading and reporting included",
            value=ours["megabytes"],
            unit="MB",
            most=MOST_MEGABYTES,
            headline=True,
        ),
        Figure(
            what="the same with three baselines beside it",
            value=4 * bars / beside["elapsed"],
            unit="bars a second",
            note=f"{beside['megabytes']:.0f} MB at the peak; a baseline that has opened its position decides no more.",
        ),
    ]
