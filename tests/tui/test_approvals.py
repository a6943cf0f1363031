from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from defai.domain.stream import ApprovalResolved, SessionEnded
from defai.testing.surroundings import demo_request
from defai.tui.screens.approvals import ApprovalsScreen
from defai.tui.screens.consent import Consent, Refusal

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""

REQUESTS = [
    demo_request("reverter", "0xaa", 1_124, 1_767_225_659),
    demo_request("tiers", "0xbb", 1_124, 1_767_225_659, expires_in_s=30),
]


async def test_what_waits_is_listed_with_what_it_is_about(opened: Handed, theatre: Handed) -> None:
    async with opened("a", more=REQUESTS) as (_, app, pilot):
        assert isinstance(app.screen, ApprovalsScreen)
        assert [line.request.agent for line in app.screen.grid.roll.listed] == ["tiers", "reverter"]
        costs = ("12,400 USD", "1.59 + gas 2.10 = 3.69 USD", "0.40 USD a minute (estimate)")
        await theatre.stands(app, pilot, "expires in 0 m 30 s", "5 Approvals 2?", *costs)


async def test_only_the_name_typed_out_approves(opened: Handed, theatre: Handed) -> None:
    async with opened("a", "enter", more=REQUESTS) as (stage, app, pilot):
        for typed in ("", "reverter", "tier", "y"):
            await pilot.press(*typed, "enter")
            await theatre.settled(pilot, stage)
            assert isinstance(app.screen, Consent)
            await pilot.press(*["backspace"] * 10)
        await theatre.stands(app, pilot, "nothing was approved")
        await pilot.press("escape")
        await theatre.until(lambda: not isinstance(app.screen, Consent), pilot)
        await theatre.settled(pilot, stage)
        assert stage.wishes == []
        await pilot.press("enter", *"tiers", "enter")
        await theatre.until(lambda: stage.wishes, pilot)
        await theatre.settled(pilot, stage)
        assert stage.wishes == [("approve", "0xbb")]
        assert [line.request.agent for line in app.screen.grid.roll.listed] == ["reverter", "tiers"]
        await theatre.stands(app, pilot, "approved by the owner")


async def test_a_dialog_stays_with_its_request_and_says_when_that_ends(
    opened: Handed, theatre: Handed
) -> None:
    async with opened("a", "enter", more=REQUESTS) as (stage, app, pilot):
        assert app.screen.line.request.agent == "tiers"
        await theatre.stands(app, pilot, "Let tiers do this?", "waits expires in 0 m 30 s")
        stage.play([demo_request("hold", "0xcc", 1_124, 1_767_225_659, expires_in_s=5)])
        await theatre.until(lambda: len(app.fleet.waiting_room.open) == 3, pilot)
        assert app.screen.line.request.agent == "tiers", "whatever came in above it in the list"
        await pilot.press(*"hold", "enter")
        await theatre.settled(pilot, stage)
        assert isinstance(app.screen, Consent)
        stage.play([ApprovalResolved("tiers", "0xbb", "expired", "", "")])
        await theatre.stands(app, pilot, "It has expired in the meantime: nothing was approved here.")
        await pilot.press(*"dgood")
        await theatre.settled(pilot, stage)
        assert isinstance(app.screen, Consent), "what is typed on falls to no other screen"
        await pilot.press("enter")
        await theatre.until(lambda: isinstance(app.screen, ApprovalsScreen), pilot)
        assert stage.wishes == []


async def test_enter_upon_what_has_just_ended_takes_what_is_typed_on(opened: Handed, theatre: Handed) -> None:
    async with opened("a", more=REQUESTS[1:]) as (stage, app, pilot):
        stage.play([ApprovalResolved("tiers", "0xbb", "expired", "", "")])
        await theatre.settled(pilot, stage)
        await pilot.press("enter", *"dg", "enter")
        await theatre.until(lambda: isinstance(app.screen, ApprovalsScreen), pilot)
        assert stage.wishes == []
        await pilot.press("enter")
        await theatre.stands(app, pilot, "It has expired in the meantime")
        await pilot.press("escape")
        await theatre.until(lambda: isinstance(app.screen, ApprovalsScreen), pilot)


