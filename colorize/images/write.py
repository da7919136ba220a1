"""Writing a photograph, whole or not at all, with what its original's file said about it."""

import errno
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from PIL import Image, features

from colorize.errors import DiskFullError, ImageError
from colorize.files import whole_file, write_whole
from colorize.images.descriptions import iptc_segment
from colorize.images.jpeg import LONGEST_SEGMENT, encode_planes
from colorize.images.metadata import exif_block, exif_to_write
from colorize.images.photograph import Photograph, Pixels, Planes, on_white, three_channels, to_8_bit, to_depth_of
from colorize.images.texts import comment_segment, png_texts
from colorize.images.tiff import HEADER, TiffPage, encode_page, encode_tiff

_FORMAT_OF_SUFFIX = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
    ".bmp": "BMP",
    **({".avif": "AVIF"} if features.check("avif") else {}),
}
WRITABLE = frozenset(_FORMAT_OF_SUFFIX)
_LONGEST_SIDE = {"JPEG": 65500, "WEBP": 16383, "AVIF": 32768}
_NO_ALPHA = ("JPEG", "BMP")
_SIXTEEN_BIT = ("PNG", "TIFF")
_LONGEST_TIFF = 2**32 - 1
_UNENCODABLE = (ValueError, MemoryError, struct.error, cv2.error)
_LONGEST_JPEG_XMP = LONGEST_SEGMENT - len(b"http://ns.adobe.com/xap/1.0/\0")
_PNG_XMP = "XML:com.adobe.xmp"


def write_photograph(path: Path, pixels: Pixels | Planes, like: Photograph | None = None, quality: int = 96) -> None:
    """Write `pixels` in the format that the suffix names, with the alpha and all metadata of `like`.

    What a format cannot hold stays out or is changed: 16 bits become round(v / 257) but in PNG and TIFF; JPEG and
    BMP have transparency laid on white; BMP has the resolution only; IPTC is for JPEG and TIFF; texts are for PNG, the
    one called "Comment" for JPEG too; what is beyond 64 KiB of EXIF, XMP, IPTC or comment stays out of JPEG; gray with
    alpha becomes RGB in PNG; gray pixels carry no RGB profile. The file appears whole or not at all: an older one of
    that name stays until the new one is on the disk.

    Args:
        path: ends in one of `WRITABLE`.
        pixels: (H, W) gray or (H, W, 3) RGB, uint8 or uint16, sRGB; or planes, where `takes_planes` says so.
        like: the photograph that `pixels` were made from; must be given with planes.
        quality: 1 to 100, of JPEG (4:4:4, planes 4:2:0), WebP and AVIF.

    Raises:
        DiskFullError: there is no room left for it.
        ImageError: the suffix is not one of ours, the format cannot hold the size, or the file cannot be written.
        ValueError: another quality, or pixels of another type or shape, or none.
    """
    path = Path(path)
    if not 1 <= quality <= 100:
        raise ValueError(f"quality is {quality}, but must be 1 to 100.")
    if isinstance(pixels, Planes):
        if like is None or not takes_planes(path, like):
            raise ValueError(f"planes cannot be written to {path.name}")
        height, width = pixels.luma.shape
    else:
        like = like or Photograph(pixels)
        _check(pixels, like)
        height, width = pixels.shape[:2]
    file_format = _FORMAT_OF_SUFFIX.get(path.suffix.lower())
    if file_format is None:
        raise ImageError(f"{path}: cannot be written: the name must end in one of {', '.join(_FORMAT_OF_SUFFIX)}")
    longest = _LONGEST_SIDE.get(file_format)
    if longest is not None and max(height, width) > longest:
        raise ImageError(
            f"{path}: cannot be written: {file_format} holds at most {longest} pixels a side, and the picture has "
            f"{width} x {height}; write .png or .tif"
        )
    with _unwritable_as_image_error(path, OSError, *_UNENCODABLE):
        write_whole(path, _encode(pixels, like, file_format, quality))


def takes_planes(path: Path, like: Photograph) -> bool:
    """Whether a picture of `like` may be written as planes: to JPEG, of 8 bits, without transparency."""
    is_jpeg = _FORMAT_OF_SUFFIX.get(path.suffix.lower()) == "JPEG"
    return is_jpeg and like.alpha is None and like.pixels.dtype == np.uint8


@contextmanager
def write_pages(path: Path) -> Iterator[Callable[[Pixels, Photograph], None]]:
    """Write a TIFF page by page, one of which is in memory: `with write_pages(path) as add: add(pixels, like)`.

    Each page is as `write_photograph` writes it. The file appears when all went well; if anything is raised within,
    an older one stays.

    Raises:
        DiskFullError: there is no room left for it.
        ImageError: the name does not end in .tif or .tiff, the file cannot be written, or it grows beyond 4 GiB.
    """
    if _FORMAT_OF_SUFFIX.get(path.suffix.lower()) != "TIFF":
        raise ImageError(f"{path}: cannot be written: only .tif and .tiff hold pages")
    with _unwritable_as_image_error(path, OSError), whole_file(path) as file:
        file.write(HEADER + bytes(4))
        pointer = len(HEADER)

        def add(pixels: Pixels, like: Photograph) -> None:
            nonlocal pointer
            _check(pixels, like)
            with _unwritable_as_image_error(path, OSError, *_UNENCODABLE):
                at = file.seek(0, os.SEEK_END)
                at += file.write(bytes(at % 2))
                page, next_pointer = encode_page(_tiff_page(pixels, like), at)
                if at + len(page) > _LONGEST_TIFF:
                    raise ValueError("its pages need more than the 4 GiB of a TIFF; split the photograph's file")
                file.write(page)
                file.seek(pointer)
                file.write(struct.pack("<I", at))
                pointer = next_pointer

        yield add


