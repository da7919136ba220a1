"""Pixels under an ICC profile come to sRGB (littleCMS through Pillow)."""

import struct
from collections.abc import Callable, Mapping
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from colorize.images.icc import gray_profile, gray_profile_of, read_tags, srgb_profile
from colorize.images.photograph import Pixels, strips

_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_BROKEN = (ImageCms.PyCMSError, OSError, ValueError, TypeError)
_CURVES_AND_MATRIX = {b"rTRC", b"gTRC", b"bTRC", b"rXYZ", b"gXYZ", b"bXYZ"}
_TABLES = {b"A2B0", b"A2B1", b"A2B2", b"D2B0", b"D2B1", b"D2B2", b"D2B3"}
_SAME = 2
_TABLE_STEP = 3  # divides 255


def color_space(profile: bytes | None) -> str:
    """ "RGB", "GRAY", "CMYK" or another of littleCMS's names; "" without a profile or for a damaged one."""
    if not isinstance(profile, bytes):
        return ""
    try:
        return ImageCms.ImageCmsProfile(BytesIO(profile)).profile.xcolor_space.strip()
    except _BROKEN:
        return ""


def to_srgb(pixels: Pixels, profile: bytes | None) -> tuple[Pixels, bytes | None]:
    """Gray (H, W) or RGB (H, W, 3) as sRGB, and the profile that says so: see `gray_to_srgb` and `rgb_to_srgb`.

    A profile of other channels than those of `pixels` is left out, as a damaged one is.
    """
    if profile is None:
        return pixels, None
    return rgb_to_srgb(pixels, profile) if pixels.ndim == 3 else (gray_to_srgb(pixels, profile), None)


def converter_to_srgb(image: Image.Image, profile: bytes | None) -> Callable[[Image.Image], Image.Image]:
    """What turns strips of a CMYK or LAB `image` into RGB; CMYK without a good profile goes by Pillow's plain rule."""
    if image.mode == "LAB":
        source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    elif image.mode == "CMYK" and profile is not None and color_space(profile) == "CMYK":
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
    else:
        return lambda strip: strip.convert("RGB")
    try:
        transform = ImageCms.buildTransform(
            source, ImageCms.createProfile("sRGB"), image.mode, "RGB", renderingIntent=_INTENT, flags=_FLAGS
        )
    except _BROKEN:
        if image.mode == "LAB":
            raise
        return lambda strip: strip.convert("RGB")
    return transform.apply


def gray_to_srgb(gray: Pixels, profile: bytes) -> Pixels:
    """Gray (H, W) under a gray profile as gray of sRGB's tone curve; as it is under a broken or any other profile."""
    try:
        curve = _tone_curve(profile)
    except _BROKEN:
        return gray
    table: npt.NDArray[np.uint16] | npt.NDArray[np.uint8] = curve
    if gray.dtype == np.uint8:
        table = ((curve[::257].astype(np.uint32) + 128) // 257).astype(np.uint8)
    result = np.empty_like(gray)
    for rows in strips(*gray.shape):
        result[rows] = table[gray[rows]]
    return result


def gamma_to_srgb(pixels: Pixels, info: Mapping[Any, Any]) -> Pixels:
    """Pixels (H, W) or (H, W, 3) of a PNG that has gAMA, but neither a profile nor sRGB, in sRGB's tone curve.

    gAMA is the exponent by which light was encoded (PNG, third edition, 11.3.2.2). Pixels stay as they are where it is
    within 5 % of sRGB's 1 / 2.2, as in libpng, and where it is below 0.2 or above 5, which no picture has.

    Args:
        pixels: as they are stored.
        info: what Pillow found in the file.
    """
    gamma = info.get("gamma", 1 / 2.2)
    said_otherwise = "srgb" in info or info.get("icc_profile") is not None
    if said_otherwise or abs(gamma * 2.2 - 1) <= 0.05 or not 0.2 <= gamma <= 5:
        return pixels
    return gray_to_srgb(pixels.reshape(len(pixels), -1), gray_profile(1 / gamma)).reshape(pixels.shape)


def _tone_curve(profile: bytes) -> npt.NDArray[np.uint16]:
    """The value in sRGB of each 16-bit gray under a gray profile, (65536,)."""
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(BytesIO(profile)),
        ImageCms.ImageCmsProfile(BytesIO(gray_profile())),
        "I;16",
        "I;16",
        renderingIntent=_INTENT,
        flags=_FLAGS | ImageCms.Flags.NOOPTIMIZE,  # littleCMS's shortcut is off by up to 10 of 255 in the shadows
    )
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    return np.asarray(transform.apply(Image.fromarray(ramp))).ravel().astype(np.uint16)


