"""`defai parity`: the simulation held against the chain, by the demo's whole fleet."""

import json
from collections.abc import Callable, Sequence

import click.testing
import pytest

from defai.agent.bus import Bus
from defai.agent.ports import World
from defai.cli.parity import command
from defai.config import Settings
from defai.errors import DivergenceError
from defai.market.valuation import Valuation
from defai.session.choice import build_parity
from defai.session.session import Session
from defai.strategy.gas import GAS_ERROR
from defai.worlds.kept import Kept
from defai.worlds.seating import SeatRequest
from defai.worlds.shadow import Agreement


@pytest.mark.usefixtures("trained_home")
def test_amounts_and_pools_agree_to_the_last_unit() -> None:
    run = click.testing.CliRunner().invoke(command, ["--blocks", "30", "--json"], catch_exceptions=False)
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["blocks"] >= 30 + 64
    assert found["pool_states"] == 2 * (found["blocks"] + 1)
    assert found["submissions"] >= 4
    assert 0 <= found["worst_gas_error"] <= found["stated_gas_error"] == GAS_ERROR
    assert abs(found["total_gas_error"]) <= found["worst_gas_error"]


def test_an_estimate_of_gas_beyond_what_is_stated_is_named() -> None:
    found = Agreement(gas=[(200_000, 200_000), (100_000, 134_000), (300_000, 200_000)])
    found.require_gas_estimates()
    assert found.total_gas_error == pytest.approx(534 / 600 - 1)
    found.gas.append((200_000, 128_000))
    with pytest.raises(DivergenceError, match=r"took 200,000 gas where 128,000 were estimated: -36.0%"):
        found.require_gas_estimates()
    Agreement().require_gas_estimates()


@pytest.mark.usefixtures("trained_home")
async def test_the_first_unit_that_differs_is_named() -> None:
    def wrong(
        settings: Settings,
        requests: Sequence[SeatRequest],
        valuation: Valuation,
        warn: Callable[[str], None],
        kept: Kept | None = None,
    ) -> World:
        world = build_parity(settings, requests, valuation, warn, kept)
        pool = next(iter(world._shadow._pools.values()))
        world._shadow.begin = lambda: pool.set_fee_protocol(4, 4)  # type: ignore[method-assign]  # a fault to be found
        world.begin = world._shadow.begin  # type: ignore[method-assign]  # the same
        return world

    settings = Settings.demo({"network.block_time_s": 0}, environment={})
    with pytest.raises(DivergenceError, match=r"Block \d+, pool 0x88e6.*fee_growth_global\d_x128 differs"):
        await Session(settings, Bus(), blocks=30, build=wrong).run()
