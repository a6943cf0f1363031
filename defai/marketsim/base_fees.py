"""What gas costs, block by block: about 7 gwei while prices are calm, tens of gwei while they are not."""

from array import array
from typing import Final

from defai.marketsim.prices import PricePath
from defai.units import GWEI

CALM_WEI: Final = 7 * GWEI
HIGHEST_WEI: Final = 300 * GWEI
_LOOK_BACK: Final = 24
_SLOW_BLOCK_SECONDS: Final = 24


class BaseFees:
    """A base fee for every block, from the path alone.

    It heads for 7 gwei times m; m is the mean move of the last 24 steps over the path's typical (median) one, scaled to
    be 1 for normal returns. Between blocks of up to 24 s it moves by at most an
    eighth, as EIP-1559 has it. Fees are kept, eight bytes a block.
    """

    def __init__(self, path: PricePath) -> None:
        self._path = path
        self._fees = array("Q", (CALM_WEI,))
        self._moves = (
            path.typical_move_pips * _LOOK_BACK * 1_183 // 1_000
        )  # mean over median of a normal's moves

    def at(self, block_index: int) -> int:
        """The base fee of a block in wei; before the first it is that of the first."""
        while block_index >= len(self._fees):
            self._append()
        return self._fees[max(block_index, 0)]

    def _append(self) -> None:
        index = len(self._fees)
        path = self._path
        calm = path.typical_move_pips * 1_183 // 1_000
        leaving = path.move_pips(index - _LOOK_BACK) if index > _LOOK_BACK else calm
        self._moves += path.move_pips(index) - leaving
        usual = path.typical_move_pips * _LOOK_BACK * 1_183 // 1_000
        target = CALM_WEI * self._moves // usual
        last = self._fees[-1]
        if path[index].timestamp - path[index - 1].timestamp <= _SLOW_BLOCK_SECONDS:
            target = min(max(target, last * 7 // 8), last * 9 // 8)
        self._fees.append(min(max(target, GWEI), HIGHEST_WEI))
