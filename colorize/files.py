"""Writing a file so that it appears whole or not at all."""

import contextlib
import os
import re
import sys
import uuid
from pathlib import Path
from typing import IO

if sys.platform != "win32":  # where a file that is open cannot be removed, nor renamed
    import fcntl

_TEMPORARY = re.compile(r"\.[0-9a-f]{32}\.tmp")


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` beside `path`, to the disk, then rename it: an older file stays until the new one is complete."""
    temporary, file = _open_temporary(path.parent)
    try:
        with file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if sys.platform != "win32":  # renamed while it is locked
                temporary.replace(path)
        if sys.platform == "win32":
            temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def remove_temporaries(folder: Path) -> None:
    """Remove the temporary files that killed processes left in a folder; those being written stay."""
    for path in folder.glob(".*.tmp"):
        if _TEMPORARY.fullmatch(path.name):
            with contextlib.suppress(OSError):  # it is being written, is gone by now, or cannot be locked or removed
                with path.open("r+b") as file:
                    if sys.platform != "win32":
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        path.unlink()
                if sys.platform == "win32":
                    path.unlink()


def _open_temporary(folder: Path) -> tuple[Path, IO[bytes]]:
    """A new file that is locked for as long as it is open: the system lets go of it however the process ends."""
    while True:
        path = folder / f".{uuid.uuid4().hex}.tmp"
        file = path.open("xb")
        if sys.platform != "win32":
            with contextlib.suppress(OSError):  # a file system without locks: `remove_temporaries` cannot lock either
                fcntl.flock(file, fcntl.LOCK_EX)
        if path.exists():  # not removed before it was locked
            return path, file
        file.close()
