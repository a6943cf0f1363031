from dataclasses import replace
from typing import Any, TypeAlias

from defai.domain.stream import ChallengeView, DriftView, ModelSeen

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""


async def test_a_model_says_what_it_is_worth_and_who_asks_it(opened: Handed, theatre: Handed) -> None:
    async with opened("6") as (_, app, pilot):
        table = ("volatility_band-12", "✓ 6.5 % below HAR-RV", "· no better than zero")
        card = ("3,000 generated blocks, seed 7", "95 % between +0.0090 and +0.0230")
        await theatre.stands(app, pilot, *table, *card)
        await pilot.press("down")
        await theatre.stands(app, pilot, "return of the next 12 blocks")


async def test_drift_and_challengers_are_told_as_they_change(opened: Handed, theatre: Handed) -> None:
    async with opened("6") as (stage, app, pilot):
        one = next(line.seen for line in app.fleet.models.values())
        await theatre.stands(app, pilot, "✓ it is asked about what it knows")
        drift = DriftView("volatility_60", 0.31, 0.25, 200, 61, 0.1, 1.2, "its inputs have moved")
        won = ChallengeView("0x" + "ab" * 32, one.digest, True, 0.02, 0.01, 0.03, 512, "better", 1_300)
        stage.play([replace(one, drift=drift, challenges=(won,), retraining=True)])
        drifted = ("■ stopped", "✗ its inputs have moved", "61 of 200 left the band, 20.0 expected")
        challenged = ("0xabab…abab took over", "a challenger is being trained")
        nearer_of_its_two_tests = "124 %"
        await theatre.stands(app, pilot, *drifted, *challenged, nearer_of_its_two_tests)
        await pilot.resize_terminal(80, 24)
        await theatre.gone(app, pilot, "challengers")
        await theatre.stands(app, pilot, "Card of", "✗ its inputs have moved")
        await pilot.press("1")
        await theatre.stands(app, pilot, "≈")
        assert [line.key for line in app.fleet.agents.values() if line.standing[0] == "drifted"] == [
            *one.agents
        ]
        await pilot.resize_terminal(120, 40)
        await pilot.press("2")
        await theatre.stands(app, pilot, "≈ drifted · its inputs have moved")
        stage.play([replace(one, challenges=(won,))])
        await theatre.stands(app, pilot, "● running")


async def test_its_digest_is_copied_and_a_filter_finds_it(opened: Handed, theatre: Handed) -> None:
    async with opened("6") as (_, app, pilot):
        digest = next(line.seen.digest for line in app.fleet.models.values())
        await pilot.press("c")
        await theatre.until(lambda: app.clipboard, pilot)
        assert app.clipboard == digest
        await pilot.press("slash", *"return")
        text = await theatre.stands(app, pilot, "1 of 2")
        assert "volatility_band-12" not in text.split("Card of", maxsplit=1)[0]


async def test_without_a_model_it_says_so(theatre: Handed, session: Handed) -> None:
    stage = theatre.Stage([event for event in session if not isinstance(event, ModelSeen)])
    app = stage.app()
    async with app.run_test(size=(120, 40)) as pilot:
        await theatre.settled(pilot, stage)
        await pilot.press("6")
        await theatre.stands(app, pilot, "No agent asks a model.")
        app.exit()
