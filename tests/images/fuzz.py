"""Reads COUNT mutated files and prints what became of them as JSON: python -m tests.images.fuzz COUNT SEED FOLDER

Whatever read_photograph raises besides ImageError ends the process with its traceback, and so does a file that takes
more than SECONDS; the last file stays in FOLDER.
"""

import collections
import json
import sys
import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from colorize.errors import ImageError
from colorize.images import Photograph, read_header, read_photograph, write_pages, write_photograph
from colorize.images.descriptions import iptc_segment
from colorize.images.icc import gray_profile
from tests.images.rgb_profiles import SPACES
from tests.mutated import limit_process, read_mutated

RNG = np.random.default_rng(0)
SCENE = np.add.outer(np.arange(24) * 4, np.arange(33) * 3)[..., None] + RNG.integers(0, 40, (24, 33, 3))
RGB = SCENE.astype(np.uint8)
RGBA = np.dstack([RGB, RGB[..., 0]])
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
IPTC = b"\x1c\x02\x05\0\4fuzz"
MEMORY = 4 * 2**30
SECONDS = 10


def _pillow(file_format: str, mode: str, **options: Any) -> bytes:
    buffer = BytesIO()
    Image.fromarray(RGBA if mode in ("RGBA", "LA") else RGB).convert(mode).save(buffer, file_format, **options)
    return buffer.getvalue()


def _tifffile(pixels: Any, **options: Any) -> bytes:
    buffer = BytesIO()
    tifffile.imwrite(buffer, pixels, **options)
    return buffer.getvalue()


def corpus(folder: Path) -> Iterator[bytes]:
    """Small good files of every format, mode and depth that is read."""
    exif = Image.Exif()
    exif[274], exif[315], exif[282], exif[283] = 6, "fuzz", 300.0, 300.0
    exif.get_ifd(34665)[33434] = 0.004
    described: dict[str, Any] = {"exif": exif, "icc_profile": gray_profile(2.2)}
    for mode in ("L", "RGB", "CMYK"):
        yield _pillow("JPEG", mode, **described)
    yield _pillow("JPEG", "RGB", progressive=True)
    for mode in ("1", "L", "P", "RGB", "RGBA", "LA"):
        yield _pillow("PNG", mode, **described)
    for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr"):
        yield _pillow("TIFF", mode, **described)
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"):
        yield _pillow("TIFF", "RGB", compression=compression)
    yield _pillow("TIFF", "1", compression="group4")
    for mode in ("RGB", "RGBA"):
        yield _pillow("WEBP", mode, **described)
        yield _pillow("WEBP", mode, lossless=True)
    yield _pillow("WEBP", "RGB", save_all=True, append_images=[Image.fromarray(RGB[::-1].copy())])
    for mode in ("1", "L", "P", "RGB"):
        yield _pillow("BMP", mode)
    yield _pillow("GIF", "P")
    yield _pillow("GIF", "L", save_all=True, append_images=[Image.fromarray(RGB[::-1].copy())])
    for mode in ("RGB", "RGBA"):
        yield _pillow("AVIF", mode, exif=exif)
    for mode in ("L", "LA", "RGB", "RGBA"):
        yield _pillow("JPEG2000", mode)
    described = {"icc_profile": SPACES["Adobe RGB"].profile(), "xmp": XMP}
    for file_format in ("JPEG", "PNG", "WEBP", "AVIF"):
        yield _pillow(file_format, "RGB", **described)
    yield _pillow("JPEG", "RGB", extra=iptc_segment(IPTC))
    yield _pillow("TIFF", "RGB", icc_profile=SPACES["ProPhoto RGB"].profile_of_tables())
    deep = RGB.astype(np.uint16) * 257
    like = Photograph(deep, RGBA[..., 3].astype(np.uint16) * 257, gray_profile(), exif.tobytes(), (300, 300))
    for suffix in (".png", ".tif"):
        for pixels, original in ((deep, None), (deep[..., 0], None), (deep, like)):
            write_photograph(folder / f"x{suffix}", pixels, original)
            yield (folder / f"x{suffix}").read_bytes()
    planes = np.moveaxis(deep, -1, 0).copy()
    yield _tifffile(planes, photometric="rgb", planarconfig="separate")
    yield _tifffile(planes.astype(np.uint8), photometric="rgb", planarconfig="separate")
    yield _tifffile(deep, photometric="rgb", bigtiff=True, tile=(16, 16))
    yield _tifffile((RGB[..., 0] / 255).astype(np.float32))


def corpus_of_pages(folder: Path) -> Iterator[bytes]:
    """Small good TIFFs of two pages."""
    deep = RGB.astype(np.uint16) * 257
    for bigtiff in (False, True):
        yield _tifffile(np.stack([deep, deep]), photometric="rgb", bigtiff=bigtiff, metadata=None)
    described = {"icc_profile": SPACES["ProPhoto RGB"].profile(), "xmp": XMP, "iptc": IPTC}
    with write_pages(folder / "x.tif") as add:
        for pixels in (deep, RGB):
            add(pixels, Photograph(pixels, **described))
    yield (folder / "x.tif").read_bytes()


def read(path: Path) -> str:
    """ "refused" or "read", and then what was carried can be written, too."""
    try:
        read_header(path, page=0)
        photograph = read_photograph(path, max_megapixels=20, page=0)
    except ImageError as error:
        message = str(error)
        return "refused" if "\n" not in message else f"refused in several lines: {message}"
    pixels, alpha = photograph.pixels, photograph.alpha
    assert pixels.dtype in (np.uint8, np.uint16)
    assert pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    assert alpha is None or (alpha.shape == pixels.shape[:2] and alpha.dtype == pixels.dtype)
    if pixels.size < 30_000:
        for suffix in (".png", ".tif", ".jpg"):
            write_photograph(path.with_name(f"out{suffix}"), pixels, photograph)
    return "read"


def main(count: int, seed: int, folder: Path) -> None:
    limit_process(MEMORY)
    warnings.simplefilter("ignore")
    good = [("", data) for data in (*corpus(folder), *corpus_of_pages(folder))]
    path = folder / "mutated"
    seen: collections.Counter[str] = collections.Counter()
    for _, data in good:
        path.write_bytes(data)
        seen[f"good {read_photograph(path, page=read_header(path).pages - 1).format}"] += 1
    print(json.dumps(seen + read_mutated(good, read, count, seed, folder, SECONDS)))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