def _check(pixels: Pixels, like: Photograph) -> None:
    if pixels.dtype not in (np.uint8, np.uint16) or not (pixels.ndim == 2 or pixels.shape[2:] == (3,)):
        raise ValueError(f"pixels are {pixels.dtype} {pixels.shape}, not uint8 or uint16 (H, W) or (H, W, 3)")
    if pixels.size == 0:
        raise ValueError(f"pixels are empty: {pixels.shape}")
    if like.alpha is not None and like.alpha.shape != pixels.shape[:2]:
        raise ValueError(f"pixels are {pixels.shape}, but the alpha of like is {like.alpha.shape}")


@contextmanager
def _unwritable_as_image_error(path: Path, *errors: type[Exception]) -> Iterator[None]:
    try:
        yield
    except errors as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(f"{path}: cannot be written: {error.strerror}; make room and start again") from error
        reason = error.strerror if isinstance(error, OSError) else None
        raise ImageError(f"{path}: cannot be written: {reason or str(error) or type(error).__name__}") from error


def _tiff_page(pixels: Pixels, like: Photograph) -> TiffPage:
    alpha = None if like.alpha is None else to_depth_of(like.alpha, pixels)
    if alpha is not None and pixels.dtype == np.uint16:
        pixels = three_channels(pixels)  # no reader of 16-bit gray with alpha is at hand
    profile = like.icc_profile if pixels.ndim == 3 else None
    return TiffPage(pixels, alpha, exif_to_write(like.exif, like.dpi), profile, like.xmp, like.iptc)


def _encode(pixels: Pixels | Planes, like: Photograph, file_format: str, quality: int) -> bytes:
    if isinstance(pixels, Planes):
        about = _save(Image.new("YCbCr", (16, 16)), like.icc_profile, like, file_format, quality)
        return encode_planes(pixels, about, quality)
    if file_format == "TIFF":
        return encode_tiff(_tiff_page(pixels, like))
    if file_format not in _SIXTEEN_BIT:
        pixels = to_8_bit(pixels)
    alpha = None if like.alpha is None else to_depth_of(like.alpha, pixels)
    if file_format in _NO_ALPHA:
        pixels, alpha = on_white(pixels, alpha), None
    if file_format == "PNG":
        return _encode_png(pixels, alpha, like)
    profile = like.icc_profile if pixels.ndim == 3 else None
    image = Image.fromarray(pixels if alpha is None else np.dstack([pixels, alpha]))
    return _save(image, profile, like, file_format, quality)


def _exif_block(like: Photograph, file_format: str) -> bytes | None:
    needed = like.exif or (like.dpi and file_format in ("WEBP", "AVIF"))
    return exif_block(exif_to_write(like.exif, like.dpi)) if needed else None


def _save(image: Image.Image, profile: bytes | None, like: Photograph, file_format: str, quality: int) -> bytes:
    """The image in its format, by Pillow, with its profile and what else `like` says."""
    options: dict[str, Any] = {"icc_profile": profile, "dpi": like.dpi}
    block, is_jpeg = _exif_block(like, file_format), file_format == "JPEG"
    if block is not None and not (is_jpeg and len(block) > LONGEST_SEGMENT):
        options["exif"] = block
    if like.xmp is not None and not (is_jpeg and len(like.xmp) > _LONGEST_JPEG_XMP):
        options["xmp"] = like.xmp
    if is_jpeg:
        options["extra"] = (iptc_segment(like.iptc) if like.iptc else b"") + comment_segment(like.texts)
    if file_format in ("JPEG", "WEBP", "AVIF"):
        options["quality"] = quality
    if file_format in ("JPEG", "AVIF"):
        options["subsampling"] = "4:4:4"
    with _memory_file() as file:
        image.save(file, file_format, **{key: value for key, value in options.items() if value is not None})
        file.seek(0)
        return file.read()


def _memory_file() -> BinaryIO:
    """With a descriptor, where the system has such: Pillow's encoder of JPEG then lets other threads of Python run."""
    return os.fdopen(os.memfd_create("picture"), "w+b") if hasattr(os, "memfd_create") else BytesIO()


def _encode_png(pixels: Pixels, alpha: Pixels | None, like: Photograph) -> bytes:
    """OpenCV encodes, at level 3 in a third of Pillow's time, to files of about the same size (photographs in RGB 1 %
    smaller, in gray 7 % larger).

    Profile, resolution, EXIF, XMP and texts go in after the header (PNG, third edition, 11.3). Gray with alpha becomes
    RGB: OpenCV does not write it, and no reader of its 16 bits is at hand.
    """
    profile, exif = like.icc_profile if pixels.ndim == 3 else None, _exif_block(like, "PNG")
    if alpha is not None:
        pixels = three_channels(pixels)
    bgr = pixels[..., ::-1] if pixels.ndim == 3 else pixels
    done, encoded = cv2.imencode(
        ".png",
        bgr if alpha is None else np.dstack([bgr, alpha]),
        [cv2.IMWRITE_PNG_COMPRESSION, 3],
    )
    if not done:
        raise ValueError("OpenCV cannot encode it")
    chunks = b""
    if profile is not None:
        chunks += _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile))
    if like.dpi is not None:
        chunks += _chunk(b"pHYs", struct.pack(">IIB", *(round(value / 0.0254) for value in like.dpi), 1))
    if exif is not None:
        chunks += _chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
    if like.xmp is not None:
        chunks += _chunk(b"iTXt", _PNG_XMP.encode() + bytes(5) + like.xmp)
    chunks += b"".join(_chunk(b"iTXt", text) for text in png_texts(like.texts))
    after_header = 8 + 12 + 13
    return b"".join([encoded[:after_header].tobytes(), chunks, encoded[after_header:].tobytes()])


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
