"""What Pillow and OpenCV leave open about TIFF: 16-bit planes, and writing 16 bits with all metadata.

Source: TIFF 6.0 (Adobe, 1992).
"""

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from itertools import accumulate
from typing import Any, cast

import numpy as np
from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from colorize.images.metadata import in_little_endian, mark_undefined
from colorize.images.photograph import Pixels, strips

HEADER = b"II*\0"  # the pointer to the first page follows
_BYTE, _LONG, _UNDEFINED = 1, 4, 7
_DEFLATE, _HORIZONTAL_DIFFERENCES = 8, 2
_BLACK_IS_ZERO, _RGB, _YCBCR = 1, 2, 6
_INTERLEAVED, _UNASSOCIATED_ALPHA = 1, 2
_SHARED_BY_PLANES = (
    Base.ImageWidth,
    Base.ImageLength,
    Base.Compression,
    Base.RowsPerStrip,
    Base.Predictor,
    Base.TileWidth,
    Base.TileLength,
    Base.Orientation,
)


def _order(data: bytes) -> str:
    return "<" if data[:2] == b"II" else ">"


def load_tiff(image: TiffImageFile) -> None:
    """Decode it, without Pillow's fixed limit of pixels, which is one for the whole process."""
    if image.mode == "RGB" and _is_uncompressed_ycbcr(image):  # Pillow 12 takes it for RGB of a JPEG, in 4 bytes
        image._mode = "YCbCr"
        image.tile = [tile._replace(args=("YCbCr", *cast("tuple[Any, ...]", tile.args)[1:])) for tile in image.tile]
    image.im = Image.new(image.mode, (image.tag_v2[Base.ImageWidth], image.tag_v2[Base.ImageLength])).im
    image.load()


def _is_uncompressed_ycbcr(image: TiffImageFile) -> bool:
    wanted = {Base.PhotometricInterpretation: _YCBCR, Base.SamplesPerPixel: 3, Base.PlanarConfiguration: _INTERLEAVED}
    tags = image.tag_v2
    raw = all(tile.codec_name == "raw" for tile in image.tile)
    return raw and all(tags.get(tag, 1) == value for tag, value in wanted.items())


def gray_planes(image: TiffImageFile, data: bytes) -> list[TiffImageFile]:
    """Each channel of a TIFF that stores its channels apart, as a gray TIFF of its own in memory.

    Raises:
        ValueError: a BigTIFF, or strips that do not divide among the channels.
    """
    tags = image.tag_v2
    samples = int(tags[Base.SamplesPerPixel])
    is_tiled = Base.TileOffsets in tags
    offsets_tag = Base.TileOffsets if is_tiled else Base.StripOffsets
    counts_tag = Base.TileByteCounts if is_tiled else Base.StripByteCounts
    offsets, counts = tags[offsets_tag], tags[counts_tag]
    if data[2:4] in (b"+\0", b"\0+") or len(offsets) % samples or len(offsets) != len(counts):
        raise ValueError("its 16-bit channels are stored apart; save it with interleaved channels")
    each = len(offsets) // samples
    planes = []
    for start in range(0, len(offsets), each):
        entries: dict[int, tuple[int, ...]] = {tag: (int(tags[tag]),) for tag in _SHARED_BY_PLANES if tag in tags}
        entries |= {
            Base.BitsPerSample: (16,),
            Base.PhotometricInterpretation: (_BLACK_IS_ZERO,),
            Base.SamplesPerPixel: (1,),
        }
        entries |= {offsets_tag: offsets[start : start + each], counts_tag: counts[start : start + each]}
        planes.append(TiffImageFile(BytesIO(_with_directory(data, entries)), ""))
    return planes


def _with_directory(data: bytes, entries: dict[int, tuple[int, ...]]) -> bytes:
    """`data` with a directory of LONGs at its end as its first."""
    order = _order(data)
    start = len(data) + len(data) % 2
    extra_at = start + 2 + 12 * len(entries) + 4
    directory, extra = struct.pack(order + "H", len(entries)), b""
    for tag, values in sorted(entries.items()):
        packed = struct.pack(f"{order}{len(values)}I", *values)
        if len(values) > 1:
            packed, extra = struct.pack(order + "I", extra_at + len(extra)), extra + packed
        directory += struct.pack(order + "HHI", tag, _LONG, len(values)) + packed
    header = data[:4] + struct.pack(order + "I", start)
    return header + data[8:] + bytes(len(data) % 2) + directory + bytes(4) + extra


