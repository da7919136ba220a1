"""What is written of one photograph."""

from dataclasses import replace

import numpy as np

from colorize.album.plan import Job
from colorize.album.settings import Settings
from colorize.files import write_whole
from colorize.images import Photograph, Pixels, write_photograph
from colorize.images.photograph import three_channels


def write_pictures(job: Job, photograph: Photograph, colored: Pixels | None, settings: Settings) -> None:
    """Write those pictures of a job that are missing, or all with `overwrite`.

    Without `colored` pixels the photograph keeps its own: it is copied byte for byte, or rewritten if another format
    is asked for, and nothing is shown side by side.

    Raises:
        ImageError, DiskFullError, OSError: a picture cannot be written; no part of it is.
    """
    for path in job.pictures if colored is not None else [job.output]:
        if path.exists() and not settings.overwrite:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if colored is None and path.suffix.lower() == job.file.suffix.lower():
            write_whole(path, job.file.read_bytes())
        elif colored is None:
            write_photograph(path, photograph.pixels, photograph, settings.quality)
        elif path == job.side_by_side:
            write_photograph(
                path, beside(photograph.pixels, colored), replace(photograph, alpha=None), settings.quality
            )
        else:
            write_photograph(path, colored, photograph, settings.quality)


def beside(before: Pixels, after: Pixels) -> Pixels:
    """Two pictures of one size, (H, W) or (H, W, 3), in one (H, 2 W, 3)."""
    both: Pixels = np.concatenate([three_channels(before), three_channels(after)], axis=1)
    return both
