"""Small pictures for the page of photographs and of what they become."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from colorize.album.coloring import color
from colorize.album.settings import Settings
from colorize.images import Photograph, Pixels, read_header, read_photograph, read_rgb, write_photograph
from colorize.images.photograph import on_white, three_channels, to_8_bit
from colorize.inference.colorizer import Colorizer

LONGEST_SIDE = 2048
"""Of what the page shows, in pixels; the files are of full size."""
THUMBNAIL_SIDE = 512
QUALITY = 90


@dataclass(frozen=True)
class Look:
    """JPEGs of a photograph: before and after, and what else was asked for with its caption; and its file's facts."""

    before: Path
    after: Path
    others: list[tuple[Path, str]]
    facts: str


def look(file: Path, colorizer: Colorizer, settings: Settings, folder: Path) -> Look:
    """What the page shows of a photograph, or of the first page of its file.

    The colours are those of the file's picture; `LONGEST_SIDE` at most is merged with them.

    Raises:
        ImageError: it cannot be read.
    """
    pages = read_header(file).pages
    photograph = read_photograph(file, settings.max_megapixels, page=0 if pages > 1 else None)
    shown = Photograph(_reduce(three_channels(to_8_bit(on_white(photograph.pixels, photograph.alpha))), LONGEST_SIDE))
    pictures: list[tuple[Pixels, str]] = []
    if colorizer.at_full_size:
        after = colorizer.render(shown.pixels)
    else:
        [coloring] = color(colorizer, [(shown, colorizer.shrink(photograph.pixels))], settings)
        after = coloring.picture
        pictures = [(coloring.sample(number), f"Another colouring, {number + 1}") for number in range(settings.samples)]
        if settings.uncertainty:
            pictures.append((coloring.uncertainty(), "How unsure its colours are: black is sure"))

    def written(name: str, pixels: Pixels) -> Path:
        path = folder / f"{name}.jpg"
        write_photograph(path, pixels, quality=QUALITY)
        return path

    height, width = photograph.pixels.shape[:2]
    facts = f"{width} × {height} pixels of {photograph.bit_depth} bits"
    return Look(
        written("before", shown.pixels),
        written("after", after),
        [(written(f"other{number}", pixels), caption) for number, (pixels, caption) in enumerate(pictures)],
        facts if pages == 1 else f"{pages} pages, of which the first is shown; {facts}",
    )


def thumbnail(picture: Path, folder: Path) -> Path:
    """A small JPEG of a picture that was written, in a folder."""
    path = folder / f"{picture.name}.jpg"
    header = read_header(picture)
    if header.pages > 1:
        page = read_photograph(picture, None, page=0)
        pixels = three_channels(to_8_bit(on_white(page.pixels, page.alpha)))
    else:
        pixels = read_rgb(picture, min_size=THUMBNAIL_SIDE, max_megapixels=None)
    write_photograph(path, _reduce(pixels, THUMBNAIL_SIDE), quality=QUALITY)
    return path


def _reduce(pixels: Pixels, side: int) -> Pixels:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return np.asarray(image)
