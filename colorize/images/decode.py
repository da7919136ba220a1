"""From an opened file to arrays of pixels and alpha, at the file's depth."""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    TiffImageFile,
)

from colorize.images.jpeg import decode_luma
from colorize.images.photograph import Pixels, strips
from colorize.images.profiles import converter_to_srgb
from colorize.images.texts import load_png
from colorize.images.tiff import gray_planes, load_tiff

Decoded = tuple[Pixels, Pixels | None]

# Pillow widens gray of 2 and 4 bits to 8, but not the value that a PNG calls transparent.
_WIDENED = {"L;2": 85, "L;4": 17}


def decode(image: ImageFile.ImageFile, data: bytes) -> Decoded:
    """Pixels (H, W) gray or (H, W, 3) RGB, and alpha (H, W) or None, as stored; CMYK and LAB come to sRGB.

    Pillow decodes every file but the luma of a whole JPEG, so that what it finds broken is refused; OpenCV then decodes
    16-bit colour, which Pillow cuts to 8. Raises nearly anything on broken files.

    Args:
        image: the file, opened by Pillow.
        data: the same file's bytes.
    """
    if isinstance(image, JpegImageFile) and image.mode == "L":
        luma = decode_luma(data, *image.size)
        if luma is not None:
            return luma, None
    raw_mode, is_color_16_bit = _raw_mode(image), _is_color_16_bit(image)
    if isinstance(image, TiffImageFile) and _is_planar_16_bit(image):
        return _planes_16_bit(image, data)
    if isinstance(image, TiffImageFile):
        load_tiff(image)
    elif isinstance(image, PngImageFile):
        load_png(image)
    else:
        image.load()
    if image.mode.startswith("I;16"):
        return _gray_16_bit(image, raw_mode)
    if image.mode in ("I", "F"):
        return _gray_32_bit(np.asarray(image, dtype=np.float64)), None
    if is_color_16_bit:
        transparent = image.info.get("transparency")
        image.im = Image.new("1", (1, 1)).im  # the 8-bit pixels, no longer needed
        return _color_16_bit(data, raw_mode, transparent)
    return _eight_bit(image, raw_mode)


def depth_of(image: ImageFile.ImageFile) -> int:
    """8 or 16, the depth of what `decode` gives, by the header alone."""
    is_deep = image.mode.startswith("I;16") or image.mode in ("I", "F") or _is_color_16_bit(image)
    return 16 if is_deep or (isinstance(image, TiffImageFile) and _is_planar_16_bit(image)) else 8


def _raw_mode(image: ImageFile.ImageFile) -> str:
    """Pillow's name of how the file stores its pixels, as "RGB;16B"; to be asked before they are loaded."""
    arguments = image.tile[0].args if image.tile else None
    return str(arguments[0] if isinstance(arguments, tuple) else arguments)


def _is_color_16_bit(image: ImageFile.ImageFile) -> bool:
    return ";16" in _raw_mode(image) and image.mode in ("RGB", "RGBA")


def _eight_bit(image: Image.Image, raw_mode: str) -> Decoded:
    transparent = image.info.get("transparency")
    if image.mode == "L" and transparent is None:
        return np.array(image), None
    if image.mode in ("1", "L"):
        gray, _ = _as_arrays(image, lambda strip: strip.convert("L"), 1, has_alpha=False)
        if not isinstance(transparent, int):
            return gray, None
        return gray, _opaque_where(gray != transparent * _WIDENED.get(raw_mode, 1), gray)
    if image.mode == "LA":
        return _as_arrays(image, lambda strip: strip.convert("LA"), 1, has_alpha=True)
    if _has_gray_palette(image):
        has_alpha = image.has_transparency_data
        mode = "LA" if has_alpha else "L"
        return _as_arrays(image, lambda strip: strip.convert("RGBA").convert(mode), 1, has_alpha=has_alpha)
    if image.has_transparency_data:
        return _as_arrays(image, lambda strip: strip.convert("RGBA"), 3, has_alpha=True)
    return _as_arrays(image, converter_to_srgb(image, image.info.get("icc_profile")), 3, has_alpha=False)


def _has_gray_palette(image: Image.Image) -> bool:
    """Whether it is gray under the name of a palette; colours under a profile are left to the profile."""
    if image.mode != "P" or "icc_profile" in image.info:
        return False
    palette = np.array(image.getpalette("RGB")).reshape(-1, 3)
    return bool((palette == palette[:, :1]).all())


