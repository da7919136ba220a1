"""Files, PIL images, NumPy arrays and tensors as a `Photograph`, and back."""

from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import TiffImageFile
from torch import Tensor

from colorize.files import expand_home
from colorize.images import Photograph, Pixels, read_photograph
from colorize.images.metadata import read_dpi, read_orientation
from colorize.images.photograph import to_8_bit
from colorize.images.profiles import converter_to_srgb, gamma_to_srgb, to_srgb
from colorize.images.tiff import load_tiff

Picture = str | Path | Image.Image | npt.NDArray[np.generic] | Tensor


def as_photograph(image: Picture, max_megapixels: float | None) -> Photograph:
    """The photograph in `image`.

    Args:
        image: a file; a PIL image, whose EXIF orientation and colour profile are applied; an array (H, W), (H, W, 3) or
            (H, W, 4); a tensor (C, H, W). Arrays and tensors are uint8, uint16 or float in [0, 1].
        max_megapixels: files with more are refused.

    Raises:
        ImageError: the file cannot be read.
        TypeError, ValueError: another type or shape.
    """
    if isinstance(image, str | Path):
        return read_photograph(expand_home(image), max_megapixels=max_megapixels)
    if isinstance(image, Image.Image):
        return _from_pil(image)
    if isinstance(image, Tensor):
        if image.ndim != 3:
            shape = tuple(image.shape)
            raise ValueError(f"A tensor must be (C, H, W), but is {shape}; a batch (B, C, H, W) is for colorize alone.")
        image = image.detach().cpu().movedim(0, -1)
        image = (image.float() if image.dtype == torch.bfloat16 else image).numpy()  # which NumPy does not have
    if not isinstance(image, np.ndarray):
        raise TypeError(f"A picture must be a path, a PIL image, an array or a tensor, but is {type(image).__name__}.")
    return _photograph(as_pixels(image))


def as_pixels(array: npt.NDArray[np.generic]) -> Pixels:
    """Values as uint8 or uint16; float in [0, 1] becomes uint16.

    Raises:
        ValueError: another type, floats outside of [0, 1], no pixels.
    """
    if array.size == 0:
        raise ValueError(f"A picture must have pixels, but its shape is {array.shape}.")
    if np.issubdtype(array.dtype, np.floating):
        values = array.astype(np.float64)
        if not (values.min() >= 0 and values.max() <= 1):
            raise ValueError(f"Floats must be in [0, 1], but go from {values.min():g} to {values.max():g}.")
        return np.round(values * 65535).astype(np.uint16)
    native = array.dtype.newbyteorder("=")
    if native in (np.uint8, np.uint16):
        return cast(Pixels, array.astype(native, copy=False))
    raise ValueError(f"Pixels must be uint8, uint16 or float in [0, 1], but are {array.dtype}.")


def _photograph(pixels: Pixels) -> Photograph:
    match pixels.shape:
        case (_, _):
            return Photograph(pixels)
        case (_, _, 1):
            return Photograph(pixels[..., 0])
        case (_, _, 3):
            return Photograph(pixels)
        case (_, _, 4):
            return Photograph(pixels[..., :3], alpha=pixels[..., 3])
    raise ValueError(f"Pixels must be (H, W), (H, W, 3) or (H, W, 4), but are {pixels.shape}.")


def _from_pil(image: Image.Image) -> Photograph:
    orientation, dpi = read_orientation(image), read_dpi(image)  # a TIFF forgets the former once it is loaded
    if isinstance(image, TiffImageFile) and image.tile:
        _load_unmapped(image)
    upright = image if orientation == 1 else ImageOps.exif_transpose(image)
    if dpi is not None and orientation >= 5:
        dpi = dpi[::-1]
    profile = upright.info.get("icc_profile")
    if upright.mode in ("La", "RGBa"):  # premultiplied
        upright = upright.convert(upright.mode.upper())
    if upright.mode.startswith("I;16"):
        pixels, profile = to_srgb(gamma_to_srgb(np.array(upright).astype(np.uint16), upright.info), profile)
        return Photograph(pixels, icc_profile=profile, dpi=dpi)
    if upright.mode in ("I", "F"):
        raise ValueError(f"A PIL image of mode {upright.mode} does not say what is white: give an array instead.")
    alpha = np.array(upright.convert("RGBA"))[..., 3] if upright.has_transparency_data else None
    gray = upright.mode in ("1", "L", "LA")
    if upright.mode in ("CMYK", "LAB"):
        upright, profile = converter_to_srgb(upright, profile)(upright), None
    pixels = gamma_to_srgb(np.array(upright.convert("L" if gray else "RGB")), upright.info)
    pixels, profile = to_srgb(pixels, profile)
    return Photograph(pixels, alpha=alpha, icc_profile=profile, dpi=dpi)


def _load_unmapped(image: TiffImageFile) -> None:
    """Decode a TIFF without its file name, by which Pillow would map it, and take its rows for as long as those turned.

    Raises:
        OSError: it is damaged.
    """
    name, image.filename = image.filename, ""
    try:
        load_tiff(image)
    finally:
        image.filename = name


def as_pil(pixels: Pixels, like: Photograph) -> Image.Image:
    """Pixels (H, W) or (H, W, 3) as an 8-bit PIL image with the transparency, profile, DPI and EXIF of `like`."""
    image = Image.fromarray(np.ascontiguousarray(to_8_bit(pixels)))
    if like.alpha is not None:
        image.putalpha(Image.fromarray(np.ascontiguousarray(to_8_bit(like.alpha))))
    facts = {"icc_profile": like.icc_profile, "dpi": like.dpi, "exif": like.exif}
    image.info |= {name: value for name, value in facts.items() if value is not None}
    return image


def batch_as_float(images: Tensor) -> Tensor:
    """A batch (B, 1 or 3, H, W), uint8 or float in [0, 1], as float32 RGB (B, 3, H, W).

    Raises:
        ValueError: another type or shape, floats outside of [0, 1].
    """
    if images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape:
        raise ValueError(f"A batch must be (B, 1, H, W) or (B, 3, H, W), but is {tuple(images.shape)}.")
    if images.dtype == torch.uint8:
        images = images / 255
    elif not images.is_floating_point():
        raise ValueError(f"A batch must be uint8 or float in [0, 1], but is {images.dtype}.")
    elif not (images.min() >= 0 and images.max() <= 1):
        raise ValueError(f"Floats must be in [0, 1], but go from {images.min():g} to {images.max():g}.")
    return images.float().expand(-1, 3, -1, -1)
