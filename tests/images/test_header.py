"""What headers say, without a pixel being decoded."""

import sys
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pillow_heif
import pytest
import tifffile
from PIL import Image, ImageFile
from PIL.ExifTags import Base

from colorize.errors import ImageError
from colorize.images import Header, read_header, read_photograph, read_upright_size, write_photograph
from tests.images.samples import GRAY, GRAY_16, RGB, RGB_16, Array


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".bmp", ".gif", ".avif"])
def test_every_format_tells_its_size(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(RGB).save(tmp_path / f"x{suffix}")

    def fail(*_: object) -> None:
        raise AssertionError("a header needs no pixels")

    for image_class in (Image.Image, ImageFile.ImageFile):
        monkeypatch.setattr(image_class, "load", fail)
    assert read_header(tmp_path / f"x{suffix}") == Header(7, 5, 8)


@pytest.mark.parametrize("pixels", [GRAY, RGB, GRAY_16, RGB_16], ids=["gray", "rgb", "gray 16", "rgb 16"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_the_depth_is_that_of_the_photograph(pixels: Array, suffix: str, tmp_path: Path) -> None:
    write_photograph(tmp_path / f"x{suffix}", pixels)
    assert read_header(tmp_path / f"x{suffix}").bit_depth == 8 * pixels.itemsize
    assert read_photograph(tmp_path / f"x{suffix}").bit_depth == 8 * pixels.itemsize


@pytest.mark.parametrize(
    ("pixels", "options"),
    [
        (np.moveaxis(RGB_16, -1, 0).copy(), {"photometric": "rgb", "planarconfig": "separate"}),
        (np.moveaxis(RGB, -1, 0).copy(), {"photometric": "rgb", "planarconfig": "separate"}),
        ((GRAY / 255).astype(np.float32), {}),
        (RGB_16, {"photometric": "rgb", "compression": "zlib"}),
    ],
)
def test_the_depth_of_odd_tiffs(pixels: Array, options: dict[str, Any], tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "x.tif", pixels, **options)
    assert read_header(tmp_path / "x.tif").bit_depth == read_photograph(tmp_path / "x.tif").bit_depth


class FakeHeif(ImageFile.ImageFile):
    """In place of pillow_heif's: knows its size and cannot be decoded."""

    format = "HEIF"

    def _open(self) -> None:
        self._size, self._mode = (4032, 3024), "RGB"


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)


def test_a_heic_tells_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", SimpleNamespace(HeifImageFile=FakeHeif))  # type: ignore[arg-type]
    (tmp_path / "x.heic").write_bytes(HEIC)
    assert read_header(tmp_path / "x.heic") == Header(4032, 3024, 8)


def test_a_real_heic_tells_its_size(tmp_path: Path) -> None:
    buffer = BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (640, 480))).save(buffer)
    (tmp_path / "x.heic").write_bytes(buffer.getvalue())
    assert read_header(tmp_path / "x.heic") == Header(640, 480, 8)


@pytest.mark.parametrize("content", [b"", b"no photograph", HEIC])
def test_what_cannot_be_opened_is_refused(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ImageError, match=f"{tmp_path}/x: cannot be read as a photograph: "):
        read_header(tmp_path / "x")


def test_a_kind_of_tiff_or_jpeg_that_is_not_read_is_not_said_to_be_another_format(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((4, 5, 3), np.float32), photometric="rgb")
    with pytest.raises(ImageError, match=r"it begins as TIFF does, but .* \(unknown pixel mode\); save it anew, gray"):
        read_header(tmp_path / "x.tif")
    Image.fromarray(RGB).save(tmp_path / "x.jpg")
    data = (tmp_path / "x.jpg").read_bytes()
    place = data.index(b"\xff\xc0") + 4
    (tmp_path / "x.jpg").write_bytes(data[:place] + b"\x0c" + data[place + 1 :])  # 12 bits
    with pytest.raises(ImageError, match=r"it begins as JPEG does, but .* \(cannot handle 12-bit layers\)"):
        read_header(tmp_path / "x.jpg")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("orientation", [None, 1, 3, 6, 8])
def test_the_upright_size_is_that_of_what_is_read(suffix: str, orientation: int | None, tmp_path: Path) -> None:
    exif = Image.Exif()
    if orientation is not None:
        exif[Base.Orientation] = orientation
    Image.new("RGB", (20, 30)).save(tmp_path / f"x{suffix}", exif=exif)
    height, width = read_photograph(tmp_path / f"x{suffix}").pixels.shape[:2]
    assert read_upright_size(tmp_path / f"x{suffix}") == (width, height)


def test_an_upright_size_takes_no_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (20, 30)).save(tmp_path / "x.png")
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: pytest.fail("decoded"))
    assert read_upright_size(tmp_path / "x.png") == (20, 30)