async def test_time_left_is_told_by_a_persons_clock_where_the_chains_goes_at_another_pace(
    opened: Handed, theatre: Handed
) -> None:
    async with opened("a", "down", more=REQUESTS) as (stage, app, pilot):
        await theatre.stands(app, pilot, "waits expires in 4 m 12 s", "4m left", "0.40 USD a minute")
        block = app.fleet.block
        for second in range(1, 6):
            stage.now += 1
            stage.play(
                [replace(block, number=block.number + second, timestamp=block.timestamp + 12 * second)]
            )
            await theatre.settled(pilot, stage)
        about = "expires in about 16 s: 3 m 12 s on the chain"
        await theatre.stands(app, pilot, about, "≈16s left", "4.80 USD a minute")
        await pilot.press("enter")
        await theatre.stands(app, pilot, "Let reverter do this?", f"waits {about}", "4.80 USD a minute")
        await pilot.press("escape", "1")
        await theatre.stands(app, pilot, "? you have ≈16s")


async def test_a_rejection_has_a_reason(opened: Handed, theatre: Handed) -> None:
    async with opened("a", "down", "r", more=REQUESTS) as (stage, app, pilot):
        assert isinstance(app.screen, Refusal)
        about = ("wants to rebalance to 198,400…200,900", "moves 12,400 USD", "waits expires in 4 m 12 s")
        await theatre.stands(app, pilot, "Reject what reverter asks?", *about)
        await pilot.press("escape", "r", *"too wide", "enter")
        await theatre.until(lambda: stage.wishes, pilot)
        await theatre.settled(pilot, stage)
        assert stage.wishes == [("reject", "0xaa", "too wide")]
        await theatre.stands(app, pilot, "rejected by the owner: too wide")


@pytest.mark.parametrize(
    ("key", "title"), [("enter", "Let reverter do this?"), ("r", "Reject what reverter asks?")]
)
async def test_in_the_smallest_terminal_one_sees_what_is_answered_and_where(
    opened: Handed, theatre: Handed, key: str, title: str
) -> None:
    async with opened("a", "down", key, more=REQUESTS, size=(60, 16)) as (_, app, pilot):
        await pilot.press(*"rev")
        about = ("wants to rebalance to 198,400…200,900", "waits expires in 4 m 12 s")
        await theatre.stands(app, pilot, title, *about, " rev ", "esc leaves it waiting")


async def test_a_rejection_that_comes_too_late_is_none(opened: Handed, theatre: Handed) -> None:
    async with opened("a", "r", more=REQUESTS[1:]) as (stage, app, pilot):
        await theatre.stands(app, pilot, "Reject what tiers asks?")
        stage.play([ApprovalResolved("tiers", "0xbb", "expired", "", "")])
        await theatre.stands(app, pilot, "It has expired in the meantime: nothing was rejected here.")
        await pilot.press(*"no", "enter")
        await theatre.until(lambda: isinstance(app.screen, ApprovalsScreen), pilot)
        assert stage.wishes == []


async def test_once_the_session_has_ended_nothing_can_be_answered(opened: Handed, theatre: Handed) -> None:
    async with opened("a", "enter", more=REQUESTS) as (stage, app, pilot):
        await theatre.stands(app, pilot, "Let tiers do this?")
        stage.play([SessionEnded("anvil was killed.", "Start it again.", 3)])
        await theatre.stands(app, pilot, "anvil was killed.")
        await pilot.press("escape")
        await theatre.stands(app, pilot, "The session has ended: nothing was approved here. esc closes.")
        await pilot.press(*"tiers", "enter")
        await theatre.until(lambda: isinstance(app.screen, ApprovalsScreen), pilot)
        unanswered = ("nobody answered before the session ended", "unanswered", "2 unanswered · 0 resolved")
        text = await theatre.stands(app, pilot, *unanswered)
        assert "left" not in text
        assert "asks for the agent's name" not in text
        await pilot.press("enter", "r", "y")
        await theatre.settled(pilot, stage)
        assert isinstance(app.screen, ApprovalsScreen), "and nothing asks"
        await pilot.press("1")
        await theatre.stands(app, pilot, "? waited for you")
        assert stage.wishes == []


@pytest.mark.parametrize("key", ["enter", "r", "y"])
async def test_with_nothing_waiting_no_key_does_anything(opened: Handed, theatre: Handed, key: str) -> None:
    async with opened("a", key) as (stage, app, pilot):
        await theatre.stands(app, pilot, "Nothing waits for you")
        assert isinstance(app.screen, ApprovalsScreen)
        assert stage.wishes == []
