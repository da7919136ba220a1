"""Pixels an inch: read, turned with the picture, and carried into the file that is written."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.ExifTags import Base

from colorize.images import Photograph, read_photograph, write_photograph
from tests.images.samples import RGB


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".avif", ".bmp"])
def test_every_format_carries_it_without_other_exif(suffix: str, tmp_path: Path) -> None:
    write_photograph(tmp_path / f"x{suffix}", RGB, Photograph(RGB, dpi=(300, 150)))
    again = read_photograph(tmp_path / f"x{suffix}")
    assert again.dpi == pytest.approx((300, 150), rel=1e-4)
    assert again.exif is None
    with Image.open(tmp_path / f"x{suffix}") as image:
        assert ("exif" in image.info) == (suffix in (".webp", ".avif"))  # which have no field of their own


def test_a_png_counts_in_metres(tmp_path: Path) -> None:
    write_photograph(tmp_path / "x.png", RGB, Photograph(RGB, dpi=(72, 96)))
    assert b"pHYs" + struct.pack(">IIB", 2835, 3780, 1) in (tmp_path / "x.png").read_bytes()


@pytest.mark.parametrize("suffix", [".jpg", ".mpo"])
def test_what_pillow_invents_for_a_jpeg_is_none(suffix: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[Base.Artist] = "A. Person"
    options = {"save_all": True, "append_images": [Image.fromarray(RGB[::-1])]} if suffix == ".mpo" else {}
    Image.fromarray(RGB).save(tmp_path / f"x{suffix}", exif=exif, **options)
    with Image.open(tmp_path / f"x{suffix}") as image:
        assert image.format == ("MPO" if suffix == ".mpo" else "JPEG")
        assert image.info["dpi"] == (72, 72)
    photograph = read_photograph(tmp_path / f"x{suffix}")
    assert photograph.dpi is None
    assert photograph.format == "JPEG"


@pytest.mark.parametrize(
    ("kind", "orientation"), [("H", 0), ("H", 1), ("H", 9), ("H", 65535), ("s", "6"), ("B", 6)], ids=str
)
def test_an_orientation_that_there_is_not_turns_no_tiff(kind: str, orientation: Any, tmp_path: Path) -> None:
    tag = (Base.Orientation, kind, 0 if kind == "s" else 1, orientation, True)
    options: dict[str, Any] = {"resolution": (300, 600), "resolutionunit": 2}
    tifffile.imwrite(tmp_path / "x.tif", RGB, photometric="rgb", extratags=[tag], **options)
    photograph = read_photograph(tmp_path / "x.tif")
    np.testing.assert_array_equal(photograph.pixels, RGB)
    assert photograph.dpi == (300, 600)


@pytest.mark.parametrize("orientation", [0, 1, 9, 65535])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_an_orientation_that_there_is_not_turns_nothing_else(suffix: str, orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    exif[Base.XResolution], exif[Base.YResolution] = 300.0, 600.0
    Image.fromarray(RGB).save(tmp_path / f"x{suffix}", exif=exif)
    photograph = read_photograph(tmp_path / f"x{suffix}")
    assert photograph.pixels.shape == RGB.shape
    assert photograph.dpi == (300, 600)


def test_bmp_carries_the_resolution(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[Base.XResolution], exif[Base.YResolution] = 200.0, 100.0
    write_photograph(tmp_path / "x.bmp", RGB, Photograph(RGB, exif=exif.tobytes(), dpi=(300, 150)))
    assert read_photograph(tmp_path / "x.bmp").dpi == pytest.approx((300, 150), rel=1e-4)


def test_a_tiff_counts_in_centimetres(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "x.tif", RGB, photometric="rgb", resolution=(100, 200), resolutionunit=3)
    assert read_photograph(tmp_path / "x.tif").dpi == pytest.approx((254, 508))
    tifffile.imwrite(tmp_path / "x.tif", RGB, photometric="rgb", resolution=(100, 200), resolutionunit=1)
    assert read_photograph(tmp_path / "x.tif").dpi is None


@pytest.mark.parametrize("across", [(0, 1), (300, 0), (0, 0), (10**9, 1), (65536, 1), (1, 1000)])
def test_a_senseless_resolution_is_none(across: tuple[int, int], tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "x.tif", RGB, photometric="rgb", resolution=(299, 300), resolutionunit=2)
    data = (tmp_path / "x.tif").read_bytes()
    assert data.count(struct.pack("<II", 299, 1)) == 1
    (tmp_path / "x.tif").write_bytes(data.replace(struct.pack("<II", 299, 1), struct.pack("<II", *across)))
    photograph = read_photograph(tmp_path / "x.tif")
    assert photograph.dpi is None
    np.testing.assert_array_equal(photograph.pixels, RGB)
