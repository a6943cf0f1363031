from typing import Any, TypeAlias

from defai.domain.stream import ForecastJudged
from defai.tui.format import number, signed
from defai.tui.screens.agent import AgentScreen, timing
from defai.tui.screens.decision import DecisionScreen
from defai.tui.screens.fleet import FleetScreen
from defai.tui.widgets.chart import LineChart
from defai.tui.widgets.decision_card import DecisionCard
from defai.tui.widgets.decision_log import DecisionLog
from defai.tui.widgets.depth import LiquidityBars
from defai.tui.widgets.fleet_table import FleetTable

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""


async def test_arrows_and_letters_move_the_cursor(opened: Handed) -> None:
    async with opened() as (_, app, pilot):
        table = app.screen.query_one(FleetTable)
        steps = (
            ("down", 1),
            ("j", 2),
            ("up", 1),
            ("k", 0),
            ("k", 0),
            ("G", 3),
            ("j", 3),
            ("g", 0),
            ("end", 3),
        )
        for key, row in steps:
            await pilot.press(key)
            assert table.cursor == row, key
        await pilot.press("home", "pagedown")
        assert table.cursor == 3
        await pilot.press("pageup")
        assert table.cursor == 0


async def test_enter_opens_the_agent_and_its_neighbours_are_a_key_away(
    opened: Handed, theatre: Handed
) -> None:
    async with opened(size=(120, 40)) as (stage, app, pilot):
        await pilot.press("down", "enter")
        await theatre.settled(pilot, stage)
        assert isinstance(app.screen, AgentScreen)
        await theatre.stands(app, pilot, "mean_reversion", "Balances", "WETH")
        names = []
        for key in ("right", "right", "left", "left", "left"):
            await pilot.press(key)
            names.append(app.screen.line.key if app.screen.line else "")
        assert names == ["tiers", "hold", "tiers", "reverter", "lp-wide"]
        await pilot.press("p")
        await theatre.until(lambda: theatre.state_of(app, "lp-wide") == "paused", pilot)
        await pilot.press("escape")
        await theatre.until(lambda: isinstance(app.screen, FleetScreen), pilot)


async def test_what_is_verified_from_the_table_stays_beside_the_list(
    opened: Handed, theatre: Handed, session: Handed
) -> None:
    later = list(theatre.demo_stream(theatre.seed, blocks=90, end=False))[len(session) :]
    async with opened("v") as (stage, app, pilot):
        line = app.fleet.acted
        await theatre.until(lambda: line.verification is not None, pilot)
        stage.play(later)
        await theatre.settled(pilot, stage)
        assert app.fleet.acted is not line
        title = f"Decision · {line.decision.sequence} of {line.agent}"
        await theatre.stands(app, pilot, title, "✓ integrity ✓ data ✓ model")


async def test_a_large_terminal_has_the_pools_liquidity_beside_its_price(
    opened: Handed, theatre: Handed
) -> None:
    async with opened() as (_, app, pilot):
        assert not app.screen.query(LiquidityBars)
        await pilot.resize_terminal(200, 60)
        await theatre.stands(app, pilot, "Liquidity by tick", "█████")
        await pilot.resize_terminal(120, 40)
        await theatre.gone(app, pilot, "Liquidity by tick")


async def test_where_the_gain_came_from_adds_up_and_keeps_its_figures_in_a_small_terminal(
    opened: Handed, theatre: Handed
) -> None:
    async with opened("2", size=(60, 40)) as (_, app, pilot):
        held = app.screen.line.portfolio
        parts = held.parts
        rest = timing(parts)
        explained = parts.market_usd + parts.fees_usd - parts.impermanent_loss_usd - parts.gas_usd
        assert explained - parts.swap_cost_usd + rest == parts.pnl_usd
        await pilot.press("right_square_bracket", "right_square_bracket")
        shown = (number(held.equity_usd, 2, "USD"), signed(rest, 2, "USD"), f"{held.balances[0][1]:,.2f}")
        await theatre.stands(app, pilot, "timing", "Balances", *shown)


async def test_pause_toggles_the_selected_agent(opened: Handed, theatre: Handed) -> None:
    async with opened() as (stage, app, pilot):
        await pilot.press("j", "p")
        await theatre.until(lambda: theatre.state_of(app, "reverter") == "paused", pilot)
        await theatre.stands(app, pilot, "║")
        await pilot.press("p")
        await theatre.until(lambda: theatre.state_of(app, "reverter") == "running", pilot)
        assert stage.wishes == [("pause", "reverter"), ("resume", "reverter")]


async def test_the_last_act_stands_beside_the_log_until_one_goes_there(
    opened: Handed, theatre: Handed
) -> None:
    async with opened() as (stage, app, pilot):
        card = app.screen.query_one(DecisionCard)
        acted = app.fleet.acted
        assert not acted.is_hold
        assert card.border_title == f"Last act · {acted.decision.sequence} of {acted.agent}"
        app.screen.query_one(DecisionLog).focus()
        await pilot.press("down", "down")
        await theatre.settled(pilot, stage)
        line = app.screen.query_one(DecisionLog).selected
        assert card.border_title.endswith(f"{line.decision.sequence} of {line.agent}")


