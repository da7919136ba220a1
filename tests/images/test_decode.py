"""Every mode and bit depth, as stored."""

import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from colorize.errors import ImageError
from colorize.images import read_photograph, read_rgb
from tests.images.samples import ALPHA, GRAY_16, RGB, RGB_16, RGBA_16, Array, on_white, png, png_16, three

OPAQUE = [
    ("1", ".png"),
    ("L", ".png"),
    ("L", ".bmp"),
    ("L", ".jpg"),
    ("L", ".gif"),
    ("L", ".tif"),
    ("P", ".png"),
    ("P", ".gif"),
    ("P", ".bmp"),
    ("RGB", ".png"),
    ("RGB", ".bmp"),
    ("RGB", ".tiff"),
    ("RGB", ".webp"),
    ("RGB", ".avif"),
    ("CMYK", ".tif"),
    ("CMYK", ".jpg"),
    ("YCbCr", ".tif"),
    ("RGB", ".JPG"),
]


@pytest.mark.parametrize(("mode", "suffix"), OPAQUE)
@pytest.mark.parametrize("shape", [(5, 7), (1, 1), (1, 4000), (4001, 3)])
def test_opaque_modes(mode: str, suffix: str, shape: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    pixels = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    stored = Image.fromarray(pixels).convert(mode)
    stored.save(path)
    with Image.open(path) as image:  # which Pillow 12 cannot decode of YCbCr
        expected = np.asarray((stored if mode == "YCbCr" else image).convert("L" if mode in ("1", "L") else "RGB"))
    assert expected.shape == (shape if mode in ("1", "L") else (*shape, 3))
    photograph = read_photograph(path)
    assert photograph.bit_depth == 8
    assert photograph.alpha is None
    assert photograph.pixels.flags.writeable
    np.testing.assert_array_equal(photograph.pixels, expected)
    read = read_rgb(path)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, expected if expected.ndim == 3 else three(expected))


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [("RGBA", ".png"), ("RGBA", ".tif"), ("LA", ".png"), ("LA", ".tif"), ("PA", ".tif"), ("RGBA", ".webp")],
)
def test_alpha_is_kept_apart_and_laid_on_white_by_read_rgb(mode: str, suffix: str, tmp_path: Path) -> None:
    image = Image.fromarray(RGB).convert("L" if mode == "LA" else "P" if mode == "PA" else "RGB")
    color = np.asarray(image if mode == "LA" else image.convert("RGB"))
    image = image.convert(mode)
    image.putalpha(Image.fromarray(ALPHA))
    path = tmp_path / f"x{suffix}"
    image.save(path, **({"lossless": True, "exact": True} if suffix == ".webp" else {}))
    photograph = read_photograph(path)
    np.testing.assert_array_equal(photograph.pixels, color)
    np.testing.assert_array_equal(photograph.alpha, ALPHA)  # type: ignore[arg-type]
    seen = on_white(color if color.ndim == 3 else three(color), ALPHA, 255)
    np.testing.assert_allclose(read_rgb(path), seen, atol=0.51)


def test_premultiplied_8_bit_tiff(tmp_path: Path) -> None:
    alpha = ALPHA // 2 + 128
    stored = np.dstack([np.round(RGB * (alpha[..., None] / 255)).astype(np.uint8), alpha])
    tifffile.imwrite(tmp_path / "x.tif", stored, photometric="rgb", extrasamples=["assocalpha"])
    photograph = read_photograph(tmp_path / "x.tif")
    np.testing.assert_allclose(photograph.pixels, RGB.astype(int), atol=2)
    np.testing.assert_array_equal(photograph.alpha, alpha)  # type: ignore[arg-type]


def test_an_alpha_of_full_opacity_is_none(tmp_path: Path) -> None:
    Image.fromarray(RGB).convert("RGBA").save(tmp_path / "x.png")
    assert read_photograph(tmp_path / "x.png").alpha is None


@pytest.mark.parametrize(
    ("mode", "suffix"), [("P", ".png"), ("P", ".gif"), ("L", ".png"), ("L", ".gif"), ("1", ".png"), ("RGB", ".png")]
)
def test_a_transparent_value(mode: str, suffix: str, tmp_path: Path) -> None:
    values = np.arange(35).reshape(5, 7) % 2
    image = Image.fromarray((values * 255).astype(np.uint8)).convert(mode)
    if mode == "P":
        image = Image.fromarray(values.astype(np.uint8))
        image = image.convert("P")
        image.putdata(values.ravel().tolist())
        image.putpalette([0, 0, 0, 10, 20, 30])
    path = tmp_path / f"x{suffix}"
    image.save(path, transparency=(0, 0, 0) if mode == "RGB" else 0)
    seen = (10, 20, 30) if mode == "P" else (255, 255, 255)
    np.testing.assert_array_equal(read_photograph(path).alpha, values * 255)  # type: ignore[arg-type]
    np.testing.assert_array_equal(read_rgb(path), np.where(values[..., None] == 1, seen, 255))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_gray_png_of_few_bits_with_a_transparent_value(bits: int, tmp_path: Path) -> None:
    values = np.arange(16).reshape(2, 8) % 2**bits
    packed = np.packbits(
        np.unpackbits(values.astype(np.uint8)[..., None], axis=2)[..., 8 - bits :].reshape(2, -1), axis=1
    )
    rows = b"".join(b"\0" + row.tobytes() for row in packed)
    png(tmp_path / "x.png", (8, 2, bits, 0), rows, (b"tRNS", struct.pack(">H", 1)))
    photograph = read_photograph(tmp_path / "x.png")
    np.testing.assert_array_equal(photograph.pixels, values * (255 // (2**bits - 1)))
    np.testing.assert_array_equal(photograph.alpha, np.where(values == 1, 0, 255))  # type: ignore[arg-type]


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


def test_cmyk_jpeg_of_adobe_is_the_right_way_round(tmp_path: Path) -> None:
    """Adobe stores 255 for no ink; Pillow writes and reads that. The marker and the bytes are checked by hand."""
    Image.new("CMYK", (16, 16), (255, 0, 0, 0)).save(tmp_path / "x.jpg", quality=100)
    assert b"Adobe" in (tmp_path / "x.jpg").read_bytes()
    red, green, blue = read_rgb(tmp_path / "x.jpg")[8, 8]
    assert red < 10
    assert green > 245
    assert blue > 245
    raw = cv2.imdecode(np.frombuffer((tmp_path / "x.jpg").read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(raw[8, 8, ::-1].astype(int) - (red, green, blue)).max() < 10


def test_lab_tiff_comes_to_srgb(tmp_path: Path) -> None:
    muted = RGB // 4 + 96
    lab = ImageCms.profileToProfile(
        Image.fromarray(muted), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    lab.save(tmp_path / "x.tif")
    np.testing.assert_allclose(read_rgb(tmp_path / "x.tif").astype(int), muted, atol=4)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".avif"])
def test_an_animation_gives_its_first_frame(suffix: str, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (16, 16), color) for color in ("white", "black", "white")]
    frames[0].save(tmp_path / f"x{suffix}", save_all=True, append_images=frames[1:])
    assert read_rgb(tmp_path / f"x{suffix}").min() > 250