def rgb_to_srgb(pixels: Pixels, profile: bytes) -> tuple[Pixels, bytes | None]:
    """RGB pixels under a profile as pixels of sRGB, and the profile that says so.

    Relative colorimetric with black point compensation, clipped to sRGB's gamut. littleCMS transforms 8 bits. For 16
    bits, which Pillow has no transform for, profiles of curves and a matrix are computed in floats; those of tables
    are interpolated between littleCMS's results for 86 values of each channel: right to 1 of 255, but up to 12 off in
    the few colours where the edge of sRGB's gamut lies between two of them.

    Args:
        pixels: (H, W, 3), uint8 or uint16.
        profile: of any colour space.

    Returns:
        `pixels` and `profile` themselves when the profile is sRGB; a new array and a small sRGB profile when it is
        of another RGB space; `pixels` and None when it is damaged or not of RGB.
    """
    if color_space(profile) != "RGB":
        return pixels, None
    try:
        if _moves_no_color(profile):
            return pixels, profile
        convert: Callable[[Pixels], Pixels] = _strip_transform(profile)
        if pixels.dtype == np.uint16:
            convert = _matrix_transform(profile) or _table_transform(convert)
    except (*_BROKEN, struct.error):
        return pixels, None
    result = np.empty_like(pixels, order="C")
    for rows in strips(*pixels.shape[:2]):
        result[rows] = convert(pixels[rows])
    return result, srgb_profile()


def is_srgb(profile: bytes | None) -> bool:
    """Whether `rgb_to_srgb` leaves pixels as they are; without a profile, too."""
    if color_space(profile) != "RGB":
        return True
    try:
        return _moves_no_color(profile or b"")
    except (*_BROKEN, struct.error):
        return False


@lru_cache(maxsize=16)
def _moves_no_color(profile: bytes) -> bool:
    """Whether no colour moves by more than `_SAME` of 255: sRGB's profiles differ in their rounding."""
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    grays = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, axis=2)
    colors = np.concatenate([grid, grays], axis=1)
    return bool(np.abs(_strip_transform(profile)(colors).astype(int) - colors).max() <= _SAME)


def _strip_transform(profile: bytes) -> Callable[[Pixels], Pixels]:
    """8-bit RGB (H, W, 3) under the profile to sRGB."""
    source, srgb = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
    # littleCMS's shortcut for tables is off by up to 18 of 255 where sRGB's gamut ends
    flags = _FLAGS | ImageCms.Flags.NOOPTIMIZE if _has_table(profile) else _FLAGS
    transform = ImageCms.buildTransform(source, srgb, "RGB", "RGB", renderingIntent=_INTENT, flags=flags)
    return lambda strip: np.asarray(transform.apply(Image.fromarray(strip)))


def _has_table(profile: bytes) -> bool:
    return bool(_TABLES & read_tags(profile).keys())


def _matrix_transform(profile: bytes) -> Callable[[Pixels], Pixels] | None:
    """16-bit RGB (H, W, 3) to sRGB by three curves and a matrix (ICC.1:2010, F.3); None for other profiles.

    None, too, where black is not 0: compensating for that is left to littleCMS.
    """
    tags = read_tags(profile)
    if _has_table(profile) or not tags.keys() >= _CURVES_AND_MATRIX:
        return None
    curves = [_srgb_to_linear(_tone_curve(gray_profile_of(tags[name]))) for name in (b"rTRC", b"gTRC", b"bTRC")]
    if any(curve[0] > 0 for curve in curves):
        return None
    matrix = np.linalg.solve(_colorants(srgb_profile()), _colorants(profile))

    def convert(strip: Pixels) -> Pixels:
        linear = np.stack([curve[strip[..., channel]] for channel, curve in enumerate(curves)], axis=-1)
        return np.round(_linear_to_srgb(linear @ matrix.astype(np.float32).T) * 65535).astype(np.uint16)

    return convert


def _colorants(profile: bytes) -> npt.NDArray[np.float64]:
    """XYZ of full red, green and blue as columns (3, 3), adapted to D50."""
    facts = ImageCms.ImageCmsProfile(BytesIO(profile)).profile
    colorants = [facts.red_colorant, facts.green_colorant, facts.blue_colorant]
    return np.array([colorant[0] for colorant in colorants if colorant is not None]).T.reshape(3, 3)


def _table_transform(convert: Callable[[Pixels], Pixels]) -> Callable[[Pixels], Pixels]:
    """16-bit RGB (H, W, 3) to sRGB, interpolated in three dimensions between what `convert` makes of 8-bit colours."""
    steps = np.arange(0, 256, _TABLE_STEP, dtype=np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
    table = convert(grid.reshape(1, -1, 3)).reshape(grid.shape).astype(np.float32) * 257

    def interpolate(strip: Pixels) -> Pixels:
        place = strip / np.float32(257 * _TABLE_STEP)
        low = np.minimum(place.astype(np.intp), len(steps) - 2)
        weights = place - low
        result = np.zeros(strip.shape, np.float32)
        for corner in np.ndindex(2, 2, 2):
            weight = np.where(corner, weights, 1 - weights).prod(axis=-1, keepdims=True)
            result += weight * table[tuple(np.moveaxis(low + corner, -1, 0))]
        return np.round(result).astype(np.uint16)

    return interpolate


def _srgb_to_linear(values: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
    """IEC 61966-2-1, from 0 to 65535 to [0, 1]."""
    encoded = values / 65535
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)


def _linear_to_srgb(linear: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """IEC 61966-2-1, clipped to [0, 1]."""
    linear = np.clip(linear, 0, 1)
    encoded: npt.NDArray[np.float32] = np.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * linear ** np.float32(1 / 2.4) - 0.055
    )
    return encoded
