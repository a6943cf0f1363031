"""Style sheets that are read once: Textual reads all of them anew whenever a screen with one of its own is opened."""

from textual.css.stylesheet import Stylesheet


class LastingStylesheet(Stylesheet):
    """Textual's, but what has been read with the same colours is not read again.

    Args:
        variables: the theme's, name to value.
    """

    def __init__(self, *, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self._read_with = variables

    def set_variables(self, variables: dict[str, str]) -> None:
        """Take a theme's colours; only where they are others is what was read forgotten."""
        if variables != self._read_with:
            self._read_with = variables
            super().set_variables(variables)

    def reparse(self) -> None:
        """Read what has not been read with these colours; an error leaves everything as it was.

        Raises:
            StylesheetParseError: where a sheet is wrong.
        """
        self.parse()
