"""Uploaded photographs: a quick look at one, and the files of one or many, as predict.py writes them."""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from colorize.album.coloring import color
from colorize.album.ledger import LedgerRow
from colorize.album.pipeline import Pipeline
from colorize.album.plan import Job, make_plan
from colorize.album.settings import Settings
from colorize.images import Photograph, Pixels, read_header, read_photograph, write_photograph
from colorize.images.photograph import on_white, three_channels, to_8_bit
from colorize.inference.colorizer import Colorizer

from colorize.app.limits import PREVIEW_SIDE


@dataclass(frozen=True)
class Look:
    """Small JPEGs of one photograph: before, after, and what else was asked for, each with its caption."""

    before: Path
    after: Path
    others: list[tuple[Path, str]]


def take(upload: Path, folder: Path) -> Path:
    """An uploaded file under its own name in `folder`, as a second name of the same file where the disk has those."""
    path = folder / upload.name
    number = 1
    while path.exists():
        number += 1
        path = folder / f"{upload.stem} ({number}){upload.suffix}"
    try:
        os.link(upload, path)
    except OSError:
        shutil.copyfile(upload, path)
    return path


def look(file: Path, colorizer: Colorizer, settings: Settings, folder: Path) -> Look:
    """What the page shows of a photograph, of its first page if it has several, at `PREVIEW_SIDE` at most.

    Raises:
        ImageError: it cannot be read.
    """
    pages = read_header(file).pages
    photograph = read_photograph(file, settings.max_megapixels, page=0 if pages > 1 else None)
    small = None if colorizer.at_full_size else colorizer.shrink(photograph.pixels)
    shown = Photograph(_reduce(three_channels(to_8_bit(on_white(photograph.pixels, photograph.alpha)))))
    after, others = None, []
    if small is None:
        after = colorizer.render(shown.pixels)
    else:
        coloring = color(colorizer, [(shown, small)], settings)[0]
        after = coloring.picture
        others = [(coloring.sample(number), f"Another colouring ({number + 1})") for number in range(settings.samples)]
        if settings.uncertainty:
            others.append((coloring.uncertainty(), "How unsure its colours are: black is sure"))

    def written(name: str, pixels: Pixels) -> Path:
        write_photograph(folder / f"{name}.jpg", pixels, quality=90)
        return folder / f"{name}.jpg"

    return Look(
        written("before", shown.pixels),
        written("after", after),
        [(written(f"other{number}", pixels), caption) for number, (pixels, caption) in enumerate(others)],
    )


def _reduce(pixels: Pixels) -> Pixels:
    image = Image.fromarray(pixels)
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return np.asarray(image)


def plan_one(file: Path, settings: Settings) -> Job:
    """As predict.py without an output: NAME_colorized.EXT beside it."""
    return make_plan(str(file), None, settings.format, settings.side_by_side, settings.samples, settings.uncertainty).jobs[0]


def color_files(
    jobs: list[Job],
    colorizer: Colorizer,
    settings: Settings,
    record: Callable[[LedgerRow], None],
    stopping: Callable[[], bool],
    seconds: float,
) -> None:
    """The pictures of photographs, by the album's pipeline.

    Args:
        jobs: what becomes what.
        colorizer, settings: how.
        record: called with the result of each.
        stopping: asked between photographs.
        seconds: nothing more is begun after so many.
    """
    end = time.monotonic() + seconds
    pipeline = Pipeline(colorizer, settings, record, settings.threads(), lambda: stopping() or time.monotonic() > end)
    for job in jobs:
        pipeline.add(job)
        if pipeline.stopped:
            break
    pipeline.finish()
