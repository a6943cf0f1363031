"""Minute bars as a ground to run on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
    base_fee_at: Callable[[int], int] | None = None,
    first_time: int | None = None,
    end_time: int | None = None,
) -> Ground:
    """Read minute bars.

    Args:
        source: a minute file, or a folder of them.
        traded: what the pool trades, where its address is not known; see `find_pool`.
        numeraire: symbol of the token that counts as money.
        base_fee_wei: what gas costs; 0 where nobody says, and then none is charged.
        base_fee_at: what it costs at a moment (seconds since 1970), instead.
        first_time: bars that begin before it are left out.
        end_time: as are those that begin at it or later.

    Raises:
        NotFoundError: where there are no bars.
        ConfigError: naming file, line and cause, or a pool that is not known.
    """
    bars = read_bars(source, first_time, end_time)
    key = find_pool(place_of(minute_files(source)[0]), traded)
    fees = [base_fee_at(int(moment)) for moment in bars.timestamps] if base_fee_at else [base_fee_wei]
    return _ground_of(_Recorded(bars, key, valuation_of([key], numeraire), tuple(fees), str(source)), 0)


@dataclass(frozen=True, slots=True)
class _Recorded:
    """What all windows of a ground have in common; fees bar by bar, the last one for all after it."""

    bars: MinuteBars
    key: PoolKey
    valuation: Valuation
    base_fees_wei: tuple[int, ...]
    source: str

    def __getitem__(self, rows: slice) -> "_Recorded":
        return replace(self, bars=self.bars.rows(0, rows.stop))


def _ground_of(recorded: _Recorded, first_row: int) -> Ground:
    bars = recorded.bars

    def make_world(requests: Sequence[SeatRequest]) -> BarsWorld:
        return BarsWorld(
            bars,
            recorded.key,
            recorded.valuation,
            requests,
            base_fees_wei=recorded.base_fees_wei,
            first_row=first_row,
        )

    def row_at(moment: int) -> int:
        return int(bars.timestamps.searchsorted(moment))

    padded = f"; {bars.padded} minutes without a bar filled" if bars.padded else ""
    return Ground(
        kind="bars",
        keys=(recorded.key,),
        valuation=recorded.valuation,
        fidelity=FIDELITY + padded,
        exact_share=None,
        priced_gas=any(recorded.base_fees_wei),
        sha256=bars.digest,
        source=recorded.source,
        settings={},
        make_world=make_world,
        until=lambda moment: _ground_of(recorded[: row_at(moment - MINUTE_S + 1)], first_row),
        window=lambda first, end: _ground_of(recorded[: row_at(end)], row_at(first)),
        step_s=MINUTE_S,
        first_time=int(bars.timestamps[first_row]) if len(bars) > first_row else None,
        last_time=int(bars.timestamps[-1]) if len(bars) else None,
    )
