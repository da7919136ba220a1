"""Broken, cut and foreign files."""

import errno
import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from colorize.errors import ImageError
from colorize.images import read_photograph, read_rgb, write_photograph
from tests.images.samples import small_png_of_size

NOISE = np.random.default_rng(3).integers(0, 256, (64, 64, 3), dtype=np.uint8)


def encoded(file_format: str, **options: Any) -> bytes:
    buffer = BytesIO()
    Image.fromarray(NOISE).save(buffer, file_format, **options)
    return buffer.getvalue()


BROKEN = {
    "half.jpeg": encoded("jpeg")[:2000],
    "half.png": encoded("png")[:6000],
    "half.tif": encoded("tiff")[:6000],
    "half.webp": encoded("webp")[:1000],
    "half.avif": encoded("avif")[:1000],
    "half.gif": encoded("gif")[:2000],
    "half.bmp": encoded("bmp")[:2000],
    "flipped.png": encoded("png")[:2000] + b"\0\0\0\0" + encoded("png")[2004:],
    "empty.jpg": b"",
    "text.jpg": b"not a picture\n" * 100,
    "pixmap.jpg": encoded("ppm"),  # a format of Pillow's that is none of ours
    "script.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n",
    "bomb.png": small_png_of_size(65536, 65536),
    "avif.avif": b"\0\0\0\x1cftypavif" + bytes(100),
}


@pytest.mark.parametrize("read", [read_rgb, read_photograph])
@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.filterwarnings("ignore:Truncated File Read")
def test_broken_files_are_refused(name: str, read: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(BROKEN[name])
    with pytest.raises(ImageError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: cannot be read as a photograph: ")
    assert "<_io" not in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("jpeg", {}),
        ("jpeg", {"progressive": True}),
        ("png", {}),
        ("tiff", {}),
        ("tiff", {"compression": "tiff_lzw"}),
        ("webp", {"lossless": True}),
        ("bmp", {}),
        ("gif", {}),
        ("avif", {}),
    ],
)
@pytest.mark.filterwarnings("ignore:Truncated File Read", "ignore:Corrupt EXIF")
def test_a_cut_file_is_refused_or_whole(file_format: str, options: dict[str, Any], tmp_path: Path) -> None:
    data = encoded(file_format, **options)
    path = tmp_path / f"x.{file_format}"
    path.write_bytes(data)
    whole = read_rgb(path)
    refused = 0
    for length in [*range(1, len(data), len(data) // 25), *range(len(data) - 30, len(data))]:
        path.write_bytes(data[:length])
        try:
            np.testing.assert_array_equal(read_rgb(path), whole)
        except ImageError:
            refused += 1
    assert refused >= 25


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.filterwarnings("ignore:Truncated File Read")
def test_a_cut_16_bit_file_is_refused_or_whole(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    pixels = NOISE.astype(np.uint16) * 200
    write_photograph(path, pixels)
    data = path.read_bytes()
    refused = 0
    for length in [*range(1, len(data), len(data) // 25), *range(len(data) - 30, len(data))]:
        path.write_bytes(data[:length])
        try:
            np.testing.assert_array_equal(read_photograph(path).pixels, pixels)
        except ImageError:
            refused += 1
    assert refused >= 25


def test_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, reason in {"empty.jpg": "empty", "text.jpg": "not JPEG, PNG", "half.jpeg": "truncated"}.items():
        (tmp_path / name).write_bytes(BROKEN[name])
        with pytest.raises(ImageError, match=reason):
            read_rgb(tmp_path / name)
    with pytest.raises(ImageError, match="Is a directory"):
        read_rgb(tmp_path)
    with pytest.raises(ImageError, match="No such file"):
        read_rgb(tmp_path / "absent.jpg")

    def refuse(path: Path, mode: str) -> bytes:  # root may read everything, so that chmod would not do
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ImageError, match=r"Permission denied$"):
        read_rgb(tmp_path / "empty.jpg")
