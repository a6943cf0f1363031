"""A moving-average crossover on minute bars, beside backtesting.py, vectorbt and nautilus_trader.

The closes are one series, from a seed. Everywhere one ether is held while the average of the last 20 closes is above
that of the last 60, from the bar on upon which backtesting.py calls a strategy first; a fee of 5 basis points is paid;
orders fill at the close of the bar upon which they were decided.
The engines must trade upon the same bars, each of them, or the bench fails. What they do on a bar differs, and so does
what a bar takes; each figure's conditions say it. Processor time, reading bars and printing results not included.
"""

import asyncio
import csv
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from figures import Figure
from peers import Answer, answer_of

from defai.backtest.request import BacktestRequest, agents_of, open_ground
from defai.backtest.runner import UNLIMITED, AgentRun, run
from defai.backtest.sources.bars import COLUMNS
from defai.domain.decisions import Action
from defai.market.bars import MinuteBars, from_limbs
from defai.testing.bars import walking_bars

HERE: Final = Path(__file__).resolve().parent / "crossover"
BARS: Final = 525_600
PART: Final = 60_000
SEED: Final = 7
FAST, SLOW = 20, 60
CASH: Final = 100_000
FEE: Final = 0.0005
GAS_GWEI: Final = Decimal(1)
TRADED: Final = "USDC:6/WETH:18@500"
LEFT_OUT: Final = "a flat fee; no price impact, no gas, no records"


@dataclass(frozen=True, slots=True)
class Peer:
    """Another engine.

    Attributes:
        name: as its people write it.
        requirement: what is installed.
        licence: its own; it is only run here.
        program: the file that asks it.
        bars: how many it is given: all, or a part where a year would take minutes.
        does: what it does on a bar, and what it leaves out.
    """

    name: str
    requirement: str
    licence: str
    program: str
    bars: int
    does: str

    @property
    def version(self) -> str:
        """The one that is installed."""
        return self.requirement.partition("==")[2]


PEERS: Final = (
    Peer(
        "backtesting.py",
        "backtesting==0.6.6",
        "AGPL-3.0",
        "in_backtesting.py",
        BARS,
        f"Python called every bar, averages computed beforehand; its statistics included; {LEFT_OUT}",
    ),
    Peer(
        "vectorbt",
        "vectorbt==1.2.0",
        "Apache-2.0 with the Commons Clause",
        "in_vectorbt.py",
        BARS,
        f"whole columns at once, compiled before: no strategy is called; {LEFT_OUT}",
    ),
    Peer(
        "nautilus_trader",
        "nautilus_trader==1.221.0",
        "LGPL-3.0-or-later",
        "in_nautilus_trader.py",
        PART,
        f"Python called every bar, orders through its exchange, risk and account; {LEFT_OUT}",
    ),
)


@dataclass(frozen=True, slots=True)
class Ours:
    """What came of our run.

    Attributes:
        seconds: processor time.
        fills: rows of the bars upon which it traded.
        equity: at the end, in dollars.
        gas: paid on the way, in dollars.
    """

    seconds: float
    fills: list[int]
    equity: float
    gas: float


def closes_of(bars: MinuteBars) -> list[float]:
    """Dollars for one ether at each bar's close, to the eight decimals that every engine can hold."""
    return [round(10**12 / 1.0001**tick, 8) for tick in bars.close_tick.tolist()]


def write_bars(bars: MinuteBars, path: Path) -> None:
    """Write bars as a minute file, so that our run begins where anybody's does."""
    zeros = [0] * len(bars)
    columns: dict[str, Sequence[object]] = {
        "timestamp": [datetime.fromtimestamp(moment, UTC).isoformat() for moment in bars.timestamps.tolist()],
        "netAmount0": zeros,
        "netAmount1": zeros,
        "closeTick": bars.close_tick.tolist(),
        "openTick": bars.open_tick.tolist(),
        "lowestTick": bars.lowest_tick.tolist(),
        "highestTick": bars.highest_tick.tolist(),
        "inAmount0": from_limbs(bars.amount0_in),
        "inAmount1": from_limbs(bars.amount1_in),
        "currentLiquidity": from_limbs(bars.liquidity),
    }
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(zip(*(columns[name] for name in COLUMNS), strict=True))


