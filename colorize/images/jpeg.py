"""JPEG files in parts: planes as libjpeg-turbo gives and takes them (luma out, luma and chroma in), and segments."""

import struct

import numpy as np
import numpy.typing as npt
from simplejpeg import decode_jpeg, decode_jpeg_header, encode_jpeg_yuv_planes

from colorize.images.photograph import Planes

APP13, COMMENT = 0xED, 0xFE  # markers
LONGEST_SEGMENT = 65533  # bytes of its content
_METADATA = frozenset(range(0xE0, 0xF0)) | {COMMENT}  # the markers of APP0 to APP15, and of a comment


def decode_luma(data: bytes, width: int, height: int) -> npt.NDArray[np.uint8] | None:
    """The luma of a JPEG, uint8 (height, width), as Pillow decodes it but without two copies.

    None when the file is damaged, however little, or has another size: Pillow then says what there is of it.
    """
    try:
        if decode_jpeg_header(data)[:2] != (height, width):
            return None
        luma: npt.NDArray[np.uint8] = decode_jpeg(data, "GRAY", fastdct=False, fastupsample=False)
    except ValueError:
        return None
    return luma[..., 0]


def encode_planes(planes: Planes, about: bytes, quality: int) -> bytes:
    """A JPEG of 4:2:0 of planes, whose chroma is neither enlarged before nor averaged again.

    Of a quality below 96 libjpeg-turbo computes the cosine transform of planes fast rather than exactly: the error of
    luma is 4 % larger.

    Args:
        about: another JPEG; what its segments say (JFIF, EXIF, XMP, ICC profile, IPTC) the new one says.
        quality: 1 to 100.
    """
    luma, cb, cr = (np.ascontiguousarray(plane) for plane in (planes.luma, planes.cb, planes.cr))
    height, width = luma.shape
    if height % 2 or width % 2:  # libjpeg-turbo reads the row and the column that chroma has beyond
        luma = np.pad(luma, ((0, height % 2), (0, width % 2)), "edge")[:height, :width]
    jpeg: bytes = encode_jpeg_yuv_planes(luma, cb, cr, quality, fastdct=False)
    return about[: _end_of_metadata(about)] + jpeg[_end_of_metadata(jpeg) :]


def segment(marker: int, content: bytes) -> bytes:
    """A segment of a JPEG (ITU-T T.81, B.1.1.4); nothing where the content is longer than `LONGEST_SEGMENT`."""
    if len(content) > LONGEST_SEGMENT:
        return b""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _end_of_metadata(jpeg: bytes) -> int:
    """Where the first segment begins that is about pixels: a table or a frame."""
    at = 2
    while jpeg[at + 1] in _METADATA:
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    return at
