"""Every mode and bit depth, as stored."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from colorize.images import read_photograph, read_rgb
from tests.images.samples import ALPHA, RGB, on_white, png, three

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
