"""Reading and writing photographs: orientation, transparency, 16 bit, atomic writes."""

import os
import struct
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, UnidentifiedImageError
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    TiffImageFile,
)

from colorize.errors import ColorizeError, ImageError
from colorize.files import write_whole

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

EXTENSIONS = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif"})
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF")  # without EPS, which starts Ghostscript

_JPEG = ("JPEG", {"quality": 95, "subsampling": "4:4:4"})
_WRITERS: dict[str, tuple[str, dict[str, Any]]] = {
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".png": ("PNG", {}),
    ".tif": ("TIFF", {}),
    ".tiff": ("TIFF", {}),
    ".webp": ("WEBP", {"quality": 95}),
    ".bmp": ("BMP", {}),
}
WRITABLE = frozenset(_WRITERS)
_WRITERS_16_BIT = (".png", ".tif", ".tiff")

# What Pillow and OpenCV raise on files that are broken, foreign or hostile.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    struct.error,
    EOFError,
    OverflowError,
    MemoryError,
    Image.DecompressionBombError,
    cv2.error,
)
_opening = threading.Lock()  # warnings.catch_warnings changes the filters of every thread


@dataclass(frozen=True)
class Photograph:
    """One photograph at the depth of its file. `pixels`: (H, W, 3) RGB, uint8 or uint16."""

    pixels: Pixels

    @property
    def bit_depth(self) -> int:
        """8 or 16."""
        return 8 * self.pixels.itemsize


def find_photographs(root: Path) -> list[Path]:
    """Every file below `root` that has one of `EXTENSIONS`, sorted by path.

    Hidden files and folders are left out; links to folders are followed, each folder being read once.
    Raises ColorizeError when `root` is missing, is not a folder, cannot be listed or has no photograph.
    """
    root = Path(root)
    if not root.exists():
        raise ColorizeError(f"{root}: there is no such folder")
    if not root.is_dir():
        raise ColorizeError(f"{root}: is a file, but must be a folder of photographs")
    found, others = [], 0
    for file in _walk(root):
        if file.suffix.lower() in EXTENSIONS:
            found.append(file)
        else:
            others += 1
    if not found:
        kinds = ", ".join(sorted(EXTENSIONS))
        raise ColorizeError(f"{root}: has no photograph ({kinds}), only {others} files of other kinds")
    return sorted(found)


def read_rgb(path: Path, *, min_size: int | None = None) -> npt.NDArray[np.uint8]:
    """The photograph as 8-bit RGB, uint8 (H, W, 3), upright, transparency laid on white.

    16-bit values v become round(v / 257). With `min_size`, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its
    size as long as both sides stay at or above `min_size` pixels. Raises ImageError.
    """
    pixels = _read(path, min_size)
    if pixels.dtype == np.uint16:
        return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return pixels.astype(np.uint8, copy=False)


def read_photograph(path: Path) -> Photograph:
    """The photograph at the depth of its file, upright, transparency laid on white, gray on 3 channels.

    Gray or colour PNG and TIFF of 16 bits, and gray TIFF of 32 bits or floats, give uint16; the rest uint8.
    Raises ImageError.
    """
    return Photograph(_read(path))


def write_image(path: Path, pixels: Pixels) -> None:
    """Write uint8 or uint16 pixels, (H, W) gray or (H, W, 3) RGB, in the format that the suffix names.

    16 bits need .png, .tif or .tiff. JPEG: quality 95, 4:4:4. The file appears whole or not at all: an
    older one of that name stays until the new one is on the disk. Raises ImageError.
    """
    path = Path(path)
    if pixels.dtype not in (np.uint8, np.uint16) or not (pixels.ndim == 2 or pixels.shape[2:] == (3,)):
        raise ValueError(f"pixels are {pixels.dtype} {pixels.shape}, not uint8 or uint16 (H, W) or (H, W, 3)")
    suffix = path.suffix.lower()
    if suffix not in _WRITERS:
        raise ImageError(f"{path}: cannot be written: the name must end in one of {', '.join(_WRITERS)}")
    if pixels.dtype == np.uint16 and suffix not in _WRITERS_16_BIT:
        raise ImageError(f"{path}: cannot hold 16 bits: the name must end in {', '.join(_WRITERS_16_BIT)}")
    try:
        write_whole(path, _encode(pixels, suffix))
    except (OSError, ValueError, cv2.error) as error:
        raise ImageError(f"{path}: cannot be written: {_reason(error)}") from error


