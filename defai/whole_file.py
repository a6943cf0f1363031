"""Files that are written whole: a reader, and whoever comes after a crash, sees the old one or the new one."""

import os
from pathlib import Path


def put(path: Path, content: bytes, *, durable: bool = False, mode: int = 0o666) -> None:
    """Put a file in its place; one that stands there is replaced.

    Args:
        path: where. Its folder is there already.
        content: all of it.
        durable: whether it is on the disk before this returns: then a power cut takes nothing back either.
        mode: who may read and write it, less what the process' umask takes away.

    Raises:
        OSError: where it cannot be written; nothing is left of it then.
    """
    draft = path.with_name(
        f".{path.name}.{os.getpid()}.part"
    )  # another process may write the same file meanwhile
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
