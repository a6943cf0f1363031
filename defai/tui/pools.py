"""What the screens know of a pool: its price as a curve, its swaps as a tape, its liquidity as it was last told."""

from collections import deque
from dataclasses import field

from defai.domain.stream import LiquiditySeen, PoolCard, PoolQuote, SwapsSeen, SwapView
from defai.late_dataclass import dataclass
from defai.tui.format import price, shorten
from defai.tui.series import Series

TAPE_LINES = 400


@dataclass(slots=True)
class TapeLine:
    """One swap on the tape."""

    key: str
    block_number: int
    timestamp: int
    swap: SwapView
    version: int = 0

    @property
    def who(self) -> str:
        """Whose it was: an agent's name; nothing for somebody else's."""
        return self.swap.agent or ""

    @property
    def words(self) -> str:
        """What a filter searches."""
        swap = self.swap
        return f"{self.who} {swap.side} {self.block_number} {price(swap.price)} {swap.transaction_hash}"


@dataclass(slots=True)
class PoolState:
    """A pool.

    Attributes:
        prices: quote per base, by block.
        left_out: swaps that were too many to be told.
    """

    card: PoolCard
    quote: PoolQuote | None = None
    prices: Series = field(default_factory=Series)
    tape: deque[TapeLine] = field(default_factory=lambda: deque(maxlen=TAPE_LINES))
    liquidity: LiquiditySeen | None = None
    left_out: int = 0
    seen: int = 0

    @property
    def name(self) -> str:
        """What it is called: "USDC/WETH 0.05 %"."""
        return self.card.name

    @property
    def unit(self) -> str:
        """What its price is in."""
        return f"{self.card.quote_symbol} per {self.card.base_symbol}"

    def quoted(self, block: int, quote: PoolQuote) -> None:
        """Take in its price after a block."""
        self.quote = quote
        self.prices.append(block, float(quote.price))

    def swapped(self, event: SwapsSeen) -> None:
        """Take in a block's swaps."""
        self.left_out += event.left_out
        for swap in event.swaps:
            self.seen += 1
            key = f"{self.seen} {shorten(swap.transaction_hash)}"
            self.tape.append(TapeLine(key, event.block_number, event.timestamp, swap))
