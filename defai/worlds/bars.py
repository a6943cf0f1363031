"""The bars world: our agents in a pool that follows minute bars.

Upon a bar agents decide at its close; what they decided is carried out right there, before the next bar's volume
comes. Our own swaps pay the pool's fee and their impact on the bar's liquidity and ours; then the price goes back to
where the record has it, since bars can't tell what others would have done. Our liquidity dilutes: a bar's fees are
shared among the bar's liquidity and ours. What is estimated by that, docs/bars.md tells.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from defai.agent import gas
from defai.agent.ports import Arrival, Opening
from defai.amm import Pool
from defai.domain.chain_events import Block
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.errors import ConfigError, NotFoundError
from defai.market.bars import MINUTE_S, MinuteBars, from_limbs
from defai.market.valuation import Valuation
from defai.worlds.bar_market import BarMarket, BarWindow
from defai.worlds.bar_path import BarPath
from defai.worlds.bar_pool import BarPool
from defai.worlds.in_memory import InMemory
from defai.worlds.seating import SeatRequest

FIDELITY: Final = "minute bars (estimated fees)"
"""What a report on this world says of its figures."""
_ROWS_AT_ONCE: Final = 4_096
_FEW: Final = 16
"""So few bars are followed one by one: to do so at once takes longer."""


class BarsWorld(InMemory):
    """Minute bars with our agents among them.

    Args:
        bars: the bars; not changed, any number of worlds can share them.
        key: their pool.
        valuation: what money is; it must price by this pool.
        requests: the agents, in the order in which they act.
        base_fee_wei: what gas costs, the same for all bars; 0 means that gas is free, the tip too.
        base_fees_wei: what it costs bar by bar, instead.
        first_row: the bar before which agents get their money; those before it are history to look back on.

    Raises:
        ConfigError: where the valuation prices by another pool.
        NotFoundError: where there is no such bar.
    """

    network = "bars"

    def __init__(
        self,
        bars: MinuteBars,
        key: PoolKey,
        valuation: Valuation,
        requests: Sequence[SeatRequest] = (),
        *,
        base_fee_wei: int = 0,
        base_fees_wei: Sequence[int] | None = None,
        first_row: int = 0,
    ) -> None:
        if valuation.key.address != key.address:
            raise ConfigError(f"Bars of {key.name} can't be priced by {valuation.key.name}.")
        if not 0 <= first_row < len(bars):
            raise NotFoundError(f"There is no bar {first_row} among {len(bars):,} bars.")
        self.bars = bars
        self.key = key
        self.feed = self
        self.executor = self
        self._base_fees_wei = base_fees_wei or (base_fee_wei,)
        self._row = first_row
        opening = from_limbs(bars.liquidity[max(first_row - 1, 0) :][:1])[0]
        start = int(bars.timestamps[first_row])
        self._moving = BarPool(key, bars.tick_before(first_row), opening, start)
        self._stem = bars.digest[:50]
        hashes = self._hash(first_row), self._hash(first_row - 1)
        head = Block(first_row, *hashes, start, self._base_fee_wei(first_row))
        super().__init__({key.address: key}, {key.address: self._moving.pool}, valuation, requests, head)
        self._path: BarPath | None = None
        self._window = BarWindow(bars, first_row, self._base_fees_wei, key.fee_pips)
        self._volume = self._rows_from(first_row)

    async def open(self) -> Opening:
        """Give the agents their money."""
        return Opening(BarMarket(self.key, self._moving.pool, self._window, self._head), self._seat())

    def warm_up(self, wanted: int) -> int:  # noqa: ARG002  what came before is in the window already
        """None: agents may decide upon the first bar."""
        return 0

    async def next(self) -> Arrival | None:
        """Carry out what was decided upon the last bar, then let the next one happen; None after the last."""
        block = self.advance()
        return Arrival(block) if block is not None else None

    async def make_block(self) -> Arrival | None:
        """A bar in which nothing happens but what agents have decided: to settle in."""
        head = self._head
        number = head.number + 1
        block = Block(
            number, self._hash(number), head.hash, head.timestamp + MINUTE_S, self._base_fee_wei(number)
        )
        self._carry_out_pending(block)
        self._moving.pool.timestamp = block.timestamp
        self._window.repeat()
        self._head = block
        return Arrival(block)

    def advance(self) -> Block | None:
        """As `next`, without waiting: the bar's block."""
        volume = next(self._volume, None)
        if volume is None:
            return None
        close_tick, amount0_in, amount1_in, liquidity = volume
        head = self._head
        number = head.number + 1
        block = Block(
            number, self._hash(number), head.hash, head.timestamp + MINUTE_S, self._base_fee_wei(number)
        )
        if self._pending:
            self._carry_out_pending(block)
        self._moving.follow(close_tick, amount0_in, amount1_in, liquidity, block.timestamp)
        self._row += 1
        self._window.end = self._row
        self._head = block
        return block

    @property
    def pool(self) -> Pool:
        """The pool as it stands."""
        return self._moving.pool

    @property
    def window(self) -> BarWindow:
        """What agents can look back on."""
        return self._window

    @property
    def row(self) -> int:
        """How many bars have happened, those before the agents joined included."""
        return self._row

    @property
    def is_settled(self) -> bool:
        """Whether nothing waits to be carried out, or to be told of."""
        return not self._pending and not self._settled

    def path(self) -> BarPath:
        """Where its bars lead, for whoever looks at many of them at once.

        Raises:
            ImportError: where nothing can be compiled.
        """
        self._path = self._path or BarPath(self.bars, self._valuation)
        return self._path

    def block_at(self, number: int) -> Block:
        """The block of a bar; the first bar of all has number 1."""
        moment = int(self.bars.timestamps[number - 1]) + MINUTE_S
        return Block(number, self._hash(number), self._hash(number - 1), moment, self._base_fee_wei(number))

    def pass_by(self, end: int) -> None:
        """Let bars happen upon which nobody acts: as `advance` again and again, while nothing is pending.

        Args:
            end: the bar after the last of them; where it has been reached, nothing happens.
        """
        first, count, moving = self._row, end - self._row, self._moving
        if count <= 0:
            return
        if count > _FEW:
            self.path().carry(moving.pool, first, count)
            moving.others = from_limbs(self.bars.liquidity[end - 1 : end])[0]
        else:
            for row, volume in enumerate(self._rows_from(first, end), first):
                moving.follow(*volume, int(self.bars.timestamps[row]) + MINUTE_S)
        self._volume = self._rows_from(end)
        self._row = self._window.end = end
        self._head = self.block_at(end)

    def balance(self, agent: str, token: Address) -> int:
        """Idle balance of an agent's vault, in the token's smallest unit."""
        return self._vaults.balances[agent].get(token, 0)

    def _base_fee_wei(self, number: int) -> int:
        """What gas costs in a block; it is its bar's."""
        fees = self._base_fees_wei
        return fees[min(max(number - 1, 0), len(fees) - 1)]

    def gas_wei(self, number: int) -> int:
        """What agents pay for a unit of gas in a block."""
        base_fee_wei = self._base_fee_wei(number)
        return base_fee_wei + gas.TIP_WEI if base_fee_wei else 0

    def _carry_out_pending(self, block: Block) -> None:
        gas_wei = self.gas_wei(block.number)
        recorded = self._moving.pool.tick
        moment = (block.number, self._head.timestamp)
        moved = False
        for request in self._requests:
            submission = self._pending.pop(request.name, None)
            if submission is not None:
                settlement, events = self.till.carry_out(
                    self._vaults, submission, moment, gas_wei, self._valuation
                )
                self._settled[request.name] = settlement
                moved |= bool(events)
        if moved:
            self._moving.touched(recorded)

    def _rows_from(self, first: int, end: int | None = None) -> Iterator[tuple[int, int, int, int]]:
        """Close tick, amounts in and liquidity of each bar, turned into Python's integers ever more at a time."""
        bars, begin, many = self.bars, first, _FEW
        while begin < (end or len(bars)):
            part = bars.rows(begin, min(begin + many, end or len(bars)))
            yield from zip(
                part.close_tick.tolist(),
                from_limbs(part.amount0_in),
                from_limbs(part.amount1_in),
                from_limbs(part.liquidity),
                strict=True,
            )
            begin, many = begin + many, min(2 * many, _ROWS_AT_ONCE)

    def _hash(self, number: int) -> str:
        """Stands for a block hash: the head of the files' digest, and the block's number."""
        return f"{self._stem}{max(number, 0):016x}"
