"""Puts a screen together from its widgets, asking only those that have something new to show where it is shown."""

from collections.abc import Iterable

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip


class SparingCompositor(Compositor):
    """Textual's, but for an update of some regions it asks for no line outside of them, nor for what is covered.

    Textual's own asks every widget that lies in the smallest rectangle around all of them, for all its lines: with a
    line above and a line below that is the whole screen. And it asks those behind as well.
    """

    def __init__(self) -> None:
        super().__init__()
        self._wanted: tuple[Region, ...] = ()

    def render_partial_update(self) -> ChopsUpdate | None:
        """What has changed since the last update; None where nothing has."""
        self._wanted = tuple(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._wanted = ()

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        """Where widgets lie, the part of them that is asked for, and its lines; front to back."""
        if not self._wanted:
            yield from super()._get_renders(crop)
            return
        left = self._wanted
        for widget, (region, clip) in self.visible_widgets.items():
            seen = region.intersection(clip)
            touched = [wanted for wanted in left if wanted.overlaps(seen)]
            if touched:
                top = max(seen.y, min(wanted.y for wanted in touched))
                bottom = min(seen.bottom, max(wanted.bottom for wanted in touched))
                part = Region(seen.x, top, seen.width, bottom - top)
                yield region, part, widget.render_lines(part.translate(-region.offset))
                left = tuple(wanted for wanted in left if not seen.contains_region(wanted))
                if not left:
                    return
