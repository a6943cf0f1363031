"""Run the comparison's strategies, each in the engine it is written for, and write docs/compare.md from what came.

Usage: python scripts/compare_peers.py [FILE ...] [--no-run]

The page includes the files of bench/compare as they are, with their lines counted; what is not run keeps what an
earlier run found. Peers are installed into environments of their own, as for the benches, and run apart from us.
"""

import argparse
import asyncio
import io
import json
import re
import sys
import tempfile
import tokenize
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

CHECKOUT: Final = Path(__file__).resolve().parents[1]
SNIPPETS: Final = CHECKOUT / "bench" / "compare"
PAGE: Final = CHECKOUT / "docs" / "compare.md"
sys.path[:0] = [str(CHECKOUT), str(CHECKOUT / "bench")]

from bench_crossover import closes_of, write_bars  # noqa: E402  found once the path above is set
from peers import answer_of  # noqa: E402  the same

from defai.backtest.request import BacktestRequest, agents_of, open_ground  # noqa: E402  the same
from defai.backtest.runner import UNLIMITED, run  # noqa: E402  the same
from defai.market.bars import MinuteBars  # noqa: E402  the same
from defai.testing.bars import walking_bars  # noqa: E402  the same

MINUTES: Final = 1_440
DAYS: Final = 7
SEED: Final = 11
POOL: Final = "0x45dda9cb7c25131df268515131f647d726f50608"
CASH: Final = 100_000
FEE: Final = 0.0005


@dataclass(frozen=True, slots=True)
class Peer:
    """A file of the comparison, and the program around it: it reads JSON on stdin, prints JSON on its last line.

    Attributes:
        file: its name below bench/compare.
        name: of the engine.
        requirement: what is installed; empty for ours.
        around: the program, with SNIPPET where the file goes.
    """

    file: str
    name: str
    requirement: str
    around: str


