"""Reading a photograph's file in any of the supported formats."""

import os
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.ExifTags import Base
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile

from colorize.images.decode import decode
from colorize.images.descriptions import read_iptc, read_xmp
from colorize.images.header import open_file, open_image, unreadable_as_image_error
from colorize.images.metadata import read_dpi, read_exif, read_orientation, upright
from colorize.images.pages import choose_page, find_pages, is_tiff, read_page
from colorize.images.photograph import Photograph, Pixels, on_white, three_channels, to_8_bit
from colorize.images.profiles import color_space, gamma_to_srgb, is_srgb, to_srgb
from colorize.images.texts import read_texts

LONGEST_FILE = 2**32  # bytes of any file, which is read whole
BYTES_OF_A_PIXEL = 16  # of four channels of 32 bits, not compressed


def read_rgb(path: Path, *, min_size: int | None = None, max_megapixels: float | None = 200) -> npt.NDArray[np.uint8]:
    """The photograph as 8-bit RGB, uint8 (H, W, 3), upright, transparency laid on white.

    Pixels under another profile are brought to sRGB; 16-bit values v become round(v / 257). With `min_size`, a JPEG
    may be decoded at 1/2, 1/4 or 1/8 of its size as long as both sides stay at or above `min_size` pixels.

    Raises:
        ImageError: the file cannot be read, is no photograph, or has more than `max_megapixels`; None reads any.
    """
    photograph = _read(path, max_megapixels, min_size)
    return three_channels(to_8_bit(on_white(photograph.pixels, photograph.alpha))).astype(np.uint8, copy=False)


def read_photograph(
    path: Path, max_megapixels: float | None = 200, page: int | None = None, *, gray: bool = False
) -> Photograph:
    """The photograph at the depth of its file, upright, with its alpha, profile, EXIF, XMP, IPTC and resolution.

    16-bit PNG and TIFF, gray TIFF of 12 or 32 bits or floats and gray JPEG 2000 of more than 8 give uint16; the rest
    (16-bit CMYK too) uint8.
    An animation gives its first frame. All pixels are brought to sRGB, gray ones to its tone curve; those that are
    sRGB stay as they are. A damaged block of these is left out.

    Args:
        path: the file; its content decides what it is, not its name.
        max_megapixels: a larger picture is refused by its header, before it is decoded; None reads any.
        page: of a TIFF of several pages, from 0: `read_header` counts them, without reduced copies.
            Only that page is in memory. With None such a file is refused.
        gray: the Rec.601 gray is enough: a JPEG in colour and sRGB then gives its luma plane, (H, W), in a third of the
            time and memory. Its profile stays, so that pictures may have it.

    Raises:
        ImageError: the file cannot be read, is no photograph, is damaged or cut short, or is too large.
    """
    return _read(path, max_megapixels, page=page, gray=gray)


def _read(
    path: Path,
    max_megapixels: float | None,
    min_size: int | None = None,
    page: int | None = None,
    gray: bool = False,
) -> Photograph:
    with unreadable_as_image_error(path):
        with open_file(path) as file:
            data = _read_file(file, page, max_megapixels)
        return _photograph(data, max_megapixels, min_size, gray)


def _read_file(file: BinaryIO, page: int | None, max_megapixels: float | None) -> bytes:
    """All of it, or of a TIFF that page."""
    chosen = choose_page(find_pages(file), page) if is_tiff(file.read(4)) else None
    longest = None if max_megapixels is None else max(LONGEST_FILE, round(max_megapixels * 1e6 * BYTES_OF_A_PIXEL))
    if longest is not None and (chosen is None or chosen.frames == 1) and file.seek(0, os.SEEK_END) > longest:
        raise ValueError(f"it is longer than the {longest:,} bytes that max_megapixels allows: see what it is")
    if chosen is not None:
        return read_page(file, chosen)
    if page:
        raise ValueError(f"it has 1 page, but page {page + 1} was asked for")
    file.seek(0)
    return file.read()


def _photograph(data: bytes, max_megapixels: float | None, min_size: int | None, gray: bool) -> Photograph:
    with open_image(BytesIO(data)) as image:
        _check_size(image, max_megapixels)
        if min_size is not None:  # of all formats JPEG alone has drafts
            image.draft(None, (min_size, min_size))
        profile = image.info.get("icc_profile")
        luma_profile = _draft_luma(image, profile) if gray else None
        # Pillow and OpenCV turn a TIFF upright by themselves, and Pillow then forgets how it stood.
        turned = image.tag_v2.get(Base.Orientation, 1) if isinstance(image, TiffImageFile) else None
        xmp = image.info.pop("xmp", None) if turned is not None else None  # where Pillow would find another one
        pixels, alpha = decode(image, data)
        orientation = read_orientation(image) if turned is None else 1
        dpi = read_dpi(image)
        pixels = stored = _turn(pixels, orientation)
        pixels = gamma_to_srgb(pixels, image.info)
        pixels, profile = to_srgb(pixels, None if image.mode in ("CMYK", "LAB") else profile)
        is_converted = pixels is not stored
        exif = read_exif(image, pixels.shape[1::-1], is_converted=is_converted)
        xmp = read_xmp(xmp or image.info.get("xmp"), is_converted=is_converted)
        iptc = read_iptc(image, data)
        texts = read_texts(image)
    if dpi is not None and (turned or orientation) in (5, 6, 7, 8):
        dpi = dpi[::-1]
    if alpha is not None:
        alpha = None if alpha.min() == np.iinfo(alpha.dtype).max else _turn(alpha, orientation)
    return Photograph(
        pixels=pixels,
        alpha=alpha,
        icc_profile=profile or luma_profile,
        exif=exif,
        xmp=xmp,
        iptc=iptc,
        texts=texts,
        dpi=dpi,
        format="JPEG" if image.format == "MPO" else image.format or "",
    )


def _draft_luma(image: Image.Image, profile: bytes | None) -> bytes | None:
    """Have a JPEG in colour and sRGB decoded to its luma alone, and give its RGB profile, if it has one."""
    if not (isinstance(image, JpegImageFile) and image.mode == "RGB" and is_srgb(profile)):
        return None
    image.draft("L", None)
    return profile if color_space(profile) == "RGB" else None


def _turn(pixels: Pixels, orientation: int) -> Pixels:
    turned = upright(pixels, orientation)
    return turned if turned.flags.c_contiguous else turned.copy()


def _check_size(image: Image.Image, max_megapixels: float | None) -> None:
    width, height = image.size
    if max_megapixels is not None and width * height > max_megapixels * 1e6:
        raise ValueError(
            f"it has {width} x {height} pixels, {width * height / 1e6:.4g} megapixels, and max_megapixels is "
            f"{max_megapixels:g}: make it smaller, or allow more if you trust the file"
        )