async def test_copying_takes_what_the_cursor_is_on(opened: Handed) -> None:
    async with opened() as (_, app, pilot):
        await pilot.press("c")
        assert app.clipboard == app.fleet.agents["lp-wide"].card.vault
        log = app.screen.query_one(DecisionLog)
        log.focus()
        await pilot.press("down", "c")
        assert app.clipboard == log.selected.decision.digest
        await pilot.press("enter")
        assert isinstance(app.screen, DecisionScreen)
        assert app.screen.line is log.selected


async def test_tab_goes_from_panel_to_panel_and_the_brackets_enlarge_them(
    opened: Handed, theatre: Handed
) -> None:
    async with opened() as (stage, app, pilot):
        seen = []
        for _ in range(4):
            seen.append(app.focused.id)
            await pilot.press("tab")
        assert seen == ["agents", "price", "decisions", "decision-card"]
        await pilot.press("z")
        await theatre.settled(pilot, stage)
        table = app.screen.query_one(FleetTable)
        assert (table.region.width, table.region.height) == (120, 37)
        await pilot.press("right_square_bracket")
        await theatre.settled(pilot, stage)
        assert app.focused.id == "price"
        assert app.screen.query_one(LineChart).region.height == 37
        await pilot.press("escape")
        await theatre.settled(pilot, stage)
        assert app.screen.maximized is None
        assert app.screen.query_one(DecisionLog).region.area > 0


async def test_in_a_small_terminal_the_brackets_bring_back_what_gave_way(
    opened: Handed, theatre: Handed
) -> None:
    async with opened(size=(80, 24)) as (stage, app, pilot):
        chart, card = app.screen.query_one(LineChart), app.screen.query_one(DecisionCard)
        assert (chart.region.area, card.region.area) == (0, 0)
        await pilot.press("right_square_bracket")
        await theatre.settled(pilot, stage)
        assert chart.region.height == 21
        await theatre.stands(app, pilot, "◆")
        await pilot.press("left_square_bracket", "left_square_bracket")
        await theatre.settled(pilot, stage)
        assert card.region.height == 21
        assert app.focused is card
        await pilot.press("escape")
        await theatre.settled(pilot, stage)
        assert (chart.region.area, card.region.area) == (0, 0)
        assert app.focused is not None
        assert app.focused.region.area > 0


async def test_the_chart_shows_a_longer_or_a_shorter_time(opened: Handed, theatre: Handed) -> None:
    async with opened() as (stage, app, pilot):
        before = theatre.seen(app)
        await pilot.press("minus")
        await theatre.settled(pilot, stage)
        longer = theatre.seen(app)
        await pilot.press("plus")
        await theatre.settled(pilot, stage)
        assert before == theatre.seen(app) != longer


async def test_the_mouse_selects_and_a_double_click_opens(opened: Handed, theatre: Handed) -> None:
    async with opened() as (_, app, pilot):
        table = app.screen.query_one(FleetTable)
        await pilot.click(FleetTable, offset=(10, 4))
        assert table.cursor == 2
        assert isinstance(app.screen, FleetScreen)
        await pilot.click(FleetTable, offset=(10, 0))
        assert table.cursor == 2
        await pilot.click(FleetTable, offset=(10, 4), times=2)
        await theatre.until(lambda: isinstance(app.screen, AgentScreen), pilot)
        assert app.agent_name == "tiers"


async def test_the_cursor_stays_on_its_decision_while_newer_ones_come(
    opened: Handed, theatre: Handed
) -> None:
    async with opened() as (stage, app, pilot):
        log = app.screen.query_one(DecisionLog)
        log.focus()
        await pilot.press("down", "down")
        chosen, at = log.selected, log.cursor
        later = list(theatre.demo_stream(theatre.seed, blocks=90, end=False))
        stage.play(later[app.fleet.events :])
        await theatre.settled(pilot, stage)
        assert log.selected is chosen
        assert log.cursor > at


async def test_the_band_drawn_is_the_selected_agents(opened: Handed, theatre: Handed) -> None:
    async with opened() as (_, app, pilot):
        chart = app.screen.query_one(LineChart)
        await theatre.until(lambda: {band.name for band in chart._picture.bands} == {"lp-wide"}, pilot)
        await pilot.press("down")
        await theatre.until(lambda: not chart._picture.bands, pilot)


async def test_forecasts_stand_beside_their_outcomes(opened: Handed, theatre: Handed) -> None:
    def told(block: int, value: float, outcome: float) -> ForecastJudged:
        return ForecastJudged(
            "key",
            ("reverter",),
            "volatility",
            "ticks",
            block,
            block + 12,
            value,
            value - 5,
            value + 5,
            outcome,
        )

    async with opened(size=(120, 60)) as (stage, app, pilot):
        await pilot.press("down", "enter")
        text = await theatre.stands(app, pilot, "mean_reversion", "Balances")
        assert "Forecast against outcome" not in text
        stage.play([told(1_070, 40.0, 44.0), told(1_082, 41.0, 55.0)])
        seen = ("Forecast against outcome", "1 of 2", "9.0 ticks", "41.0, came 55.0")
        await theatre.stands(app, pilot, *seen)
