"""Writing a file so that it appears whole or not at all."""

import fcntl
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_TEMPORARY = re.compile(r"\.[0-9a-f]{32}\.tmp")


def is_file(path: Path) -> bool:
    """Whether it is a file; also of a path that is none because its name is too long, on which Path.is_file raises."""
    return os.path.isfile(path)  # noqa: PTH113


def expand_home(path: Path | str) -> Path:
    """~ and ~USER as their home; ~NAME of nobody, on which Path.expanduser raises, is a name like any other."""
    return Path(os.path.expanduser(path))  # noqa: PTH111


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` as `whole_file` does."""
    with whole_file(path) as file:
        file.write(data)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` to write to; when all went well, it goes to the disk and is renamed to `path`.

    An older file stays until the new one is complete, or if anything is raised within.
    """
    temporary, file = _open_temporary(path.parent)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)  # while it is locked
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def remove_temporaries(folder: Path) -> None:
    """Remove the temporary files that killed processes left in a folder; those being written stay."""
    for path in folder.glob(".*.tmp"):
        if _TEMPORARY.fullmatch(path.name):
            # it is being written, is gone by now, or cannot be locked or removed
            with suppress(OSError), path.open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()


def _open_temporary(folder: Path) -> tuple[Path, BinaryIO]:
    """A new file that is locked for as long as it is open: the system unlocks it however the process ends."""
    while True:
        path = folder / f".{uuid.uuid4().hex}.tmp"
        file = path.open("xb")
        with suppress(OSError):  # a file system without locks: `remove_temporaries` cannot lock either
            fcntl.flock(file, fcntl.LOCK_EX)
        if path.exists():  # not removed before it was locked
            return path, file
        file.close()