def _as_arrays(
    image: Image.Image, convert: Callable[[Image.Image], Image.Image], channels: int, *, has_alpha: bool
) -> Decoded:
    """Pillow's pixels as arrays, strip by strip: a 100-megapixel picture is never held a third time."""
    width, height = image.size
    pixels = np.empty((height, width) if channels == 1 else (height, width, channels), np.uint8)
    alpha = np.empty((height, width), np.uint8) if has_alpha else None
    for rows in strips(height, width):
        strip = np.asarray(convert(image.crop((0, rows.start, width, rows.stop))))
        if alpha is not None:
            alpha[rows] = strip[..., -1]
            pixels[rows] = strip[..., :-1].reshape(pixels[rows].shape)
        else:
            pixels[rows] = strip
    return pixels, alpha


def _opaque_where(mask: npt.NDArray[np.bool_], like: Pixels) -> Pixels:
    if like.dtype == np.uint8:
        return mask.astype(np.uint8) * np.uint8(255)
    return mask.astype(np.uint16) * np.uint16(65535)


def _gray_16_bit(image: Image.Image, raw_mode: str) -> Decoded:
    gray = np.asarray(image).astype(np.uint16)
    if raw_mode == "I;12":
        gray = np.round(gray * (65535 / 4095)).astype(np.uint16)
    if isinstance(image, TiffImageFile) and image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == 0:
        gray = 65535 - gray  # 0 is white, which Pillow heeds at 8 bits only
    transparent = image.info.get("transparency")
    return gray, _opaque_where(gray != transparent, gray) if isinstance(transparent, int) else None


def _gray_32_bit(gray: npt.NDArray[np.float64]) -> npt.NDArray[np.uint16]:
    """The file does not say what is white: 1 for floats up to 1, else 255 or 65535, the least that fits."""
    low, high = gray.min(), gray.max()
    if not (low >= 0 and high <= 65535):
        raise ValueError(f"its values go from {low:g} to {high:g}; save it with 8 or 16 bits")
    white = 1 if high <= 1 else 255 if high <= 255 else 65535
    return np.round(gray * (65535 / white)).astype(np.uint16)


def _color_16_bit(data: bytes, raw_mode: str, transparent: object) -> Decoded:
    """OpenCV gives BGR or BGRA; a gray PNG with alpha comes as BGRA too."""
    bgra = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if bgra is None or bgra.dtype != np.uint16 or bgra.ndim != 3:
        raise ValueError("OpenCV cannot decode its 16 bits")
    height, width, channels = bgra.shape
    has_alpha = channels == 4 and not raw_mode.startswith("RGBX")
    is_gray = raw_mode.startswith("LA")
    pixels = np.empty((height, width) if is_gray else (height, width, 3), np.uint16)
    alpha = np.empty((height, width), np.uint16) if has_alpha else None
    for rows in strips(height, width):
        pixels[rows] = bgra[rows, :, 0] if is_gray else bgra[rows, :, 2::-1]
        if alpha is not None:
            alpha[rows] = bgra[rows, :, 3]
            if raw_mode.startswith("RGBa"):
                _unpremultiply(pixels[rows], alpha[rows])
    if alpha is None and isinstance(transparent, tuple):
        alpha = _opaque_where((pixels != np.array(transparent, np.uint16)).any(axis=2), pixels)
    return pixels, alpha


def _unpremultiply(premultiplied: npt.NDArray[np.uint16], alpha: npt.NDArray[np.uint16]) -> None:
    """Turn colour times alpha into colour, in place; where alpha is 0 it stays as stored."""
    opacity = np.where(alpha == 0, 65535, alpha).astype(np.float64)[..., None]
    premultiplied[:] = np.round(premultiplied * (65535 / opacity)).clip(0, 65535).astype(np.uint16)


def _is_planar_16_bit(image: TiffImageFile) -> bool:
    return image.tag_v2.get(PLANAR_CONFIGURATION) == 2 and max(image.tag_v2.get(BITSPERSAMPLE, (1,))) == 16


def _planes_16_bit(image: TiffImageFile, data: bytes) -> Decoded:
    if image.mode not in ("RGB", "RGBA"):
        raise ValueError("its 16-bit channels are stored apart; save it with interleaved channels")
    planes = []
    for plane in gray_planes(image, data):
        load_tiff(plane)
        planes.append(np.asarray(plane).astype(np.uint16, copy=False))
    return np.stack(planes[:3], axis=-1), planes[3] if image.mode == "RGBA" else None
