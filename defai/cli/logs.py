"""The log file: small, rotating, without secrets.

What a person has to know is printed; the log is for finding out why.
"""

import logging
import logging.handlers
import os
from pathlib import Path
from typing import Final

import platformdirs

from defai.harmless import harmless_lines
from defai.redaction import redacted

FILE_NAME: Final = "defai.log"
_LINE: Final = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
_MEGABYTE: Final = 1 << 20
_MARGIN: Final = "\n    "
LONGEST: Final = 1 << 16
"""Characters of a record that are kept: one that fills the file would drive all the others out."""


class RedactingFormatter(logging.Formatter):
    """Formats a record whole, traceback included, and takes the secrets out of the result.

    Only a record begins at the margin: an exception or a node may say whatever it likes, and none of it can be taken
    for a record, or for an order to the terminal that the file is read in.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line or lines of a record, as they may be kept."""
        text = redacted(super().format(record))
        if len(text) > LONGEST:
            text = f"{text[:LONGEST]}… and {len(text) - LONGEST:,} more characters"
        return _MARGIN.join(harmless_lines(text))


def default_directory() -> Path:
    """Where the log is kept when no run directory is named."""
    return platformdirs.user_log_path("defai", appauthor=False)


def start(directory: Path | None = None, *, debug: bool = False) -> Path | None:
    """Send every log record of the process to a rotating file; called again, to another one.

    Args:
        directory: of the file; made where it is missing.
        debug: whether our own records below INFO are kept as well.

    Returns:
        The file, or None where none can be written there: then nothing is logged, and nothing else suffers.
    """
    directory = default_directory() if directory is None else directory
    root = logging.getLogger()
    stop()
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = debug  # a full disk must not write tracebacks over the terminal
    root.setLevel(logging.WARNING)
    logging.getLogger("defai").setLevel(logging.DEBUG if debug else logging.INFO)
    if not _can_write_in(directory):
        root.addHandler(logging.NullHandler())
        return None
    handler = logging.handlers.RotatingFileHandler(
        directory / FILE_NAME, maxBytes=_MEGABYTE, backupCount=4, encoding="utf-8", delay=True
    )
    handler.setFormatter(RedactingFormatter(_LINE))
    root.addHandler(handler)
    return Path(handler.baseFilename)


def stop() -> None:
    """Close the handlers that `start` opened and leave everyone else's alone."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, logging.NullHandler) or isinstance(handler.formatter, RedactingFormatter):
            root.removeHandler(handler)
            handler.close()
    logging.captureWarnings(capture=False)


def current_file() -> Path | None:
    """The file that is being logged to; None where there is none."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.handlers.RotatingFileHandler):
            return Path(handler.baseFilename)
    return None


def _can_write_in(directory: Path) -> bool:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    file = directory / FILE_NAME
    return os.access(directory, os.W_OK) and (not file.exists() or os.access(file, os.W_OK))
