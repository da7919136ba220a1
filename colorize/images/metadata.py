"""EXIF, resolution and orientation."""

import math
import struct
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
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

# Of the EXIF directory, what is UNDEFINED (CIPA DC-008, 4.6.5) and Pillow would write as BYTE.
_UNDEFINED_TAGS = (
    Base.OECF,
    Base.ComponentsConfiguration,
    Base.MakerNote,
    Base.UserComment,
    Base.SpatialFrequencyResponse,
    Base.FileSource,
    Base.SceneType,
    Base.CFAPattern,
    Base.DeviceSettingDescription,
)

_BYTE, _UNDEFINED = 1, 7
_UTF_16 = b"UNICODE\0"
_SRGB = 1


class _Text(str):
    """Text in whatever encoding it has: Pillow reads it as Latin-1, and would write a ? for all beyond ASCII."""

    def encode(self, *_: str) -> bytes:
        return super().encode("latin-1")


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
        new.endian = old.endian  # comments in UTF-16 and the notes of cameras have it too
        new.update(_with_text({tag: old[tag] for tag in _KEPT if tag in old}))
        details, place = dict(old.get_ifd(IFD.Exif)), dict(old.get_ifd(IFD.GPSInfo))
        details.pop(IFD.Interop, None)
        for tag, side in zip((Base.ExifImageWidth, Base.ExifImageHeight), size, strict=True):
            if tag in details:
                details[tag] = side
        if is_converted and Base.ColorSpace in details:
            details[Base.ColorSpace] = _SRGB
        for directory, entries in ((IFD.Exif, details), (IFD.GPSInfo, place)):
            if entries:  # an empty one is written as a pointer to nothing
                new.get_ifd(directory).update(_with_text(entries))
        return new.tobytes() if len(new) or details or place else None
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
        block.update(_with_text(block))
        for directory in {IFD.Exif, IFD.GPSInfo} & block.keys():
            block.get_ifd(directory).update(_with_text(block.get_ifd(directory)))
    if dpi is not None:
        block[Base.XResolution], block[Base.YResolution] = dpi
        block[Base.ResolutionUnit] = 2
    return block


def _with_text(entries: Mapping[int, Any]) -> dict[int, Any]:
    return {tag: _Text(value) if isinstance(value, str) else value for tag, value in entries.items()}


def exif_block(exif: Image.Exif) -> bytes:
    """The block of `exif_to_write`, beginning with Exif and two zeros."""
    block = exif.tobytes()
    return block[:14] + mark_undefined(block[14:], 8, ">" if block[6:8] == b"MM" else "<")


def in_little_endian(exif: Image.Exif, directory: int) -> dict[int, Any]:
    """The entries of a directory of a block of `exif_to_write` for a little-endian file: comments in UTF-16, which have
    the order of the block (CIPA DC-008, 4.6.5), are turned."""
    entries = dict(exif.get_ifd(directory))
    for tag, value in entries.items():
        if exif.endian == ">" and isinstance(value, bytes) and value.startswith(_UTF_16):
            text = np.frombuffer(value[len(_UTF_16) : len(value) & ~1], np.uint16)
            entries[tag] = _UTF_16 + text.byteswap().tobytes()
    return entries


def mark_undefined(directory: bytes, at: int, order: str) -> bytes:
    """A first directory as Pillow wrote it, whose EXIF directory says of bytes that are UNDEFINED that they are.

    Args:
        directory: with all that it points to.
        at: its place in the file.
        order: of bytes, "<" or ">".
    """
    result = bytearray(directory)
    for place, tag, _ in _entries(directory, 0, order):
        if tag == IFD.Exif:
            (inner,) = struct.unpack_from(f"{order}I", directory, place + 8)
            for entry, inner_tag, kind in _entries(directory, inner - at, order):
                if inner_tag in _UNDEFINED_TAGS and kind == _BYTE:
                    struct.pack_into(f"{order}H", result, entry + 2, _UNDEFINED)
    return bytes(result)


def _entries(directory: bytes, place: int, order: str) -> Iterator[tuple[int, int, int]]:
    """The place, tag and type of each."""
    (count,) = struct.unpack_from(f"{order}H", directory, place)
    places = range(place + 2, place + 2 + 12 * count, 12)
    return ((entry, *struct.unpack_from(f"{order}HH", directory, entry)) for entry in places)


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
