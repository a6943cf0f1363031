"""What gas cost over time, from a file: CSV or parquet with a timestamp and a base fee."""

from bisect import bisect_right
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Final

from defai.errors import ConfigError, NotFoundError
from defai.marketsim.price_files import timestamps_of
from defai.marketsim.price_tables import Table, read_table
from defai.units import GWEI

_MEANINGS: Final = ("basefee", "gasprice", "gwei", "wei")
"""What the name of a column of fees has in it, case and punctuation aside; the first that fits counts."""
_LARGEST_WEI: Final = 10**6 * GWEI
_STEPS_BEYOND: Final = 2
"""The last fee holds for so many of the file's usual steps."""


@dataclass(frozen=True, slots=True)
class BaseFeeSeries:
    """Base fees by time; each holds until the next.

    Attributes:
        source: the file's path, for people.
        timestamps: seconds since 1970, rising.
        wei: as many fees, for a unit of gas.
        sha256: of the file's content.
    """

    source: str
    timestamps: tuple[int, ...]
    wei: tuple[int, ...]
    sha256: str

    def at(self, moment: int) -> int:
        """The base fee in wei at a moment, in seconds since 1970; before the first it is that of the first."""
        return self.wei[max(bisect_right(self.timestamps, moment) - 1, 0)]

    def require(self, first: int, last: int) -> None:
        """Check that the fees of some time are known.

        Raises:
            ConfigError: where they begin too late or end too early.
        """
        steps = sorted(after - before for before, after in pairwise(self.timestamps))
        reach = self.timestamps[-1] + _STEPS_BEYOND * (steps[len(steps) // 2] if steps else 0)
        if first < self.timestamps[0] or last > reach:
            which = "begin after" if first < self.timestamps[0] else "end before"
            raise ConfigError(f"The base fees of {self.source} {which} the history they are to go with.")


def read_base_fees(path: Path) -> BaseFeeSeries:
    """Read base fees; the unit is told by the column's name: gwei where it says so, else wei.

    Raises:
        NotFoundError: where there is no such file.
        ConfigError: naming file, row and cause.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no file of base fees {path}.")
    table = read_table(path)
    name = _column(table)
    unit = GWEI if "gwei" in _plain(name) else 1
    wei = [_fee(table, row, str(cell), unit) for row, cell in enumerate(table.column(name))]
    if not wei:
        raise ConfigError(f"{path.name} has no base fees.")
    digest = "0x" + sha256(path.read_bytes()).hexdigest()
    return BaseFeeSeries(str(path), tuple(timestamps_of(table)), tuple(wei), digest)


def _column(table: Table) -> str:
    for meaning in _MEANINGS:
        for name in table.names:
            if meaning in _plain(name):
                return name
    columns = ", ".join(table.names)
    raise ConfigError(
        f"{table.path.name} has no column of base fees; its columns are {columns}.",
        "Name it base_fee_gwei or base_fee_wei.",
    )


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _fee(table: Table, row: int, cell: str, unit: int) -> int:
    try:
        wei = Decimal(cell.strip()) * unit
    except InvalidOperation:
        wei = Decimal("nan")
    if not wei.is_finite():
        raise ConfigError(f"{table.place(row)}: the base fee '{cell[:40]}' is no number.")
    if not 0 <= wei <= _LARGEST_WEI:
        raise ConfigError(f"{table.place(row)}: a base fee of {cell} cannot be.", "Is the unit right?")
    return int(wei)
