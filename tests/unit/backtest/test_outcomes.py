"""What came of decisions, and what it cost: every unit of gas is somebody's."""

import json
from pathlib import Path

import pytest

from defai.backtest.run_files import read_run
from defai.cli.main import run
from tests.unit.backtest.minute_scenes import minute_file
from tests.unit.backtest.test_run_directory import AUTHOR

STANDIN = Path(__file__).parents[3] / "fixtures" / "standin_run"
RASH = """
from defai.strategy.api import Context, Intent, Swap, Strategy

class Rash(Strategy):
    '''Sells far too much, now and then, and little at other times.'''

    def pools(self):
        return ("USDC/WETH 0.05 %",)

    def decide(self, ctx: Context) -> Intent:
        selling = ctx.block_number % 2 == 0
        amount = 10**9 if selling else 5 * 10**17
        return Swap(pool=ctx.pool.key.address, zero_for_one=selling, amount_in_raw=amount, reason="now")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("outcomes")
    minute_file(where / "bars", 400)
    (where / "close.py").write_text(AUTHOR)
    (where / "rash.py").write_text(RASH)
    return where


def written(folder: Path, name: str, *arguments: str) -> Path:
    money = ["--balance", "10000USDC", "--balance", "5WETH", "--no-baselines"]
    out = folder / name
    assert run(["backtest", *money, *arguments, "--out", str(out), "--json"]) == 0
    return out


def test_every_decision_has_its_outcome_and_gas_adds_up(folder: Path) -> None:
    out = written(
        folder,
        "close",
        *("-s", f"{folder / 'close.py'}:Close", "--source", str(folder / "bars")),
        *("--gas-gwei", "20", "--anchor-every", "40"),
    )
    record = read_run(out)
    table, decisions = record.figures, record.decisions
    sent = [row for row, status in enumerate(decisions["status"]) if status is not None]

    assert {decisions["status"][row] for row in sent} == {"filled"}
    assert len(sent) == table["trades"] > 3
    assert all(decisions["outcome"][row].startswith("opened #") for row in sent)
    assert min(decisions["gas_used"][row] for row in sent) > 300_000
    assert {decisions["gas_usd"][row] for row in set(range(400)) - set(sent)} == {None}
    paid = sum(decisions["gas_usd"][row] for row in sent)
    assert table["anchors"] > 2
    assert paid + table["anchor_gas_usd"] == pytest.approx(table["gas_usd"])
    page = (out / "report.html").read_text()
    assert "transactions that did nothing but anchor decisions (40 to an anchor)" in page


def test_anchoring_does_not_dominate_where_nobody_says_how_often(folder: Path) -> None:
    out = written(folder, "hold", "-s", "hold", "--source", str(folder / "bars"), "--gas-gwei", "30")
    table = read_run(out).figures
    assert table["anchor_every"] == 1_440
    assert (table["anchors"], table["decisions"]) == (1, 400)
    assert table["anchor_gas_usd"] == table["gas_usd"]
    assert table["gas_usd"] < 0.0005 * table["final_usd"]


def test_agents_move_the_price_for_each_other(folder: Path) -> None:
    """Both sell the same at the same moment: the second one gets less for it."""
    rash = f"{folder / 'rash.py'}:Rash"
    limits = ["--limit", "max_drawdown=1", "--limit", "max_turnover_usd=100000000"]
    source = ["--source", str(STANDIN), "--gas-gwei", "0", *limits]
    both = json.loads((written(folder, "both", "-s", rash, "-s", rash, *source) / "report.json").read_text())
    alone = json.loads((written(folder, "alone", "-s", rash, *source) / "report.json").read_text())
    first, second = both["agents"]
    assert first["swaps"] == second["swaps"] == alone["swaps"] > 20
    assert second["swap_cost_usd"] != first["swap_cost_usd"]
    assert second["final_usd"] < first["final_usd"]
    assert first["final_usd"] != alone["final_usd"]
