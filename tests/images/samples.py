"""Pictures and files that the tests of images share."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
RGB_16 = RNG.integers(0, 65536, (5, 7, 3), dtype=np.uint16)
RGBA_16 = RNG.integers(0, 65536, (5, 7, 4), dtype=np.uint16)
GRAY, GRAY_16 = RGB[..., 0].copy(), RGB_16[..., 0].copy()
ALPHA = np.linspace(0, 255, 35).astype(np.uint8).reshape(5, 7)

STORE: dict[int, Callable[[Array], Array]] = {  # by EXIF orientation: what a camera held that way writes
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: np.rot90(upright, 2),
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: np.rot90(upright, 2).swapaxes(0, 1),
    8: lambda upright: np.rot90(upright, -1),
}


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(path: Path, header: tuple[int, int, int, int], rows: bytes, *chunks: tuple[bytes, bytes]) -> None:
    """A PNG by hand: (width, height, bit depth, colour type), filtered rows, and chunks before the data."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", *header, 0, 0, 0)),
        *chunks,
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))


def png_16(path: Path, pixels: Array, *chunks: tuple[bytes, bytes]) -> None:
    """A 16-bit PNG by hand: gray, gray + alpha, RGB or RGBA, with further chunks."""
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    height, width, channels = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    png(path, (width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels]), rows, *chunks)


def three(gray: Array) -> Array:
    return np.stack([gray] * 3, axis=-1)


def on_white(color: Array, alpha: Array, white: int) -> Array:
    opacity = alpha[..., None] / white
    return color * opacity + white * (1 - opacity)


def small_png_of_size(width: int, height: int) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
