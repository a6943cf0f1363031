"""What widgets tell the screens. A widget opens, pauses or copies nothing itself."""

from textual.message import Message


class LineOpened(Message):
    """The line under the cursor was opened, by enter or a click on it.

    Args:
        source: the id of the list.
        key: the line's key: an agent's name, a decision's digest, a record's id.
    """

    def __init__(self, source: str, key: str) -> None:
        super().__init__()
        self.source = source
        self.key = key


class LineSelected(Message):
    """The cursor came to another line. Conflates: only the last one of a list matters."""

    def __init__(self, source: str, key: str) -> None:
        super().__init__()
        self.source = source
        self.key = key

    def can_replace(self, message: Message) -> bool:
        """Whether this one makes an older, unread one of the same list superfluous."""
        return isinstance(message, LineSelected) and message.source == self.source


class SortChanged(Message):
    """A list is to be sorted by another column, or the other way round."""

    def __init__(self, source: str, title: str, *, descending: bool) -> None:
        super().__init__()
        self.source = source
        self.title = title
        self.descending = descending
