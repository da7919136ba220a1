"""What is written of one photograph."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from colorize.album.coloring import Coloring
from colorize.album.plan import Job
from colorize.album.settings import Settings
from colorize.errors import ImageError
from colorize.files import is_file, write_whole
from colorize.images import Photograph, Pixels, Planes, write_pages, write_photograph
from colorize.images.photograph import three_channels

Made = Coloring | Pixels | None
"""What was made of a photograph: its colours, a picture of a network at full size, or None where it keeps its own."""


def write_pictures(job: Job, photograph: Photograph, made: Made, settings: Settings) -> None:
    """Write those pictures of a job that are missing, or all with `overwrite`, one after another.

    A photograph that keeps its own colours is copied byte for byte, or rewritten if another format is asked for, and
    nothing else is written of it.

    Raises:
        ImageError, DiskFullError, OSError: a picture cannot be written; nothing of it is.
    """
    for path in job.pictures if made is not None else [job.output]:
        if is_file(path) and not settings.overwrite:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if made is None and path.suffix.lower() == job.file.suffix.lower():
            write_whole(path, job.file.read_bytes())
        else:
            write_photograph(path, *_file_picture(path, job, photograph, made), settings.quality)


class _AllKeptError(Exception):
    """Ends the writing of pages that all keep their own colours."""


def write_page_pictures(job: Job, count: int, pages: Iterable[tuple[Photograph, Made]], settings: Settings) -> bool:
    """Write those TIFFs of a job that are missing, or all with `overwrite`, from what was made of its pages.

    One page is in memory at a time. One that keeps its own colours has them in each of the files, and is black in a map
    of uncertainty; if all do, the file is copied byte for byte, and nothing else is written of it.

    Args:
        job: its file is a TIFF of `count` pages.
        count: how many there are, for the message.
        pages: each with what was made of it, in order.
        settings: how.

    Returns:
        Whether the file was copied.

    Raises:
        ImageError, DiskFullError, OSError: a picture cannot be written, or is not named as a TIFF; nothing of it is.
    """
    paths = [path for path in job.pictures if settings.overwrite or not is_file(path)]
    try:
        with ExitStack() as stack:
            writers = []
            for path in reversed(paths):  # so that `output` appears last
                if path.suffix.lower() not in (".tif", ".tiff"):
                    raise ImageError(f"{job.file}: has {count} pages, which no {path.suffix} holds: use format=tiff")
                path.parent.mkdir(parents=True, exist_ok=True)
                writers.append((path, stack.enter_context(write_pages(path))))
            all_kept = bool(writers)
            for photograph, made in pages if writers else ():
                all_kept = all_kept and made is None
                for path, add in reversed(writers):
                    add(*_picture(path, job, photograph, made))
                del photograph, made  # before the next is read
            if all_kept:
                raise _AllKeptError
    except _AllKeptError:
        if job.output in paths:
            write_whole(job.output, job.file.read_bytes())
        return True
    return False


def _file_picture(path: Path, job: Job, photograph: Photograph, made: Made) -> tuple[Pixels | Planes, Photograph]:
    """As `_picture`, where no other file needs the same pixels."""
    if isinstance(made, Coloring) and path in job.samples:
        return made.for_file(path, job.samples.index(path)), photograph
    if isinstance(made, Coloring) and path == job.output and job.side_by_side is None:
        return made.for_file(path), photograph
    return _picture(path, job, photograph, made)


def _picture(path: Path, job: Job, photograph: Photograph, made: Made) -> tuple[Pixels, Photograph]:
    """The pixels of a picture, and the photograph whose alpha and metadata it has."""
    if path == job.uncertainty:
        certain = np.zeros(photograph.pixels.shape[:2], np.uint8)
        pixels = made.uncertainty() if isinstance(made, Coloring) else certain
        return pixels, Photograph(pixels, dpi=photograph.dpi)
    if isinstance(made, Coloring):
        made = made.sample(job.samples.index(path)) if path in job.samples else made.picture
    colored = photograph.pixels if made is None else made
    if path == job.side_by_side:
        return beside(photograph.pixels, colored), replace(photograph, alpha=None)
    return colored, photograph


def beside(before: Pixels, after: Pixels) -> Pixels:
    """Two pictures of one size, (H, W) or (H, W, 3), in one (H, 2 W, 3)."""
    both: Pixels = np.concatenate([three_channels(before), three_channels(after)], axis=1)
    return both
