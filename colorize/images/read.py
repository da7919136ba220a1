"""Opening a photograph's file, of whatever kind and however broken."""

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, UnidentifiedImageError
from PIL.ExifTags import Base
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile

from colorize.errors import ImageError
from colorize.images.decode import decode
from colorize.images.metadata import read_dpi, read_exif, read_orientation, upright
from colorize.images.photograph import Photograph, Pixels, on_white, three_channels, to_8_bit
from colorize.images.profiles import to_srgb
from colorize.images.tiff import single_page

# without EPS, which starts Ghostscript
READABLE_FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "AVIF", "HEIF")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"heif")

Image.init()


def read_rgb(path: Path, *, min_size: int | None = None) -> npt.NDArray[np.uint8]:
    """The photograph as 8-bit RGB, uint8 (H, W, 3), upright, transparency laid on white.

    Pixels under another profile are brought to sRGB; 16-bit values v become round(v / 257). With `min_size`, a JPEG
    may be decoded at 1/2, 1/4 or 1/8 of its size as long as both sides stay at or above `min_size` pixels.

    Raises:
        ImageError: the file cannot be read, is no photograph, or has more than 200 megapixels.
    """
    photograph = _read(path, 200, min_size)
    return three_channels(to_8_bit(on_white(photograph.pixels, photograph.alpha))).astype(np.uint8, copy=False)


def read_photograph(path: Path, max_megapixels: float | None = 200) -> Photograph:
    """The photograph at the depth of its file, upright, with its alpha, profile, EXIF and resolution.

    16-bit PNG and TIFF, and gray TIFF of 12 or 32 bits or floats, give uint16; the rest (16-bit CMYK too) uint8.
    An animation gives its first frame; a TIFF of several pages is refused, reduced copies not counted.
    All pixels are brought to sRGB, gray ones to its tone curve; those that are sRGB stay as they are. A damaged
    profile or EXIF block is left out, and so are XMP and IPTC.

    Args:
        path: the file; what it is is told by its content, not by its name.
        max_megapixels: a larger picture is refused by its header, before it is decoded; None reads any.

    Raises:
        ImageError: the file cannot be read, is no photograph, is damaged or cut short, or is too large.
    """
    return _read(path, max_megapixels, None)


def _read(path: Path, max_megapixels: float | None, min_size: int | None) -> Photograph:
    try:
        data = Path(path).read_bytes()
        if not data:
            raise ValueError("the file is empty")
        return _photograph(data, max_megapixels, min_size)
    except Exception as error:  # Pillow raises nearly anything on broken and hostile files
        raise ImageError(f"{path}: cannot be read as a photograph: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    if isinstance(error, UnidentifiedImageError):
        *others, last = READABLE_FORMATS
        return f"its content is not {', '.join(others)} or {last}, or its header is broken"
    if isinstance(error, MemoryError):
        return "there is not enough memory for it"
    if isinstance(error, Image.DecompressionBombError):
        return "it has more pixels than Pillow takes in this format; save it as PNG or TIFF"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def _photograph(data: bytes, max_megapixels: float | None, min_size: int | None) -> Photograph:
    with _open(data) as image:
        _check_size(image, max_megapixels)
        if isinstance(image, TiffImageFile):
            data = single_page(data)
            image = TiffImageFile(BytesIO(data), "")
            _check_size(image, max_megapixels)
        if min_size is not None and isinstance(image, JpegImageFile):
            image.draft(None, (min_size, min_size))
        # Pillow and OpenCV turn a TIFF upright by themselves, and Pillow then forgets how it stood.
        turned = image.tag_v2.get(Base.Orientation, 1) if isinstance(image, TiffImageFile) else None
        pixels, alpha = decode(image, data)
        profile, file_format = image.info.get("icc_profile"), image.format or ""
        orientation = read_orientation(image) if turned is None else 1
        dpi = read_dpi(image)
        pixels = _turn(pixels, orientation)
        stored = pixels
        pixels, profile = to_srgb(pixels, None if image.mode in ("CMYK", "LAB") else profile)
        exif = read_exif(image, pixels.shape[1::-1], is_converted=pixels is not stored)
    if dpi is not None and (turned or orientation) >= 5:
        dpi = dpi[::-1]
    if alpha is not None:
        alpha = None if alpha.min() == np.iinfo(alpha.dtype).max else _turn(alpha, orientation)
    return Photograph(
        pixels=pixels,
        alpha=alpha,
        icc_profile=profile,
        exif=exif,
        dpi=dpi,
        format="JPEG" if file_format == "MPO" else file_format,
    )


def _turn(pixels: Pixels, orientation: int) -> Pixels:
    turned = upright(pixels, orientation)
    return turned if turned.flags.c_contiguous else turned.copy()


def _open(data: bytes) -> ImageFile.ImageFile:
    """As Image.open, without its fixed limit of pixels, which is one for the whole process."""
    for name in READABLE_FORMATS[:-1]:
        if name not in Image.OPEN:
            continue
        factory, accept = Image.OPEN[name]
        if accept is not None and accept(data[:16]) is True:
            try:
                return factory(BytesIO(data), "")
            except (SyntaxError, IndexError, TypeError, struct.error):
                continue
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return _open_heif(data)
    if data[4:12] == b"ftypavif" and "AVIF" not in Image.SAVE:
        raise ValueError("it is an AVIF, which the Pillow installed here was built without")
    raise UnidentifiedImageError


def _open_heif(data: bytes) -> ImageFile.ImageFile:
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise ValueError("it is a HEIC; pip install 'colorize[heic]' reads those") from error
    image: ImageFile.ImageFile = HeifImageFile(BytesIO(data), "")
    return image


def _check_size(image: Image.Image, max_megapixels: float | None) -> None:
    width, height = image.size
    if max_megapixels is not None and width * height > max_megapixels * 1e6:
        raise ValueError(
            f"it has {width} x {height} pixels, {width * height / 1e6:.4g} megapixels, and max_megapixels is "
            f"{max_megapixels:g}: give a larger one if you trust the file"
        )