@dataclass(frozen=True)
class TiffPage:
    """What a page of a TIFF is written from.

    Attributes:
        pixels: (H, W) gray or (H, W, 3) RGB, uint8 or uint16.
        alpha: (H, W) of the same dtype, or None.
        exif: its first directory, the resolution included, and its EXIF and GPS directories.
        icc_profile, xmp, iptc: go into the file as they are.
    """

    pixels: Pixels
    alpha: Pixels | None
    exif: Image.Exif
    icc_profile: bytes | None
    xmp: bytes | None
    iptc: bytes | None


def encode_tiff(page: TiffPage) -> bytes:
    """A TIFF of one page: see `encode_page`."""
    at = len(HEADER) + 4
    encoded, _ = encode_page(page, at)
    return HEADER + struct.pack("<I", at) + encoded


def encode_page(page: TiffPage, at: int) -> tuple[bytes, int]:
    """A page of a little-endian TIFF: strips, deflate (lossless) after horizontal differences, unassociated alpha.

    Args:
        page: what it holds.
        at: the place in the file, even, where the page will begin.

    Returns:
        The page, and the place in the file of its last pointer, to the next page, which is 0.
    """
    height, width = page.pixels.shape[:2]
    channels = (1 if page.pixels.ndim == 2 else 3) + (page.alpha is not None)
    rows_of_strips = list(strips(height, width))
    coded = [_compress(page, rows) for rows in rows_of_strips]
    directory = ImageFileDirectory_v2()
    for tag, value in page.exif.items():
        directory[tag] = in_little_endian(page.exif, tag) if tag in (IFD.Exif, IFD.GPSInfo) else value
    sizes = [len(strip) for strip in coded]
    directory[Base.ImageWidth], directory[Base.ImageLength] = width, height
    directory[Base.BitsPerSample] = (8 * page.pixels.itemsize,) * channels
    directory[Base.Compression], directory[Base.Predictor] = _DEFLATE, _HORIZONTAL_DIFFERENCES
    directory[Base.PhotometricInterpretation] = _BLACK_IS_ZERO if page.pixels.ndim == 2 else _RGB
    directory.tagtype[Base.StripOffsets] = directory.tagtype[Base.StripByteCounts] = _LONG
    directory[Base.StripOffsets] = tuple(accumulate(sizes[:-1], initial=0))
    directory[Base.StripByteCounts] = tuple(sizes)
    directory[Base.SamplesPerPixel], directory[Base.RowsPerStrip] = channels, rows_of_strips[0].stop
    directory[Base.PlanarConfiguration] = _INTERLEAVED
    if page.alpha is not None:
        directory[Base.ExtraSamples] = _UNASSOCIATED_ALPHA
    blocks = (
        (Base.XMLPacket, _BYTE, page.xmp),
        (Base.IPTCNAA, _UNDEFINED, page.iptc),
        (Base.InterColorProfile, _UNDEFINED, page.icc_profile),
    )
    for block_tag, kind, block in blocks:
        if block is not None:
            directory.tagtype[block_tag] = kind
            directory[block_tag] = block
    encoded = directory.tobytes(at)  # Pillow moves the strip offsets to the place behind it
    return mark_undefined(encoded, at, "<") + b"".join(coded), at + 2 + 12 * len(directory)


def _compress(page: TiffPage, rows: slice) -> bytes:
    """A strip of those rows."""
    strip = page.pixels[rows].reshape(rows.stop - rows.start, page.pixels.shape[1], -1)
    if page.alpha is not None:
        strip = np.concatenate([strip, page.alpha[rows][..., None]], axis=2)
    differences = np.diff(strip, axis=1, prepend=strip.dtype.type(0))
    return zlib.compress(differences.astype(differences.dtype.newbyteorder("<")).tobytes(), 1)
