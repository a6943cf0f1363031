"""A canvas of braille dots: two across and four down in every cell."""

from rich.segment import Segment

from defai.tui.themes import Palette

DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Bits of a braille character by column and row, as Unicode numbers them."""


class Canvas:
    """Dots, glyphs and tinted cells on a grid of `width` x `height` cells; the later stroke wins a cell's ink.

    Args:
        width: cells across; the dots are twice as many.
        height: cells down; the dots are four times as many.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._dots = bytearray(width * height)
        self._inks: dict[int, str] = {}
        self._glyphs: dict[int, str] = {}
        self._tinted: set[int] = set()

    def dot(self, x: int, y: int, ink: str) -> None:
        """Set a dot; nothing happens outside the canvas."""
        if 0 <= x < self.width * 2 and 0 <= y < self.height * 4:
            cell = (y >> 2) * self.width + (x >> 1)
            self._dots[cell] |= DOTS[x & 1][y & 3]
            self._inks[cell] = ink

    def column(self, x: int, y0: int, y1: int, ink: str) -> None:
        """Set the dots between two heights, both included."""
        for y in range(min(y0, y1), max(y0, y1) + 1):
            self.dot(x, y, ink)

    def tint(self, column: int, top: int, bottom: int) -> None:
        """Tint the cells of a column between two rows, both included."""
        for row in range(max(0, top), min(self.height - 1, bottom) + 1):
            self._tinted.add(row * self.width + column)

    def glyph(self, column: int, row: int, character: str, ink: str) -> None:
        """Put a character in a cell, over its dots; nothing happens outside the canvas."""
        if 0 <= column < self.width and 0 <= row < self.height:
            cell = row * self.width + column
            self._glyphs[cell] = character
            self._inks[cell] = ink

    def words(self, column: int, row: int, text: str, ink: str) -> None:
        """Write a text from a cell onwards."""
        for index, character in enumerate(text):
            self.glyph(column + index, row, character, ink)

    def row(
        self, row: int, palette: Palette, ground: str = "background", tint: str = "band-fill"
    ) -> list[Segment]:
        """One row of cells as segments, neighbours of the same look joined."""
        segments: list[Segment] = []
        text, look = "", ("", "")
        start = row * self.width
        for cell in range(start, start + self.width):
            character = self._glyphs.get(cell) or (
                chr(0x2800 + self._dots[cell]) if self._dots[cell] else " "
            )
            now = (self._inks.get(cell, "muted"), tint if cell in self._tinted else ground)
            if now != look and text:
                segments.append(Segment(text, palette.style(*look)))
                text = ""
            look = now
            text += character
        if text:
            segments.append(Segment(text, palette.style(*look)))
        return segments
