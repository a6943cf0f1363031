"""Filters, orders and exports: of lists as such, and as one meets them on the screens."""

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from defai.tui.preferences import Preferences
from defai.tui.widgets.columns import Column, as_csv, in_order, lay_out, matches
from defai.tui.widgets.fleet_table import FleetTable
from defai.tui.widgets.risk_table import RiskTable

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Item:
    version = 0

    def __init__(self, key: str, worth: Decimal | None) -> None:
        self.key, self.worth = key, worth


ITEMS = [Item("b", Decimal(2)), Item("a", None), Item("c", Decimal("1.5"))]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("", True),
        ("SWAP", True),
        ("swap weth", True),
        ("weth usdc", False),
        ("swap -usdc", True),
        ("-weth", False),
        ("-", False),
    ],
)
def test_a_filter_wants_every_word_and_none_that_is_not_wanted(wanted: str, found: bool) -> None:
    assert matches("swap 0.42 WETH", wanted) is found


def test_what_is_unknown_comes_last_either_way() -> None:
    for descending, keys in ((False, "cba"), (True, "bca")):
        assert (
            "".join(item.key for item in in_order(ITEMS, lambda one: one.worth, descending=descending))
            == keys
        )


def test_an_export_has_plain_figures_and_nothing_for_what_is_unknown() -> None:
    columns = (
        Column[Item]("name", lambda one: ((one.key, "muted"),), 5, raw=lambda one: one.key),
        Column[Item]("glyph", lambda _: (("*", "muted"),), 1),
        Column[Item]("worth", lambda _: (("-", "muted"),), 5, raw=lambda one: one.worth, name="worth USD"),
    )
    assert as_csv(columns, ITEMS) == "name,worth USD\nb,2\na,\nc,1.5\n"


@pytest.mark.parametrize("words", ["=HYPERLINK(1)", "+1", "-1+2", "@SUM(1)"])
def test_what_somebody_wrote_is_no_formula_in_an_export(words: str) -> None:
    columns = (Column[Item]("name", lambda _: ((words, "muted"),), 5, raw=lambda _: words),)
    assert as_csv(columns, ITEMS[:1]) == f"name\n'{words}\n"
    figures = (Column[Item]("PnL", lambda _: (("-1", "muted"),), 5, raw=lambda _: -1.5),)
    assert as_csv(figures, ITEMS[:1]) == "PnL\n-1.5\n"


def test_luxuries_come_once_the_others_have_what_they_wish_for() -> None:
    columns = [
        Column[Item]("a", lambda _: (), 10),
        Column[Item]("b", lambda _: (), 10, rank=1, wish=20),
        Column[Item]("c", lambda _: (), 10, rank=6),
    ]
    assert [[c.title for c, _ in lay_out(columns, width)] for width in (15, 25, 40, 44)] == [
        ["a"],
        ["a", "b"],
        ["a", "b"],
        ["a", "b", "c"],
    ]


async def test_a_filter_sifts_as_one_types_and_escape_shows_all(opened: Handed, theatre: Handed) -> None:
    async with opened() as (stage, app, pilot):
        table = app.screen.query_one(FleetTable)
        await pilot.press("slash", *"REV")
        await theatre.settled(pilot, stage)
        assert [line.key for line in table.roll.listed] == ["reverter"]
        await theatre.stands(app, pilot, "1 of 4")
        await pilot.press("enter")
        await theatre.until(lambda: app.focused is table, pilot)
        await pilot.press("slash", "x")
        await theatre.stands(app, pilot, "Nothing here has “REVx”")
        await pilot.press("escape")
        await theatre.settled(pilot, stage)
        assert len(table.roll.listed) == 4
        assert not app.screen.filter_bar.display


async def test_sorting_goes_through_the_columns_turns_and_is_remembered(
    opened: Handed, theatre: Handed, tmp_path: Path
) -> None:
    path = tmp_path / "terminal.json"
    async with opened(preferences=Preferences(path)) as (stage, app, pilot):
        table = app.screen.query_one(FleetTable)
        assert table.roll.order == ("", False)
        await pilot.press("s", "s", "s", "S")
        await theatre.settled(pilot, stage)
        assert table.roll.order == ("equity USD", True)
        worths = [line.portfolio.equity_usd for line in table.roll.listed]
        assert worths == sorted(worths, reverse=True)
        await theatre.stands(app, pilot, "▾equity USD")
        at = theatre.seen(app).splitlines()[3].index("PnL %")
        await pilot.click(FleetTable, offset=(at, 1))
        await theatre.settled(pilot, stage)
        assert table.roll.order == ("PnL %", True)
        await pilot.click(FleetTable, offset=(at, 1))
        await theatre.settled(pilot, stage)
        assert table.roll.order == ("PnL %", False)
    async with opened(preferences=Preferences(path)) as (_, app, _):
        assert app.screen.query_one(FleetTable).roll.order == ("PnL %", False)


