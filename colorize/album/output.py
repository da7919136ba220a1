"""What is written of one photograph."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from colorize.album.plan import Job
from colorize.album.settings import Settings
from colorize.errors import ImageError
from colorize.files import write_whole
from colorize.images import Photograph, Pixels, write_pages, write_photograph
from colorize.images.photograph import three_channels


def write_pictures(job: Job, photograph: Photograph, colored: Pixels | None, settings: Settings) -> None:
    """Write those pictures of a job that are missing, or all with `overwrite`.

    Without `colored` pixels the photograph keeps its own: it is copied byte for byte, or rewritten if another format
    is asked for, and nothing is shown side by side.

    Raises:
        ImageError, DiskFullError, OSError: a picture cannot be written; nothing of it is.
    """
    for path in job.pictures if colored is not None else [job.output]:
        if path.exists() and not settings.overwrite:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if colored is None and path.suffix.lower() == job.file.suffix.lower():
            write_whole(path, job.file.read_bytes())
        else:
            write_photograph(path, *_picture(path, job, photograph, colored), settings.quality)


class _AllKeptError(Exception):
    """Ends the writing of pages that all keep their own colours."""


def write_page_pictures(
    job: Job, count: int, pages: Iterable[tuple[Photograph, Pixels | None]], settings: Settings
) -> bool:
    """Write those TIFFs of a job that are missing, or all with `overwrite`, from its photographs with their colours.

    One page is in memory at a time. One without `colored` pixels keeps its own, beside the others' as well; if all do,
    the file is copied byte for byte, and nothing is shown side by side.

    Args:
        job: its file is a TIFF of `count` pages.
        count: how many there are, for the message.
        pages: each with its coloured pixels or None, in order.
        settings: how.

    Returns:
        Whether the file was copied.

    Raises:
        ImageError, DiskFullError, OSError: a picture cannot be written, or is not named as a TIFF; nothing of it is.
    """
    paths = [path for path in job.pictures if settings.overwrite or not path.exists()]
    try:
        with ExitStack() as stack:
            writers = []
            for path in reversed(paths):  # so that `output` appears last
                if path.suffix.lower() not in (".tif", ".tiff"):
                    raise ImageError(f"{job.file}: has {count} pages, which no {path.suffix} holds: use format=tiff")
                path.parent.mkdir(parents=True, exist_ok=True)
                writers.append((path, stack.enter_context(write_pages(path))))
            all_kept = bool(writers)
            for photograph, colored in pages if writers else ():
                all_kept = all_kept and colored is None
                for path, add in writers:
                    add(*_picture(path, job, photograph, colored))
                del photograph, colored  # before the next is read
            if all_kept:
                raise _AllKeptError
    except _AllKeptError:
        if job.output in paths:
            write_whole(job.output, job.file.read_bytes())
        return True
    return False


def _picture(path: Path, job: Job, photograph: Photograph, colored: Pixels | None) -> tuple[Pixels, Photograph]:
    """The pixels of a picture, and the photograph whose alpha and metadata it has."""
    colored = photograph.pixels if colored is None else colored
    if path == job.side_by_side:
        return beside(photograph.pixels, colored), replace(photograph, alpha=None)
    return colored, photograph


def beside(before: Pixels, after: Pixels) -> Pixels:
    """Two pictures of one size, (H, W) or (H, W, 3), in one (H, 2 W, 3)."""
    both: Pixels = np.concatenate([three_channels(before), three_channels(after)], axis=1)
    return both
