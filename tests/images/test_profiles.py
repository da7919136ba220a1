"""ICC profiles of gray, RGB and CMYK files."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from colorize.images import Photograph, read_photograph, write_photograph
from colorize.images.icc import gray_profile
from colorize.images.profiles import color_space
from tests.images.samples import GRAY, GRAY_16, RGB, RGB_16, Array, png_16, three

LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bits", [8, 16])
def test_gray_under_a_gray_profile_comes_to_the_curve_of_srgb(
    gamma: float, suffix: str, bits: int, tmp_path: Path
) -> None:
    white = 2**bits - 1
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16) if bits == 8 else np.arange(65536).reshape(256, 256)
    ramp = ramp.astype(np.uint8 if bits == 8 else np.uint16)
    Image.fromarray(ramp).save(tmp_path / f"x{suffix}", icc_profile=gray_profile(gamma))
    photograph = read_photograph(tmp_path / f"x{suffix}")
    linear = (ramp / white) ** gamma
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)
    assert photograph.pixels.dtype == ramp.dtype
    np.testing.assert_allclose(photograph.pixels / white, srgb, atol=(0.51 if bits == 8 else 0.01) / 255)
    assert photograph.icc_profile is None


def light(gamma: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(gamma * 1e5))


@pytest.mark.parametrize("pixels", [GRAY_16, RGB_16], ids=["gray", "RGB"])
def test_the_gamma_of_a_png_comes_to_the_curve_of_srgb(pixels: Array, tmp_path: Path) -> None:
    png_16(tmp_path / "x.png", pixels, light(1))
    linear = pixels / 65535
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)
    read = read_photograph(tmp_path / "x.png").pixels
    np.testing.assert_allclose(read / 65535, srgb, atol=0.01 / 255)
    write_photograph(tmp_path / "y.png", read, read_photograph(tmp_path / "x.png"))
    np.testing.assert_array_equal(read_photograph(tmp_path / "y.png").pixels, read)


@pytest.mark.parametrize(
    "chunks",
    [
        [light(1 / 2.2)],
        [light(0.46)],
        [light(0)],
        [light(40)],
        [(b"sRGB", b"\0"), light(1)],
        [light(1), (b"iCCP", b"x\0\0" + zlib.compress(gray_profile()))],
    ],
    ids=["as sRGB", "near", "none", "wild", "sRGB", "profile"],
)
def test_a_gamma_that_says_nothing_changes_nothing(chunks: list[tuple[bytes, bytes]], tmp_path: Path) -> None:
    png_16(tmp_path / "x.png", GRAY_16, *chunks)
    np.testing.assert_allclose(read_photograph(tmp_path / "x.png").pixels, GRAY_16.astype(int), atol=1)


def test_a_gray_profile_of_srgbs_curve_changes_nothing(tmp_path: Path) -> None:
    Image.fromarray(GRAY_16).save(tmp_path / "x.png", icc_profile=gray_profile())
    np.testing.assert_allclose(read_photograph(tmp_path / "x.png").pixels, GRAY_16.astype(int), atol=1)


@pytest.mark.parametrize(
    ("pixels", "profile"),
    [
        (RGB, gray_profile(2.2)),
        (GRAY, SRGB),
        (GRAY, LAB),
        (RGB, SRGB[:100]),
        (GRAY, gray_profile(2.2)[:150]),
        (RGB, b"no profile"),
    ],
    ids=["gray on RGB", "RGB on gray", "Lab on gray", "cut", "gray cut", "text"],
)
@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp"])
def test_a_profile_that_is_damaged_or_of_other_channels_is_dropped(
    pixels: Array, profile: bytes, suffix: str, tmp_path: Path
) -> None:
    Image.fromarray(pixels).save(tmp_path / f"x{suffix}", icc_profile=profile)
    photograph = read_photograph(tmp_path / f"x{suffix}")
    if suffix == ".webp":  # has no gray
        pixels, is_rgb = (pixels if pixels.ndim == 3 else three(pixels)), profile == SRGB
    else:
        is_rgb = False
    assert photograph.pixels.shape == pixels.shape
    assert (photograph.icc_profile == SRGB) == is_rgb
    if suffix in (".png", ".tif"):
        np.testing.assert_array_equal(photograph.pixels, pixels)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".avif", "16.png", "16.tif"])
def test_gray_pixels_carry_no_profile_of_rgb(suffix: str, tmp_path: Path) -> None:
    gray = GRAY_16 if "16" in suffix else GRAY
    write_photograph(tmp_path / f"x{suffix}", gray, Photograph(RGB, icc_profile=SRGB))
    with Image.open(tmp_path / f"x{suffix}") as image:
        assert image.info.get("icc_profile") is None
    write_photograph(tmp_path / f"x{suffix}", three(gray), Photograph(RGB, icc_profile=SRGB))
    with Image.open(tmp_path / f"x{suffix}") as image:
        assert image.info["icc_profile"] == SRGB


def test_a_palette_under_a_profile_is_rgb(tmp_path: Path) -> None:
    Image.fromarray(GRAY).convert("P").save(tmp_path / "x.png", icc_profile=SRGB)
    photograph = read_photograph(tmp_path / "x.png")
    assert photograph.icc_profile == SRGB
    np.testing.assert_array_equal(photograph.pixels, three(GRAY))


def cmyk_profile() -> bytes:
    """CMYK to Lab through a table of 2 points a side: white paper, black for any full ink (ICC.1:2010, 10.10)."""
    table = bytearray()
    for corner in range(16):
        inks = [corner >> shift & 1 for shift in (3, 2, 1, 0)]
        lightness = 0 if any(inks) else 255
        table += bytes([lightness, 128, 128])
    ramp = bytes(range(256))
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + ramp * 4 + bytes(table) + ramp * 3
    d50 = struct.pack(">iii", 63190, 65536, 54061)
    tags = {b"A2B0": lut, b"A2B1": lut, b"wtpt": b"XYZ " + bytes(4) + d50}
    offset, entries, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        entries += struct.pack(">4sII", name, offset + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = struct.pack(">I4sI", offset + len(body), b"", 0x02400000) + b"prtrCMYKLab " + bytes(12) + b"acsp"
    return (header + bytes(28) + d50).ljust(128, b"\0") + entries + body


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk_under_a_profile_comes_to_srgb(suffix: str, tmp_path: Path) -> None:
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    profile = cmyk_profile()
    assert color_space(profile) == "CMYK"
    cyan.save(tmp_path / f"x{suffix}", icc_profile=profile)
    photograph = read_photograph(tmp_path / f"x{suffix}")
    assert photograph.pixels.max() < 10  # this profile calls it black
    assert photograph.icc_profile is None
    for broken in (profile[:400], profile[:140], SRGB):
        cyan.save(tmp_path / f"x{suffix}", icc_profile=broken)
        photograph = read_photograph(tmp_path / f"x{suffix}")
        np.testing.assert_allclose(photograph.pixels[8, 8].astype(int), (0, 255, 255), atol=3)
        assert photograph.icc_profile is None
