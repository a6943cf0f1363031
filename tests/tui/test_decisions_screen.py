from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from defai.domain.answers import RungView, Verification
from defai.tui.screens.decision import DecisionScreen
from defai.tui.screens.decisions import KINDS
from defai.tui.widgets.decision_log import DecisionLog, reason_words
from defai.tui.widgets.decision_text import verdict_span

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""


async def test_which_decisions_are_listed_changes_with_f(opened: Handed) -> None:
    async with opened("4") as (_, app, pilot):
        log = app.screen.query_one(DecisionLog)
        listed = {}
        for _ in KINDS:
            listed[app.screen.kind] = list(log.roll.listed)
            await pilot.press("f")
        assert list(listed) == list(KINDS)
        assert app.screen.kind == "all"
        assert len(listed["all"]) == len(app.fleet.log)
        assert listed["acted"]
        assert not any(line.is_hold for line in listed["acted"])
        assert {line.mark for line in listed["refused"]} == {"denied"}
        assert all(line.execution.record_id for line in listed["recorded"])
        assert listed["waiting"] == listed["rated"] == []


async def test_a_decision_says_why_it_was_taken_and_what_came_of_it(opened: Handed, theatre: Handed) -> None:
    async with opened("4") as (stage, app, pilot):
        log = app.screen.query_one(DecisionLog)
        line = next(one for one in app.fleet.log if one.decision.forecast and one.execution)
        log.select(line.key)
        await pilot.press("enter")
        await theatre.until(lambda: line.explanation is not None, pilot)
        await theatre.settled(pilot, stage)
        assert isinstance(app.screen, DecisionScreen)
        wanted = (
            line.decision.reason,
            "volatility_24",
            "+0.71",
            "slippage",
            "approved and carried out",
            "not verified yet",
        )
        text = await theatre.stands(app, pilot, *wanted, line.decision.digest, f"#{line.execution.record_id}")
        assert "✓ integrity" not in text


async def test_v_climbs_the_rungs_and_says_what_each_found(opened: Handed, theatre: Handed) -> None:
    async with opened("4", "f", "v") as (stage, app, pilot):
        line = app.screen.pointed
        await theatre.until(lambda: line.verification is not None, pilot)
        await theatre.settled(pilot, stage)
        assert stage.wishes == [("verify", line.decision.digest)]
        await theatre.stands(app, pilot, "✓ integrity ✓ data ✓ model")
        await pilot.press("enter")
        told = ("✓ execution", "the transaction made these calls and nothing else", "verified in 420 ms")
        await theatre.stands(app, pilot, *told)


@pytest.mark.parametrize(
    ("standings", "words", "ink"),
    [
        (("holds", "holds"), "verified", "audit-ok"),
        (("holds", "open"), "not wholly verified: 1 of 2 rungs open", "waiting"),
        (("open", "breaks"), "broken: data", "risk-denied"),
    ],
)
def test_a_rung_left_open_is_no_broken_one(standings: tuple[str, str], words: str, ink: str) -> None:
    rungs = tuple(RungView(name, one, "") for name, one in zip(("integrity", "data"), standings, strict=True))
    whole = standings == ("holds", "holds")
    assert verdict_span(Verification("0x", "a", 0, None, rungs, whole, 0, 0.1)) == (words, ink)


async def test_what_cannot_be_verified_is_said(opened: Handed, theatre: Handed) -> None:
    async with opened("4", "f") as (stage, app, pilot):
        line = app.screen.pointed
        stage._decisions.clear()
        await pilot.press("v")
        await theatre.told(app, pilot, "No such decision is known.")
        assert not line.verifying


async def test_a_rating_is_passed_on_and_shown(opened: Handed, theatre: Handed) -> None:
    async with opened("4", "f", "enter") as (stage, app, pilot):
        line = app.screen.line
        for key, rating, words in (("g", "good", "▲ good"), ("n", "bad", "▼ not good")):
            await pilot.press(key)
            await theatre.until(lambda rating=rating: line.rating == rating, pilot)
            await theatre.stands(app, pilot, words)
        digest = line.decision.digest
        assert stage.wishes == [("rate", digest, "good", ""), ("rate", digest, "bad", "")]


async def test_neighbours_and_copies_are_a_key_away(opened: Handed) -> None:
    async with opened("4", "f", "enter") as (_, app, pilot):
        first = app.screen.line
        await pilot.press("left")
        assert app.screen.line.decision.sequence < first.decision.sequence
        assert app.screen.line.agent == first.agent
        await pilot.press("right")
        assert app.screen.line is first
        await pilot.press("c")
        assert app.clipboard == first.decision.digest
        await pilot.press("t")
        assert app.clipboard == first.execution.transaction_hash
        await pilot.press("escape", "down", "t")
        assert app.clipboard == app.screen.pointed.execution.transaction_hash


async def test_what_did_not_go_through_is_said_in_words_and_once_as_the_contract_said_it(
    opened: Handed, theatre: Handed
) -> None:
    async with opened("4", "f") as (stage, app, pilot):
        line = app.screen.pointed
        words, error = "the price moved: 36.9 bp less than the least it takes", "TooLittleReceived(1, 2)"
        failed = replace(line.execution, status="reverted", record_id=None, text=words, error=error)
        stage.play([failed])
        await pilot.press("enter")
        text = await theatre.stands(app, pilot, "did not go through", words, error)
        assert text.count("TooLittleReceived") == 1
        stage.play([replace(failed, text=error)])
        await theatre.gone(app, pilot, words)
        assert theatre.seen(app).count("TooLittleReceived") == 1
        assert reason_words(line) == error


async def test_a_hold_somebody_asks_about_keeps_its_line_and_the_cursor(
    opened: Handed, theatre: Handed, session: Handed
) -> None:
    later = list(theatre.demo_stream(theatre.seed, blocks=62, end=False))[len(session) :]
    async with opened("4", "slash", *"hold", "enter", "v") as (stage, app, pilot):
        line = app.screen.pointed
        agent = app.fleet.agents[line.agent]
        assert (line.is_hold, agent.last is line, app.screen.log_of_decisions.cursor) == (True, True, 0)
        await theatre.until(lambda: line.verification is not None, pilot)
        digest = line.decision.digest
        stage.play(later)
        await theatre.until(lambda: agent.last is not line, pilot)
        await theatre.settled(pilot, stage)
        assert (app.screen.pointed, line.decision.digest) == (line, digest)
        await theatre.stands(app, pilot, "✓ integrity ✓ data ✓ model")
