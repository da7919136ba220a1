"""More than 8 bits, as stored."""

import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile

from colorize.errors import ImageError
from colorize.images import read_photograph, read_rgb
from tests.images.samples import GRAY_16, RGB, RGB_16, RGBA_16, Array, png_16, three


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"byteorder": ">"},
        {"compression": "zlib", "predictor": True},
        {"photometric": "miniswhite"},
        {"bigtiff": True},
        {"tile": (16, 16)},
    ],
    ids=str,
)
def test_16_bit_gray_tiffs(options: dict[str, Any], tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "x.tif", GRAY_16, **({"photometric": "minisblack"} | options))
    expected = 65535 - GRAY_16 if options.get("photometric") == "miniswhite" else GRAY_16
    photograph = read_photograph(tmp_path / "x.tif")
    np.testing.assert_array_equal(photograph.pixels, expected)
    np.testing.assert_array_equal(read_rgb(tmp_path / "x.tif"), three(np.round(expected / 257)))


def test_12_bit_gray_tiff_reaches_white(tmp_path: Path) -> None:
    tags = {256: 2, 257: 1, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1, 279: 3}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    pixels = bytes([0xFF, 0xF8, 0x00])  # 4095 and 2048
    ifd = struct.pack("<H", len(tags)) + entries + bytes(4)
    (tmp_path / "x.tif").write_bytes(b"II*\0" + struct.pack("<I", 12) + pixels + b"\0" + ifd)
    assert read_photograph(tmp_path / "x.tif").pixels[0].tolist() == [65535, round(2048 / 4095 * 65535)]


@pytest.mark.parametrize("channels", [2, 4])
def test_16_bit_png_with_alpha(channels: int, tmp_path: Path) -> None:
    png_16(tmp_path / "x.png", RGBA_16[..., -channels:])
    photograph = read_photograph(tmp_path / "x.png")
    np.testing.assert_array_equal(photograph.pixels, RGBA_16[..., :3] if channels == 4 else RGBA_16[..., 2])
    np.testing.assert_array_equal(photograph.alpha, RGBA_16[..., 3])  # type: ignore[arg-type]


@pytest.mark.parametrize("pixels", [GRAY_16, RGB_16], ids=["gray", "rgb"])
def test_16_bit_png_with_a_transparent_value(pixels: Array, tmp_path: Path) -> None:
    png_16(tmp_path / "x.png", pixels, (b"tRNS", np.asarray(pixels[2, 3], ">u2").tobytes()))
    photograph = read_photograph(tmp_path / "x.png")
    assert photograph.alpha is not None
    assert np.argwhere(photograph.alpha != 65535).tolist() == [[2, 3]]
    np.testing.assert_array_equal(photograph.pixels, pixels)


@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha", "unspecified"])
def test_16_bit_tiff_with_a_fourth_channel(kind: str, tmp_path: Path) -> None:
    color, alpha = RGBA_16[..., :3], RGBA_16[..., 3] // 2 + 32768
    stored = np.round(color * (alpha[..., None] / 65535)) if kind == "assocalpha" else color
    pixels = np.dstack([stored, alpha]).astype(np.uint16)
    tifffile.imwrite(tmp_path / "x.tif", pixels, photometric="rgb", extrasamples=[kind])
    photograph = read_photograph(tmp_path / "x.tif")
    np.testing.assert_allclose(photograph.pixels, color.astype(int), atol=1 if kind == "assocalpha" else 0)
    if kind == "unspecified":
        assert photograph.alpha is None
    else:
        np.testing.assert_array_equal(photograph.alpha, alpha)  # type: ignore[arg-type]


def test_16_bit_alpha_is_divided_out_within_what_there_is(tmp_path: Path) -> None:
    """Where nothing is seen colour stays as stored, and no colour is above white."""
    stored = np.array([[(100, 200, 300, 0), (40000, 20000, 10000, 30000), (1, 2, 3, 65535)]], np.uint16)
    tifffile.imwrite(tmp_path / "x.tif", stored, photometric="rgb", extrasamples=["assocalpha"])
    photograph = read_photograph(tmp_path / "x.tif")
    assert photograph.pixels.tolist() == [[[100, 200, 300], [65535, 43690, 21845], [1, 2, 3]]]
    assert photograph.alpha is not None
    assert photograph.alpha.tolist() == [[0, 30000, 65535]]


@pytest.mark.parametrize(("least", "kept"), [(65535, False), (65534, True), (255, True)])
def test_16_bit_alpha_of_full_opacity_is_none(least: int, kept: bool, tmp_path: Path) -> None:
    alpha = np.full((5, 7), 65535, np.uint16)
    alpha[2, 3] = least
    png_16(tmp_path / "x.png", np.dstack([RGB_16, alpha]))
    assert (read_photograph(tmp_path / "x.png").alpha is not None) == kept


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    "options",
    [{}, {"byteorder": ">"}, {"compression": "zlib", "predictor": True}, {"rowsperstrip": 2}, {"tile": (16, 16)}],
    ids=str,
)
def test_channels_stored_apart(bits: int, options: dict[str, Any], tmp_path: Path) -> None:
    pixels = RGB if bits == 8 else RGB_16
    planes = np.moveaxis(pixels, -1, 0).copy()
    tifffile.imwrite(tmp_path / "x.tif", planes, photometric="rgb", planarconfig="separate", **options)
    np.testing.assert_array_equal(read_photograph(tmp_path / "x.tif").pixels, pixels)


def test_16_bit_channels_stored_apart_in_a_bigtiff_are_refused(tmp_path: Path) -> None:
    planes = np.moveaxis(RGB_16, -1, 0).copy()
    tifffile.imwrite(tmp_path / "x.tif", planes, photometric="rgb", planarconfig="separate", bigtiff=True)
    with pytest.raises(ImageError, match="interleaved"):
        read_photograph(tmp_path / "x.tif")


def test_16_bit_lzw_tiff_of_opencv(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "x.tif"), RGB_16[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 5])
    np.testing.assert_array_equal(read_photograph(tmp_path / "x.tif").pixels, RGB_16)


@pytest.mark.parametrize(
    ("stored", "white"),
    [
        ((GRAY_16 / 65535).astype(np.float32), 1),
        ((GRAY_16 // 257).astype(np.float32), 255),
        (GRAY_16.astype(np.float32), 65535),
        ((GRAY_16 // 257).astype(np.int32), 255),
        (GRAY_16.astype(np.int32), 65535),
    ],
    ids=["F to 1", "F to 255", "F to 65535", "I to 255", "I to 65535"],
)
def test_32_bit_gray(stored: Array, white: int, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "x.tif", stored)
    photograph = read_photograph(tmp_path / "x.tif")
    assert photograph.bit_depth == 16
    np.testing.assert_allclose(photograph.pixels, stored * (65535 / white), atol=0.51)
    np.testing.assert_allclose(read_rgb(tmp_path / "x.tif"), three(stored) * (255 / white), atol=0.51)


@pytest.mark.parametrize("value", [-1.0, 1e6, np.nan, np.inf])
def test_32_bit_gray_of_an_unknown_range_is_refused(value: float, tmp_path: Path) -> None:
    gray = np.full((4, 4), 0.5, np.float32)
    gray[1, 1] = value
    tifffile.imwrite(tmp_path / "x.tif", gray)
    with pytest.raises(ImageError, match=r"its values go from .*8 or 16 bits"):
        read_rgb(tmp_path / "x.tif")
