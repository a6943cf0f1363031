"""A world that is recorded: its blocks come through unchanged, and the recording is lived through again exactly."""

from decimal import Decimal
from pathlib import Path

from defai.backtest.sources.event_files import read_event_history
from defai.chain.mainnet import USDC, USDC_WETH_005
from defai.marketsim.generated_prices import generate
from defai.marketsim.market import Market
from defai.worlds.recorded import RecordedWorld
from defai.worlds.recording import BLOCKS
from defai.worlds.sim import SimWorld
from tests.unit.worlds.replays import VALUATION


async def test_what_was_recorded_is_lived_through_again(tmp_path: Path) -> None:
    people = Market(3, generate(3, Decimal(2_000), 60), (USDC_WETH_005,), quote=USDC)
    world = RecordedWorld(SimWorld(people, VALUATION, ()), tmp_path)
    opening = await world.open()
    blocks = []
    for _ in range(8):
        arrival = await world.next()
        assert arrival is not None
        opening.market.apply(arrival.block)
        blocks.append(arrival.block)
    with (tmp_path / BLOCKS).open("a") as torn:
        torn.write('{"number":')  # as a process leaves it that is killed while it writes
    history = read_event_history(tmp_path)
    await world.close()
    assert history.blocks == tuple(blocks)
    assert history.chain_id == world.chain_id
    assert history.exact_share == 1.0
    assert len(history.calls) > 5
