"""Texts of others, made fit to be shown.

A strategy's reason, a stranger's record and a token's symbol are whatever their authors wrote. A terminal takes some
characters for orders: to clear it, to write to the clipboard, to turn the direction of what follows.
"""


def harmless(text: str) -> str:
    """A text on one line, without what cannot be seen: every kind of space becomes a space, orders are left out."""
    if text.isprintable():
        return text
    return "".join([one if one.isprintable() else " " if one.isspace() else "" for one in text])


def harmless_lines(text: str) -> list[str]:
    """The lines of a text, each of them harmless."""
    return [harmless(line) for line in text.splitlines()]
