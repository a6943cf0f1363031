"""Whether a page can be shown beside the terminal, and not over it."""


def has_windows() -> bool:
    """Whether there is a browser with a window of its own: one that draws in a terminal would draw over ours."""
    import webbrowser  # noqa: PLC0415  no part of the first paint

    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return False
    return type(found) is not webbrowser.GenericBrowser
