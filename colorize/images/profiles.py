"""ICC profiles: what RGB pixels keep, and how gray and CMYK come to sRGB (littleCMS through Pillow)."""

import struct
from collections.abc import Callable
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from colorize.images.photograph import Pixels, strips

_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_D50 = struct.pack(">iii", 63190, 65536, 54061)
_BROKEN = (ImageCms.PyCMSError, OSError, ValueError, TypeError)


def color_space(profile: bytes | None) -> str:
    """ "RGB", "GRAY", "CMYK" or another of littleCMS's names; "" without a profile or for a damaged one."""
    if not isinstance(profile, bytes):
        return ""
    try:
        return ImageCms.ImageCmsProfile(BytesIO(profile)).profile.xcolor_space.strip()
    except _BROKEN:
        return ""


def to_srgb(image: Image.Image, profile: bytes | None) -> Callable[[Image.Image], Image.Image]:
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
    """Gray (H, W) under a gray profile as gray of sRGB's tone curve; as it is where the profile is broken."""
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(BytesIO(profile)),
            ImageCms.ImageCmsProfile(BytesIO(gray_profile())),
            "I;16",
            "I;16",
            renderingIntent=_INTENT,
            flags=_FLAGS | ImageCms.Flags.NOOPTIMIZE,  # littleCMS's shortcut is off by up to 10 of 255 in the shadows
        )
        curve = np.asarray(transform.apply(Image.fromarray(ramp))).ravel()
    except _BROKEN:
        return gray
    table: npt.NDArray[np.uint16] | npt.NDArray[np.uint8] = curve.astype(np.uint16)
    if gray.dtype == np.uint8:
        table = ((curve[::257].astype(np.uint32) + 128) // 257).astype(np.uint8)
    result = np.empty_like(gray)
    for rows in strips(*gray.shape):
        result[rows] = table[gray[rows]]
    return result


def gray_profile(gamma: float | None = None) -> bytes:
    """A small ICC gray profile (ICC.1:2010): sRGB's tone curve, or a plain gamma."""
    if gamma is None:  # IEC 61966-2-1, as a parametric curve of type 3
        numbers = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
        curve = b"para" + struct.pack(">IHH5i", 0, 3, 0, *(round(number * 65536) for number in numbers))
    else:
        curve = b"para" + struct.pack(">IHHi", 0, 0, 0, round(gamma * 65536))
    text = b"mluc" + struct.pack(">III2s2sII", 0, 1, 12, b"en", b"US", 8, 28) + "gray".encode("utf-16-be")
    tags = {b"desc": text, b"cprt": text, b"wtpt": b"XYZ " + bytes(4) + _D50, b"kTRC": curve}
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += struct.pack(">4sII", name, offset + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = struct.pack(">I4sI", offset + len(body), b"", 0x04300000) + b"mntrGRAYXYZ " + bytes(12) + b"acsp"
    return (header + bytes(28) + _D50).ljust(128, b"\0") + table + body
