"""Opening a photograph's file by its content, and what its header says."""

import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageFile, PngImagePlugin, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from colorize.errors import ImageError
from colorize.images.decode import depth_of
from colorize.images.jpeg2000 import jp2_info
from colorize.images.metadata import read_orientation
from colorize.images.pages import choose_page, find_pages

# without EPS, which starts Ghostscript
READABLE_FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "JPEG2000", "AVIF", "HEIF")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"heif")

Image.init()
# Bytes of a profile or text in a PNG, in the whole process: profiles of scanners may exceed Pillow's 1 MiB.
PngImagePlugin.MAX_TEXT_CHUNK = max(PngImagePlugin.MAX_TEXT_CHUNK, 2**24)


@dataclass(frozen=True)
class Header:
    """What a file's header says of the photograph in it.

    Attributes:
        width, height: in pixels, as stored, before any turn.
        bit_depth: 8 or 16, of the pixels that `read_photograph` gives.
        pages: 1, but in a TIFF of several pages; reduced copies and masks do not count.
    """

    width: int
    height: int
    bit_depth: int
    pages: int = 1


def read_header(path: Path, page: int | None = None) -> Header:
    """The header of any file that can be read; no pixels are decoded.

    Args:
        path: the file.
        page: of a TIFF of several pages, from 0; None is the first.

    Raises:
        ImageError: the file cannot be opened, is no photograph, or has no such page.
    """
    with unreadable_as_image_error(path), open_file(path) as file, open_image(file) as image:
        pages = 1
        if isinstance(image, TiffImageFile):
            found = find_pages(file)
            pages = len(found)
            image.seek(choose_page(found, page or 0).frame)
        elif page:
            raise ValueError(f"it has 1 page, but page {page + 1} was asked for")
        return Header(*image.size, depth_of(image), pages)


def read_upright_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels of the photograph that `read_photograph` gives; no pixels are decoded.

    EXIF that a PNG holds behind its pixels is not looked for.

    Raises:
        ImageError: the file cannot be opened, or is no photograph.
    """
    with unreadable_as_image_error(path), open_file(path) as file, open_image(file) as image:
        if isinstance(image, TiffImageFile):
            image.seek(choose_page(find_pages(file), 0).frame)
            return image.size  # which Pillow gives upright
        if isinstance(image, PngImagePlugin.PngImageFile) and "exif" not in image.info:
            return image.size  # Pillow would decode it to find EXIF
        return image.size[::-1] if read_orientation(image) in (5, 6, 7, 8) else image.size


def open_file(path: Path) -> BinaryIO:
    """The file to read; a pipe or a device, which may have no end, is refused.

    Raises:
        ValueError: it is one of these.
        OSError: as Path.open.
    """
    mode = Path(path).stat().st_mode
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise ValueError("it is a pipe or a device, not a file")
    return Path(path).open("rb")


def open_image(file: BinaryIO) -> ImageFile.ImageFile:
    """As Image.open, without its fixed limit of pixels, which is one for the whole process."""
    file.seek(0)
    head = file.read(16)
    if not head:
        raise ValueError("the file is empty")
    fault = ""
    for name in READABLE_FORMATS[:-1]:
        if name not in Image.OPEN:
            continue
        factory, accept = Image.OPEN[name]
        if accept is not None and accept(head) is True:
            file.seek(0)
            try:
                image = factory(file, "")
                if name == "JPEG2000":
                    image.info.update(jp2_info(file))
                return image
            except (SyntaxError, IndexError, TypeError, struct.error) as error:
                fault = f"it begins as {name} does, but is broken or of a kind that Pillow does not read ({error})"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return _open_heif(file)
    if head[4:12] == b"ftypavif" and "AVIF" not in Image.SAVE:
        raise ValueError("it is an AVIF, which the Pillow installed here was built without")
    if fault:
        raise ValueError(f"{fault}; save it anew, gray or RGB of 8 or 16 bits")
    raise UnidentifiedImageError


def _open_heif(file: BinaryIO) -> ImageFile.ImageFile:
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise ValueError("it is a HEIC; pip install 'colorize[heic]' reads those") from error
    file.seek(0)
    image: ImageFile.ImageFile = HeifImageFile(file, "")
    return image


@contextmanager
def unreadable_as_image_error(path: Path) -> Iterator[None]:
    """Whatever is raised within becomes an ImageError that names the file and the reason."""
    try:
        yield
    except Exception as error:  # Pillow raises nearly anything on broken and hostile files
        raise ImageError(f"{path}: cannot be read as a photograph: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    if isinstance(error, UnidentifiedImageError):
        *others, last = READABLE_FORMATS
        return f"its content is not {', '.join(others)} or {last}"
    if isinstance(error, MemoryError):
        return "there is not enough memory for it"
    if isinstance(error, Image.DecompressionBombError):
        return "it has more pixels than Pillow takes in this format; save it as PNG or TIFF"
    if "MAX_TEXT" in str(error):
        return "a profile or text in it has more than 16 MiB; save it without"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__