def run_ours(bars: MinuteBars) -> Ours:
    """Run the strategy as `defai backtest` runs it, without baselines; nothing in the guard's way."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crossover.minute.csv"
        write_bars(bars, path)
        request = BacktestRequest(
            strategies=(f"{HERE / 'strategy.py'}:Crossover",),
            source=path,
            parameters={"fast": FAST, "slow": SLOW},
            balances={"USDC": Decimal(CASH)},
            traded=TRADED,
            gas_gwei=GAS_GWEI,
            limits={name: str(value) for name, value in UNLIMITED.model_dump().items() if value is not None},
            baselines=False,
        )
        ground = open_ground(request)
        settings = agents_of(request, ground)
        started = time.process_time()
        result = asyncio.run(run(ground, settings, baselines=False))
        seconds = time.process_time() - started
    return _summed_up(result.agents[0], len(bars), seconds)


def _summed_up(one: AgentRun, bars: int, seconds: float) -> Ours:
    sealed = len(one.decisions)
    if one.stopped or sealed != bars:
        raise RuntimeError(f"The agent decided on {sealed} of {bars} bars. {one.stopped}")
    fills = [made.block_number - 1 for made in one.decisions if made.action is not Action.HOLD]
    curve = one.curve
    return Ours(seconds, fills, curve.equity_raw[-1] / 10**6, curve.gas_raw[-1] / 10**6)


def check_fills(name: str, theirs: Sequence[int], ours: Sequence[int], bars: int) -> None:
    """See that both traded upon the same bars; not upon the last one, whose orders not every engine fills.

    Raises:
        RuntimeError: naming the first bar upon which only one of them traded.
    """
    apart = {row for row in theirs if row < bars - 1} ^ {row for row in ours if row < bars - 1}
    if apart:
        raise RuntimeError(f"{name} and defai don't trade alike: first on bar {min(apart)}.")


def speed_figure(peer: Peer, answer: Answer, ours: Ours) -> Figure:
    """Bars a second, ours beside theirs."""
    given = answer.given
    note = f"{peer.bars:,} bars, {peer.does} ({peer.licence})."
    if peer is PEERS[0]:
        note += (
            f" defai, in each: {PART:,} bars, Python called every bar; exact pool fee and price impact, gas at"
            f" {GAS_GWEI:g} gwei, a sealed decision every bar and {len(ours.fills):,} records. Processor time."
        )
    return Figure(
        what=f"a moving-average crossover on minute bars, beside {peer.name}",
        value=PART / ours.seconds,
        unit="bars a second",
        against=f"{peer.name} {peer.version}" + (f" {answer.why_not}" if given is None else ""),
        alternative=peer.bars / given["seconds"] if given else None,
        rate=True,
        headline=True,
        note=note,
    )


def equity_figure(answers: Sequence[tuple[Peer, dict[str, Any]]], ours: Ours) -> Figure:
    """What is left of the money after the same trades: the peers must agree, ours is less by its impact."""
    worths = [given["equity"] for _, given in answers]
    if max(worths) - min(worths) > 1e-6 * CASH:
        raise RuntimeError(f"The peers' equities don't agree: {worths}.")
    return Figure(
        what=f"the crossover's equity after {len(ours.fills):,} trades, gas left out",
        value=ours.equity + ours.gas,
        unit="dollars",
        against=" and ".join(peer.name for peer, _ in answers),
        alternative=worths[0],
        within=0.01,
        note=f"Trades upon the same bars, checked. Ours is less by its price impact; gas takes {ours.gas:,.0f} more.",
    )


def measure() -> list[Figure]:
    """All engines on the same closes."""
    bars = walking_bars(BARS, seed=SEED)
    part = bars.rows(0, PART)
    asked = {
        "closes": closes_of(bars),
        "times": bars.timestamps.tolist(),
        "part": PART,
        "fast": FAST,
        "slow": SLOW,
        "cash": CASH,
        "fee": FEE,
    }
    ours = run_ours(part)
    figures, answered = [], []
    for peer in PEERS:
        program = (HERE / peer.program).read_text(encoding="utf-8")
        answer = answer_of(peer.requirement, program, asked)
        if answer.given is not None:
            check_fills(peer.name, answer.given["fills"], ours.fills, PART)
            answered.append((peer, answer.given))
        figures.append(speed_figure(peer, answer, ours))
    return [*figures, equity_figure(answered, ours)] if answered else figures
