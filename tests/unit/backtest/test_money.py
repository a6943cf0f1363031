"""How worths are written: by what they are counted in."""

from typing import Any

import pytest

from defai.backtest.money import Money, cell
from defai.backtest.report import page, text
from defai.backtest.run_files import RunRecord
from tests.unit.backtest.test_report_page import FIGURES, RECORD, content_of

IN_ETHER: dict[str, Any] = {
    **FIGURES,
    "numeraire": "WETH",
    "final_usd": 5.000123,
    "hodl_usd": 5.0,
    "fees_usd": 0.0009,
    "gas_usd": 0.003,
    "anchor_gas_usd": 0.001,
    "anchors": 2,
    "baselines": {"hold": {"final_usd": 5.0, "hodl_usd": 5.0}},
}


@pytest.mark.parametrize(
    ("money", "value", "signed", "said"),
    [
        (Money(), 1234.5, False, "1,234.50"),
        (Money(), -0.004, True, "0.00"),
        (Money(), -1.0, True, "−1.00"),
        (Money("WETH", 6), 0.0000123, True, "+0.000012"),
        (Money("WETH", 6), -0.0000004, True, "0.000000"),
    ],
)
def test_amounts(money: Money, value: float, signed: bool, said: str) -> None:
    assert money.text(value, signed=signed) == said


def test_every_kind_of_cell() -> None:
    ether = Money("WETH", 6)
    said = [cell(value, kind, ether) for value, kind in ((None, "money"), (1.5, "ratio"), (0.125, "percent"))]
    assert said == ["unmeasured", "1.50", "12.5 %"]


def test_money_that_is_no_dollar_is_named_and_has_its_digits() -> None:
    printed = text(IN_ETHER)
    assert "final WETH" in printed
    assert "USD" not in printed.replace("USDC/WETH", "")
    mine = next(line for line in printed.splitlines() if line.startswith("this strategy"))
    assert mine.split()[2:5] == ["5.000123", "+0.000123", "0.000900"]
    assert "0.003000 in all, 0.001000 of it" in printed


def test_the_page_names_it_too() -> None:
    written = page(RunRecord(**{**_fields(RECORD), "figures": IN_ETHER}))
    content = content_of(written)
    assert content["money"] == {"name": "WETH", "digits": 6}
    assert content["comparison"]["columns"][1] == "final WETH"
    assert {tile["more"] for tile in content["tiles"] if tile["kind"] in {"money", "signed"}} == {
        "WETH",
        "WETH, every 900 s",
    }


def _fields(record: RunRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def test_who_was_denied_is_told_why() -> None:
    reasons = {"trade over 5 USD": 2, "no gas": 1, "too wide": 40, "too narrow": 3}
    printed = text({**FIGURES, "denied_for": reasons})
    said = [line for line in printed.splitlines() if "denied" in line]
    assert said == [
        "this strategy was denied 40 times: too wide",
        "this strategy was denied 3 times: too narrow",
        "this strategy was denied 2 times: trade over 5 USD",
    ]
    assert "hold was denied once: odd" in text(
        {**FIGURES, "baselines": {"hold": {**FIGURES["baselines"]["hold"], "denied_for": {"odd": 1}}}}
    )
