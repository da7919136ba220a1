"""What the frames of a film are: size, depth, colour tags, time base, and which way is up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from av import VideoFrame
from av.video.plane import VideoPlane

Plane = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

RANGE_LIMITED, RANGE_FULL = 1, 2  # AVCOL_RANGE
UNSPECIFIED, BT709 = 2, 1  # AVCOL_SPC, AVCOL_PRI and AVCOL_TRC
HDR = {16: "PQ", 18: "HLG"}
"""Transfer characteristics of more than white, by AVCOL_TRC."""
WIDE = {9: "BT.2020", 11: "DCI-P3", 12: "Display P3"}
"""Primaries of more colours than BT.709's, by AVCOL_PRI."""
WEIGHTS = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
    10: (0.2627, 0.0593),
}
"""Those of red and blue in luma, by AVCOL_SPC: ITU-T H.273, table 4."""
FULL_UNTAGGED = frozenset({"rawvideo", "ffv1", "png", "mjpeg", "huffyuv", "ffvhuff", "utvideo", "bmp", "tiff"})
"""Codecs whose gray is of full range if nothing says otherwise."""
_LUMA_FIRST = re.compile(r"(yuva?4\d\dp|yuvj4\d\dp|gray)(9|10|12|14|16)?(le)?|nv(12|16|21|24|42)")


@dataclass(frozen=True)
class FilmFacts:
    """What all frames of a film have in common, once they are read.

    Attributes:
        width, height: of the frames as they are stored.
        bits: of their luma, 8 or 10.
        time_base: the unit of their time stamps, in seconds.
        rate: frames a second, on the average.
        aspect: width by height of a pixel.
        color_range, colorspace, color_primaries, color_trc: FFmpeg's numbers of the film's own tags.
        display_matrix: how a player turns them; None if it does not.
        frames: how many there are, as far as the file says; None if it does not.
        end: when its pictures end, in units of the time base; None if the file does not say.
        codec: of the film, as FFmpeg calls it.
    """

    width: int
    height: int
    bits: int
    time_base: Fraction
    rate: Fraction
    aspect: Fraction
    color_range: int
    colorspace: int
    color_primaries: int
    color_trc: int
    display_matrix: tuple[int, ...] | None
    frames: int | None
    codec: str
    end: int | None = None

    @property
    def is_full_range(self) -> bool:
        return self.color_range == RANGE_FULL

    @property
    def weights(self) -> tuple[float, float]:
        """Those of red and blue in luma; untagged films are what players take them for."""
        return WEIGHTS.get(self.colorspace) or WEIGHTS[1 if self.height >= 720 else 6]

    @property
    def black_and_white(self) -> tuple[int, int]:
        """The codes of black and white."""
        if self.is_full_range:
            return 0, (1 << self.bits) - 1
        return 16 << self.bits - 8, 235 << self.bits - 8

    def upright(self, picture: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """An array (..., H, W) as a player shows it."""
        transposed, mirrored, flipped = self._turn
        picture = np.swapaxes(picture, -1, -2) if transposed else picture
        picture = picture[..., ::-1] if mirrored else picture
        return picture[..., ::-1, :] if flipped else picture

    def as_stored(self, picture: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """The inverse of `upright`."""
        transposed, mirrored, flipped = self._turn
        picture = picture[..., ::-1, :] if flipped else picture
        picture = picture[..., ::-1] if mirrored else picture
        return np.swapaxes(picture, -1, -2) if transposed else picture

    @property
    def is_sideways(self) -> bool:
        """Whether a player shows its columns as rows."""
        return self._turn[0]

    @property
    def _turn(self) -> tuple[bool, bool, bool]:
        if self.display_matrix is None:
            return False, False, False
        a, b, _, c, d = self.display_matrix[:5]
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return False, a < 0, d < 0
        return True, c < 0, b < 0


def bits_of(frame: VideoFrame) -> int:
    return max(component.bits for component in frame.format.components)


def has_alpha(frame: VideoFrame) -> bool:
    return any(component.is_alpha for component in frame.format.components)


def has_luma(frame: VideoFrame) -> bool:
    """Whether its first plane is its luma, in the bytes of this machine."""
    return _LUMA_FIRST.fullmatch(frame.format.name) is not None


def read_luma(frame: VideoFrame, bits: int) -> Plane:
    """The luma of a frame that has it, in `bits`, 8 or 10: (H, W), uint8, or uint16 of 10 bits.

    A frame of another depth is brought to that, rounded.
    """
    own = bits_of(frame)
    luma = rows_of(frame.planes[0], np.uint8 if own <= 8 else np.uint16)
    if own == bits:
        return luma
    if own < bits:
        return np.left_shift(luma.astype(np.uint16), bits - own, dtype=np.uint16)
    half = 1 << (own - bits - 1)
    values = np.minimum((luma.astype(np.uint32) + half) >> (own - bits), (1 << bits) - 1)
    rounded: Plane = values.astype(np.uint8 if bits == 8 else np.uint16)
    return rounded


def rows_of(plane: VideoPlane, dtype: type[np.uint8] | type[np.uint16]) -> Plane:
    """The values of a plane of a frame, (H, W), where FFmpeg holds them, without what it adds to each row.

    Of a plane whose rows are stored from below, the memory begins with the last.
    """
    itemsize = np.dtype(dtype).itemsize
    memory: Any = plane
    rows: Any = np.frombuffer(memory, dtype).reshape(-1, abs(plane.line_size) // itemsize)
    values: Plane = (rows[: plane.height] if plane.line_size > 0 else rows[: plane.height][::-1])[:, : plane.width]
    return values
