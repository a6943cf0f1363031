"""Minute bars as a ground to run on."""

from collections.abc import Sequence
from pathlib import Path

from defai.backtest.ground import Ground, valuation_of
from defai.backtest.sources.bars import minute_files, read_bars
from defai.backtest.sources.known_pools import find_pool, place_of
from defai.domain.pool import PoolKey
from defai.market.bars import MINUTE_S, MinuteBars
from defai.market.valuation import Valuation
from defai.worlds.bars import FIDELITY, BarsWorld
from defai.worlds.seating import SeatRequest


def bars_ground(
    source: Path,
    *,
    traded: str | None = None,
    numeraire: str | None = None,
    base_fee_wei: int = 0,
    first_time: int | None = None,
    end_time: int | None = None,
) -> Ground:
    """Read minute bars.

    Args:
        source: a minute file, or a folder of them.
        traded: what the pool trades, where its address is not known; see `find_pool`.
        numeraire: symbol of the token that counts as money.
        base_fee_wei: what gas costs; 0 where nobody says, and then none is charged.
        first_time: bars that begin before it are left out.
        end_time: as are those that begin at it or later.

    Raises:
        NotFoundError: where there are no bars.
        ConfigError: naming file, line and cause, or a pool that is not known.
    """
    bars = read_bars(source, first_time, end_time)
    key = find_pool(place_of(minute_files(source)[0]), traded)
    return _ground_of(bars, key, valuation_of([key], numeraire), base_fee_wei, str(source))


def _ground_of(
    bars: MinuteBars, key: PoolKey, valuation: Valuation, base_fee_wei: int, source: str
) -> Ground:
    def make_world(requests: Sequence[SeatRequest]) -> BarsWorld:
        return BarsWorld(bars, key, valuation, requests, base_fee_wei=base_fee_wei)

    def until(moment: int) -> Ground:
        known = int(bars.timestamps.searchsorted(moment - MINUTE_S, side="right"))
        return _ground_of(bars.rows(0, known), key, valuation, base_fee_wei, source)

    padded = f"; {bars.padded} minutes without a bar filled" if bars.padded else ""
    return Ground(
        kind="bars",
        keys=(key,),
        valuation=valuation,
        fidelity=FIDELITY + padded,
        exact_share=None,
        priced_gas=base_fee_wei > 0,
        sha256=bars.digest,
        source=source,
        settings={},
        make_world=make_world,
        until=until,
    )
