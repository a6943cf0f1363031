"""Which ticks are initialised: one bit a tick, 256 to a word, as the contract keeps them (Uniswap's TickBitmap).

The words matter beyond storage: a swap looks no further than the end of a word at a time, and rounds at every stop.
"""

from collections.abc import Iterable

from defai.amm.errors import AmmRevert


class TickMap:
    """Initialised ticks of a pool; words without a bit are not kept.

    Args:
        tick_spacing: the pool's tick spacing; only its multiples can be initialised.
        ticks: the ticks that are initialised already.

    Attributes:
        words: word position to word; bit b of word w is the tick `(256 * w + b) * tick_spacing`.
    """

    __slots__ = ("tick_spacing", "words")

    def __init__(self, tick_spacing: int, ticks: Iterable[int] = ()) -> None:
        self.tick_spacing = tick_spacing
        self.words: dict[int, int] = {}
        for tick in ticks:
            self.flip(tick)

    def flip(self, tick: int) -> None:
        """Turn a tick's bit over.

        Raises:
            AmmRevert: '' where the tick is no multiple of the spacing.
        """
        compressed, off = divmod(tick, self.tick_spacing)
        if off:
            raise AmmRevert("", f"Tick {tick} is no multiple of the tick spacing {self.tick_spacing}.")
        position = compressed >> 8
        word = self.words.get(position, 0) ^ (1 << (compressed & 255))
        if word:
            self.words[position] = word
        else:
            del self.words[position]

    def next_initialized_tick_within_one_word(self, tick: int, *, lte: bool) -> tuple[int, bool]:
        """The nearest initialised tick, or the end of the word if the word has none.

        Args:
            tick: where to start.
            lte: look at this tick and to its left; else strictly to its right.

        Returns:
            The tick, which may lie outside the range of ticks, and whether it is initialised.
        """
        compressed = tick // self.tick_spacing
        if lte:
            bits = self.words.get(compressed >> 8, 0) & ((2 << (compressed & 255)) - 1)
            if bits:
                return ((compressed & -256) + bits.bit_length() - 1) * self.tick_spacing, True
            return (compressed & -256) * self.tick_spacing, False
        compressed += 1
        bits = self.words.get(compressed >> 8, 0) >> (compressed & 255)
        if bits:
            return (compressed + (bits & -bits).bit_length() - 1) * self.tick_spacing, True
        return (compressed | 255) * self.tick_spacing, False
