from decimal import Decimal
from typing import Any, TypeAlias

from defai.tui.pools import PoolState
from defai.tui.screens.pool import wish_of

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""


async def test_a_pool_shows_its_price_its_tape_and_its_depth(opened: Handed, theatre: Handed) -> None:
    async with opened("3") as (stage, app, pilot):
        assert app.screen.scope == "pool"
        first = app.screen.pool
        newest = first.tape[-1]
        amount = f"{newest.swap.base_amount:.4f}"
        shown = (first.name, "Liquidity by tick", "Depth", amount, "2.00 %", "◆", "lp-wide")
        await theatre.stands(app, pilot, *shown)
        await pilot.press("c")
        await theatre.until(lambda: app.clipboard, pilot)
        assert app.clipboard == newest.swap.transaction_hash
        await pilot.press("right")
        await theatre.settled(pilot, stage)
        assert app.screen.pool is not first
        await theatre.stands(app, pilot, app.screen.pool.name)


async def test_an_amount_is_quoted_and_nonsense_is_answered(opened: Handed, theatre: Handed) -> None:
    async with opened("3", "t") as (stage, app, pilot):
        await theatre.until(lambda: app.focused is not None and app.focused.id == "quote-amount", pilot)
        await pilot.press(*"much", "enter")
        await theatre.stands(app, pilot, "An amount and a token are wanted")
        await theatre.settled(pilot, stage)
        assert stage.wishes == []
        await pilot.press(*["backspace"] * 4, "2", "full_stop", "5", "space", *"weth", "enter")
        await theatre.until(lambda: app.screen.quoted is not None, pilot)
        assert stage.wishes == [("quote", app.screen.pool.card.address, "WETH", "2.5")]
        gives = f"{app.screen.quoted.amount_out:,.6f} USDC"
        await theatre.stands(app, pilot, gives, "nothing is sent")


def test_an_amount_is_read_as_people_write_it(session: Handed) -> None:
    pool = PoolState(next(event for event in session if event.kind == "session_started").pools[0])
    assert wish_of("1,250.5 usdc", pool) == (Decimal("1250.5"), "USDC")
    assert wish_of("WETH 3", pool) == (Decimal(3), "WETH")
    assert wish_of("3", pool) == (Decimal(3), None)
    assert wish_of("-3 weth nan", pool) == (None, "WETH")