async def test_lists_are_written_beside_where_one_is_and_never_over_one_another(
    opened: Handed, theatre: Handed, tmp_path: Path
) -> None:
    async with opened("x", "x", "4", "f", "x", folder=tmp_path) as (_, app, pilot):
        wanted = ["defai-agents-1124-1.csv", "defai-agents-1124.csv", "defai-decisions-1124.csv"]
        await theatre.until(lambda: names_in(tmp_path) == wanted, pilot)
        rows = rows_of(tmp_path / "defai-agents-1124.csv")
        assert [row["agent"] for row in rows] == ["lp-wide", "reverter", "tiers", "hold"]
        held = app.fleet.agents["tiers"].portfolio
        assert Decimal(rows[2]["equity USD"]) == held.equity_usd
        assert rows[0]["vault"] == app.fleet.agents["lp-wide"].card.vault
        decisions = rows_of(tmp_path / "defai-decisions-1124.csv")
        assert decisions
        assert all(len(row["digest"]) == 66 for row in decisions)


async def test_an_export_that_fails_is_said(opened: Handed, theatre: Handed, tmp_path: Path) -> None:
    async with opened("x", folder=tmp_path / "nowhere") as (_, app, pilot):
        await theatre.until(lambda: list(app._notifications), pilot)
        (message,) = [one.message for one in app._notifications]
        assert "cannot be written: No such file or directory" in message


async def test_risk_lists_whoever_is_closest_to_a_limit_first(opened: Handed, theatre: Handed) -> None:
    async with opened("8") as (_, app, pilot):
        table = app.screen.query_one(RiskTable)
        shares = [max(one.value / one.limit for one in line.gauges) for line in table.roll.listed]
        assert shares == sorted(shares, reverse=True)
        first = table.roll.listed[0]
        await theatre.stands(app, pilot, f"Limits of {first.key}", "closed: nothing stopped it")
        await pilot.press("j", "p")
        chosen = table.selected.key
        await theatre.until(lambda: theatre.state_of(app, chosen) == "paused", pilot)
        await pilot.press("enter")
        await theatre.until(lambda: app.agent_name == chosen, pilot)


async def test_logs_are_listed_by_level_and_read_whole(opened: Handed, theatre: Handed) -> None:
    from defai.domain.stream import LogRecorded

    said = [
        LogRecorded("info", "defai.x", "a block came", 1.0),
        LogRecorded("warning", "defai.y", "it was slow", 2.0),
        LogRecorded("error", "defai.z", "the chain stopped answering, twice", 3.0),
    ]
    async with opened(more=said) as (stage, app, pilot):
        assert "1!" in theatre.seen(app).splitlines()[1]
        await pilot.press("9")
        await theatre.settled(pilot, stage)
        listed = []
        for _ in range(3):
            listed.append({line.level for line in app.screen.grid.roll.listed})
            await pilot.press("f")
        assert listed == [{"info", "warning", "error"}, {"warning", "error"}, {"error"}]
        await pilot.press("c")
        await theatre.settled(pilot, stage)
        assert app.clipboard == "the chain stopped answering, twice"
        assert "1!" not in theatre.seen(app).splitlines()[1]


def test_preferences_that_cannot_be_read_or_written_are_done_without(tmp_path: Path) -> None:
    path = tmp_path / "terminal.json"
    path.write_text("{not json")
    broken = Preferences(path)
    assert "cannot be read" in broken.problem
    broken.put("theme", "defai-light")
    assert Preferences(path).text("theme") == "defai-light"
    file = tmp_path / "a-file"
    file.write_text("")
    nowhere = Preferences(file / "terminal.json")
    nowhere.put("theme", "defai-light")
    assert "cannot be written" in nowhere.problem
    assert nowhere.text("theme") == "defai-light"
    assert Preferences(path).whole("theme", 3) == 3