BACKTESTING: Final = """
import json, sys, warnings
warnings.filterwarnings("ignore")
SNIPPET
from backtesting import Backtest
asked = json.load(sys.stdin)
times = pd.to_datetime(asked["times"], unit="s")
bars = pd.DataFrame(dict.fromkeys(("Open", "High", "Low", "Close"), asked["closes"]), index=times)
test = Backtest(bars, Crossover, cash=asked["cash"], commission=asked["fee"], trade_on_close=True)
result = test.run()
orders = 2 * len(result["_trades"]) + len(result["_strategy"].trades)
print(json.dumps({"orders": orders, "worth": float(result["Equity Final [$]"])}))
"""
NAUTILUS: Final = """
import json, sys
from datetime import UTC, datetime
from decimal import Decimal
import pandas as pd
SNIPPET
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common.config import LoggingConfig
from nautilus_trader.model.currencies import ETH, USDC
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.identifiers import Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.wranglers import BarDataWrangler
asked = json.load(sys.stdin)
venue, fee = Venue("BENCH"), Decimal(str(asked["fee"]))
pair_id = InstrumentId(Symbol("ETH/USDC"), venue)
minutes = BarType.from_str(f"{pair_id}-1-MINUTE-LAST-EXTERNAL")
pair = CurrencyPair(instrument_id=pair_id, raw_symbol=Symbol("ETHUSDC"), base_currency=ETH, quote_currency=USDC,
    price_precision=8, size_precision=3, price_increment=Price(1e-8, 8), size_increment=Quantity(0.001, 3),
    maker_fee=fee, taker_fee=fee, ts_event=0, ts_init=0)
frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), asked["closes"]),
    index=pd.to_datetime(asked["times"], unit="s", utc=True))
engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
engine.add_venue(venue, OmsType.NETTING, AccountType.CASH, [Money(asked["cash"], USDC), Money(0, ETH)])
engine.add_instrument(pair)
engine.add_data(BarDataWrangler(minutes, pair).process(frame))
engine.add_strategy(Crossover(CrossoverConfig(instrument_id=pair_id, bar_type=minutes)))
engine.run()
account = engine.portfolio.account(venue)
worth = account.balance_total(USDC).as_double() + account.balance_total(ETH).as_double() * asked["closes"][-1]
print(json.dumps({"orders": len(engine.cache.orders()), "worth": worth}))
"""
DEMETER: Final = """
import json, sys, warnings
from datetime import date
warnings.filterwarnings("ignore")
SNIPPET
from demeter import Actuator, TokenInfo
from demeter.uniswap import UniLpMarket, UniV3Pool
asked = json.load(sys.stdin)
money, ether = TokenInfo(name="usdc", decimal=6), TokenInfo(name="eth", decimal=18)
actuator = Actuator()
market = UniLpMarket(Recentre.market_key, UniV3Pool(money, ether, 0.05, money))
actuator.broker.add_market(market)
actuator.broker.set_balance(money, 10_000)
actuator.broker.set_balance(ether, 5)
actuator.strategy = Recentre()
market.data_path = asked["source"]
market.load_data("polygon", asked["pool"], date.fromisoformat(asked["first"]), date.fromisoformat(asked["last"]))
for name in ("closeTick", "openTick", "lowestTick", "highestTick"):
    market.data[name] = market.data[name].astype(float)  # it makes Decimals of them, not of integers
actuator.set_price(market.get_price_from_data())
actuator.run(print=False) if "print" in actuator.run.__code__.co_varnames else actuator.run()
mints = sum(1 for action in actuator.actions if type(action).__name__ == "AddLiquidityAction")
print()
print(json.dumps({"orders": mints, "worth": float(actuator.account_status[-1].net_value)}))
"""
PEERS: Final = (
    Peer("crossover_freqtrade.py", "freqtrade", "", ""),
    Peer("crossover_backtesting.py", "backtesting.py", "backtesting==0.6.6", BACKTESTING),
    Peer("crossover_nautilus_trader.py", "nautilus_trader", "nautilus_trader==1.221.0", NAUTILUS),
    Peer("crossover_defai.py", "defai", "", ""),
    Peer("recentre_demeter.py", "demeter", "zelos-demeter==1.3.0", DEMETER),
    Peer("recentre_defai.py", "defai", "", ""),
)


