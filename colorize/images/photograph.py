"""What a photograph is in memory, and arithmetic on its pixels that goes strip by strip to spare memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

STRIP_PIXELS = 2**20


@dataclass(frozen=True)
class Photograph:
    """One photograph at the depth of its file, upright, with what its file says about it.

    Attributes:
        pixels: (H, W) gray or (H, W, 3) sRGB, uint8 or uint16.
        alpha: (H, W) of the dtype of `pixels`, 0 transparent; None when the whole photograph is opaque.
        icc_profile: says that `pixels` are sRGB; None when the file of RGB pixels had no profile, and for gray.
        exif: an EXIF block without orientation, resolution and thumbnail.
        xmp: an XMP packet in UTF-8, whose orientation, where it has one, is 1.
        iptc: records of IPTC-IIM.
        texts: by keyword, those of a PNG; a JPEG's comment as "Comment".
        dpi: pixels an inch, across and down.
        format: Pillow's name of the file's format, as "JPEG".
    """

    pixels: Pixels
    alpha: Pixels | None = None
    icc_profile: bytes | None = None
    exif: bytes | None = None
    dpi: tuple[float, float] | None = None
    format: str = ""
    xmp: bytes | None = None
    iptc: bytes | None = None
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def bit_depth(self) -> int:
        """8 or 16."""
        return 8 * self.pixels.itemsize


@dataclass(frozen=True)
class Planes:
    """A picture as a JPEG of 4:2:0 holds it, in the YCbCr of JFIF.

    Attributes:
        luma: (H, W) uint8.
        cb, cr: (ceil(H / 2), ceil(W / 2)) uint8, of 2 x 2 pixels each; 128 is gray.
    """

    luma: npt.NDArray[np.uint8]
    cb: npt.NDArray[np.uint8]
    cr: npt.NDArray[np.uint8]


def strips(height: int, width: int) -> Iterator[slice]:
    """Slices of whole rows, about `STRIP_PIXELS` pixels each, that cover `height` rows."""
    rows = max(1, STRIP_PIXELS // max(width, 1))
    return (slice(top, min(top + rows, height)) for top in range(0, height, rows))


def to_8_bit(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """Values v of 16 bits as round(v / 257); 8 bits as they are."""
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    result = np.empty(pixels.shape, np.uint8)
    for rows in strips(*pixels.shape[:2]):
        result[rows] = (pixels[rows].astype(np.uint32) + 128) // 257
    return result


def to_depth_of(pixels: Pixels, other: Pixels) -> Pixels:
    """`pixels` in the dtype of `other`: v of 8 bits becomes 257 v, v of 16 bits round(v / 257)."""
    if other.dtype == np.uint8:
        return to_8_bit(pixels)
    return pixels if pixels.dtype == np.uint16 else pixels.astype(np.uint16) * np.uint16(257)


def on_white(pixels: Pixels, alpha: Pixels | None) -> Pixels:
    """`pixels` (H, W) or (H, W, 3) seen through `alpha` (H, W) of the same dtype, laid on white paper."""
    if alpha is None:
        return pixels
    white = np.uint32(np.iinfo(pixels.dtype).max)
    result = np.empty_like(pixels, order="C")
    for rows in strips(*alpha.shape):
        opacity = alpha[rows].astype(np.uint32).reshape(alpha[rows].shape + (1,) * (pixels.ndim - 2))
        result[rows] = (pixels[rows] * opacity + white * (white - opacity) + white // 2) // white
    return result


def three_channels(pixels: Pixels) -> Pixels:
    """(H, W) as (H, W, 3); (H, W, 3) as it is."""
    return pixels[..., None].repeat(3, axis=2) if pixels.ndim == 2 else pixels
