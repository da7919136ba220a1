"""What went wrong with a photograph or a film, in words, and whether the disk is full."""

import errno
from pathlib import Path

from colorize.errors import ColorizeError, DiskFullError, first_line

_FULL = (errno.ENOSPC, errno.EDQUOT)


def reason(file: Path, error: BaseException) -> str:
    """One sentence that names the file."""
    if isinstance(error, ColorizeError):
        return str(error)
    if strerror := getattr(error, "strerror", None):  # of the system, or of FFmpeg
        return f"{getattr(error, 'filename', None) or file}: {strerror}"
    return f"{file}: {type(error).__name__}: {first_line(error)}"


def full_disk(folder: Path) -> str:
    """The sentence for a disk that is full."""
    return f"The disk of {folder} is full: make room, and the same command goes on from here."


def is_full(error: BaseException | None) -> bool:
    """Whether it, or what it came from, is a full disk or a quota that is used up."""
    while error is not None:
        if isinstance(error, DiskFullError) or (isinstance(error, OSError) and error.errno in _FULL):
            return True
        error = error.__cause__ or error.__context__
    return False
