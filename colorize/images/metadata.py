"""EXIF, resolution and orientation."""

import math
from typing import Any

from PIL import Image
from PIL.ExifTags import IFD, Base

from colorize.images.photograph import Pixels

# Of the first directory, what speaks of the photograph and not of how its file holds the pixels.
_KEPT = (
    Base.DocumentName,
    Base.ImageDescription,
    Base.Make,
    Base.Model,
    Base.PageName,
    Base.Software,
    Base.DateTime,
    Base.Artist,
    Base.HostComputer,
    Base.Rating,
    Base.RatingPercent,
    Base.Copyright,
    Base.XPTitle,
    Base.XPComment,
    Base.XPAuthor,
    Base.XPKeywords,
    Base.XPSubject,
)

_SRGB = 1


def read_orientation(image: Image.Image) -> int:
    """EXIF's orientation, 1 to 8; 1 when the file does not say or its EXIF is damaged."""
    try:
        orientation = image.getexif().get(Base.Orientation, 1)
    except Exception:  # a damaged block makes Pillow raise nearly anything
        return 1
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def read_exif(image: Image.Image, size: tuple[int, int], *, is_converted: bool = False) -> bytes | None:
    """The EXIF block for the upright photograph of `size` (width, height), or None when there is none or it is damaged.

    Orientation, resolution and thumbnail stay out. Where pixels were converted to sRGB, its colour space is sRGB.
    """
    try:
        old = image.getexif()
        new = Image.Exif()
        for tag in _KEPT:
            if tag in old:
                new[tag] = old[tag]
        for directory in (IFD.Exif, IFD.GPSInfo):
            if entries := dict(old.get_ifd(directory)):
                entries.pop(IFD.Interop, None)
                new.get_ifd(directory).update(entries)
        details = new.get_ifd(IFD.Exif)
        for tag, side in zip((Base.ExifImageWidth, Base.ExifImageHeight), size, strict=True):
            if tag in details:
                details[tag] = side
        if is_converted and Base.ColorSpace in details:
            details[Base.ColorSpace] = _SRGB
        return new.tobytes() if len(new) or details or new.get_ifd(IFD.GPSInfo) else None
    except Exception:  # a damaged block makes Pillow raise nearly anything
        return None


def read_dpi(image: Image.Image) -> tuple[float, float] | None:
    """Pixels an inch across and down, as stored: the format's own field first, then EXIF's."""
    own = _resolution(image.info.get("dpi"), 1)
    invented = image.format in ("JPEG", "MPO") and image.info.get("jfif_unit") not in (1, 2)  # Pillow's own guess
    if own is not None and not invented:
        return own
    try:
        exif = image.getexif()
        unit = {2: 1.0, 3: 2.54}.get(exif.get(Base.ResolutionUnit, 2))
        return _resolution((exif.get(Base.XResolution), exif.get(Base.YResolution)), unit)
    except Exception:  # a damaged block makes Pillow raise nearly anything
        return None


def _resolution(pair: Any, inches: float | None) -> tuple[float, float] | None:
    try:
        across, down = (float(value) * float(inches or 0) for value in pair)
    except (TypeError, ValueError, ArithmeticError):
        return None
    # Pillow says 1 where a TIFF says nothing
    good = all(math.isfinite(value) and 1 < value <= 65535 for value in (across, down))
    return (across, down) if good else None


def exif_to_write(exif: bytes | None, dpi: tuple[float, float] | None) -> Image.Exif:
    """`exif` with the resolution in it."""
    block = Image.Exif()
    if exif is not None:
        block.load(exif)
    if dpi is not None:
        block[Base.XResolution], block[Base.YResolution] = dpi
        block[Base.ResolutionUnit] = 2
    return block


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """(H, W, ...) turned and mirrored as EXIF's orientation, 1 to 8, asks."""
    match orientation:
        case 2:
            return pixels[:, ::-1]
        case 3:
            return pixels[::-1, ::-1]
        case 4:
            return pixels[::-1]
        case 5:
            return pixels.swapaxes(0, 1)
        case 6:
            return pixels[::-1].swapaxes(0, 1)
        case 7:
            return pixels[::-1, ::-1].swapaxes(0, 1)
        case 8:
            return pixels[:, ::-1].swapaxes(0, 1)
    return pixels