def _walk(root: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise ColorizeError(f"{error.filename}: this folder cannot be listed: {_reason(error)}") from error

    seen = set()
    for folder, subfolders, files in os.walk(root, onerror=refuse, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            subfolders.clear()
            continue
        seen.add(real)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        yield from (Path(folder, name) for name in files if not name.startswith("."))


def _reason(error: BaseException) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"its content is not {', '.join(FORMATS[:-1])} or {FORMATS[-1]}, or its header is broken"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _read(path: Path, min_size: int | None = None) -> Pixels:
    try:
        data = Path(path).read_bytes()
        if not data:
            raise ValueError("the file is empty")
        pixels = _decode(data, min_size)
    except _BROKEN as error:
        raise ImageError(f"{path}: cannot be read as a photograph: {_reason(error)}") from error
    return pixels.copy() if pixels.base is not None else pixels


def _decode(data: bytes, min_size: int | None) -> Pixels:
    """(H, W, 3) RGB, upright. Pillow decodes every file, so that what it finds broken is refused."""
    with _opening, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        image = Image.open(BytesIO(data), formats=FORMATS)
    with image:
        if min_size is not None:
            image.draft(None, (min_size, min_size))
        arguments = image.tile[0].args if image.tile else None
        raw_mode = str(arguments[0] if isinstance(arguments, tuple) else arguments)
        image.load()
        pixels: Pixels
        if image.mode.startswith("I;16"):
            pixels = _gray_16_bit(image, raw_mode)
        elif image.mode in ("I", "F"):
            pixels = _gray_32_bit(np.asarray(image, dtype=np.float64))
        elif ";16" in raw_mode and image.mode in ("RGB", "RGBA"):
            pixels = _color_16_bit(data, raw_mode)
        elif isinstance(image, TiffImageFile) and _is_planar_16_bit(image):
            raise ValueError("its 16-bit channels are stored apart; save it with interleaved channels")
        else:
            pixels = _rgb_8_bit(image)
        return _upright(pixels, image)


def _rgb_8_bit(image: Image.Image) -> npt.NDArray[np.uint8]:
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        image = white
    return np.array(image.convert("RGB"))


def _gray_16_bit(image: Image.Image, raw_mode: str) -> npt.NDArray[np.uint16]:
    gray = np.asarray(image).astype(np.uint16)
    if raw_mode == "I;12":
        gray = np.round(gray * (65535 / 4095)).astype(np.uint16)
    if isinstance(image, TiffImageFile) and image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == 0:
        gray = 65535 - gray  # 0 is white, which Pillow heeds at 8 bits only
    if "transparency" in image.info:
        gray[gray == image.info["transparency"]] = 65535
    return _three_channels(gray)


def _gray_32_bit(gray: npt.NDArray[np.float64]) -> npt.NDArray[np.uint16]:
    """The file does not say what is white: 1 for floats up to 1, else 255 or 65535, the least that fits."""
    low, high = gray.min(), gray.max()
    if not (low >= 0 and high <= 65535):
        raise ValueError(f"its values go from {low:g} to {high:g}; save it with 8 or 16 bits")
    white = 1 if high <= 1 else 255 if high <= 255 else 65535
    return _three_channels(np.round(gray * (65535 / white)).astype(np.uint16))


def _three_channels(gray: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    return np.repeat(gray[..., None], 3, axis=2)


def _color_16_bit(data: bytes, raw_mode: str) -> npt.NDArray[np.uint16]:
    """OpenCV gives BGR or BGRA; a gray PNG with alpha comes as BGRA too."""
    bgra = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if bgra is None or bgra.dtype != np.uint16 or bgra.ndim != 3:
        raise ValueError("OpenCV cannot decode its 16 bits")
    rgb: npt.NDArray[np.uint16] = bgra[..., 2::-1]
    if bgra.shape[2] == 3 or raw_mode.startswith("RGBX"):
        return rgb
    alpha = bgra[..., 3:].astype(np.float64) / 65535
    premultiplied = raw_mode.startswith("RGBa")
    on_white: npt.NDArray[np.float64] = (rgb if premultiplied else rgb * alpha) + 65535 * (1 - alpha)
    return np.round(on_white.clip(0, 65535)).astype(np.uint16)


def _is_planar_16_bit(image: TiffImageFile) -> bool:
    return image.tag_v2.get(PLANAR_CONFIGURATION) == 2 and max(image.tag_v2.get(BITSPERSAMPLE, (1,))) > 8


def _upright(pixels: Pixels, image: Image.Image) -> Pixels:
    """Apply the EXIF orientation, which Pillow and OpenCV have done for TIFF. A damaged EXIF says nothing."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except _BROKEN:
        return pixels
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


def _encode(pixels: Pixels, suffix: str) -> bytes:
    if pixels.dtype == np.uint16:
        bgr = pixels[..., ::-1] if pixels.ndim == 3 else pixels
        done, encoded = cv2.imencode(suffix, np.ascontiguousarray(bgr))
        if not done:
            raise ValueError("OpenCV cannot encode it")
        return encoded.tobytes()
    file_format, options = _WRITERS[suffix]
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, file_format, **options)
    return buffer.getvalue()