def lines_of_code(text: str) -> int:
    """Lines that hold more than blanks, comments and docstrings; imports count."""
    empty = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    lines: set[int] = set()
    fresh = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        docstring = fresh and token.type == tokenize.STRING
        if token.type not in empty and not docstring:
            lines.update(range(token.start[0], token.end[0] + 1))
        if token.type not in {tokenize.COMMENT, tokenize.NL}:
            fresh = token.type in {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    return len(lines)


def run_all(files: Collection[str]) -> dict[str, str]:
    """What came of these files, in words; where a peer can't be had or fails, why."""
    with tempfile.TemporaryDirectory(prefix="defai-compare-") as name:
        folder = Path(name)
        bars = walking_bars(DAYS * MINUTES, seed=SEED, step_ticks=12.0)
        days = []
        for first in range(0, len(bars), MINUTES):
            part = bars.rows(first, first + MINUTES)
            days.append(_day_file(folder, part))
        asked = {"source": str(folder), "pool": POOL, "first": days[0], "last": days[-1]}
        asked |= {"closes": closes_of(bars), "times": bars.timestamps.tolist(), "cash": CASH, "fee": FEE}
        return {peer.file: _found(peer, folder, asked) for peer in PEERS if peer.file in files}


def _day_file(folder: Path, part: MinuteBars) -> str:
    day = datetime.fromtimestamp(int(part.timestamps[0]), UTC).date().isoformat()
    path = folder / f"polygon-{POOL}-{day}.minute.csv"
    write_bars(part, path)
    text = path.read_text(encoding="utf-8").replace("+00:00", "")
    path.write_text(re.sub(r"(?m)^(\d{4}-\d\d-\d\d)T", r"\1 ", text), encoding="utf-8")
    return day


def _found(peer: Peer, folder: Path, asked: dict[str, Any]) -> str:
    if peer.name == "defai":
        return _ours(peer, folder)
    if not peer.requirement:
        return "not run: its installation did not come to an end here within 400 s"
    program = peer.around.replace("SNIPPET", (SNIPPETS / peer.file).read_text(encoding="utf-8"))
    answer = answer_of(peer.requirement, program, asked)
    if answer.given is None:
        return answer.why_not.replace("unmeasured", "not run")
    return _words(peer, answer.given["orders"], answer.given["worth"])


def _ours(peer: Peer, folder: Path) -> str:
    swaps = peer.file.startswith("crossover")
    request = BacktestRequest(
        strategies=(f"{SNIPPETS / peer.file}:{'Crossover' if swaps else 'Recentre'}",),
        source=folder,
        balances={"USDC": Decimal(CASH)} if swaps else {"USDC": Decimal(10_000), "WETH": Decimal(5)},
        limits={name: str(value) for name, value in UNLIMITED.model_dump().items() if value is not None},
        baselines=False,
    )
    ground = open_ground(request)
    (one,) = asyncio.run(run(ground, agents_of(request, ground), baselines=False)).agents
    done = one.tape.swaps if swaps else one.tape.mints
    return _words(peer, done, one.curve.equity_raw[-1] / 10**6)


def _words(peer: Peer, count: int, worth: float) -> str:
    what = "orders" if peer.file.startswith("crossover") else "mints"
    return f"run: {count} {what}, ends with {worth:,.2f} USD"


def page_with(text: str, found: Mapping[str, str]) -> str:
    """The page with sources and counts as the files have them, and with what runs found where there were any."""
    for peer in PEERS:
        source = (SNIPPETS / peer.file).read_text(encoding="utf-8")
        language = (
            "python" if peer.name == "defai" else "text"
        )  # the page's own code is run, others' can't be
        block = f"<!-- {peer.file} -->\n\n```{language}\n{source}```\n\n<!-- /{peer.file} -->"
        pattern = re.compile(
            rf"<!-- {re.escape(peer.file)} -->.*?<!-- /{re.escape(peer.file)} -->", re.DOTALL
        )
        if not pattern.search(text):
            raise ValueError(f"{PAGE.name} has no <!-- {peer.file} --> to write after.")
        text = pattern.sub(lambda _, block=block: block, text)
    return re.sub(
        r"(<!-- counted -->\n).*?(<!-- /counted -->)",
        lambda place: f"{place[1]}\n{_counted(text, found)}\n{place[2]}",
        text,
        flags=re.DOTALL,
    )


def _counted(text: str, found: Mapping[str, str]) -> str:
    rows = [
        "| engine | file | lines of code | run on seven days of the same made-up minutes |",
        "|---|---|--:|---|",
    ]
    for peer in PEERS:
        before = re.search(rf"`{re.escape(peer.file)}` \| \d+ \| (.+) \|", text)
        came = found.get(peer.file) or (before[1] if before else "not run")
        lines = lines_of_code((SNIPPETS / peer.file).read_text(encoding="utf-8"))
        name = f"{peer.name} {peer.requirement.partition('==')[2]}".strip()
        rows.append(f"| {name} | `{peer.file}` | {lines} | {came} |")
    return "\n".join(rows) + "\n"


def main() -> int:
    """Run, count, write."""
    parser = argparse.ArgumentParser(description="Run the comparison's strategies and write docs/compare.md.")
    files = [peer.file for peer in PEERS]
    parser.add_argument(
        "files", nargs="*", metavar="FILE", choices=[[], *files], help="which; by default all"
    )
    parser.add_argument("--no-run", action="store_true", help="only copy sources and count lines")
    options = parser.parse_args()
    found = {} if options.no_run else run_all(options.files or files)
    print(json.dumps(found, indent=2))
    PAGE.write_text(page_with(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
