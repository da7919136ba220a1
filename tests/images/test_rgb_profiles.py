"""Photographs under RGB profiles: their pixels come to sRGB, against littleCMS and the closed forms."""

import struct
import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms
from PIL.ExifTags import IFD, Base

from colorize.errors import ImageError
from colorize.images import photograph as photograph_module
from colorize.images import read_photograph, read_rgb, write_photograph
from colorize.images.icc import srgb_profile
from colorize.images.profiles import rgb_to_srgb
from tests.images.rgb_profiles import SPACES, SRGB, Space, parametric
from tests.images.samples import ALPHA, RGB, RGB_16, STORE, Array, chunk, png_16

LITTLE_CMS_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
COLORS = np.random.default_rng(5).integers(0, 256, (64, 64, 3), dtype=np.uint8)
SUFFIXES = [".jpg", ".png", ".tif", ".webp", ".avif"]


@pytest.fixture(params=SPACES, ids=SPACES)
def space(request: pytest.FixtureRequest) -> Space:
    return SPACES[request.param]


def little_cms(pixels: Array, profile: bytes) -> Array:
    done = ImageCms.profileToProfile(
        Image.fromarray(pixels),
        ImageCms.ImageCmsProfile(BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOOPTIMIZE,
    )
    return np.asarray(done)


@pytest.mark.parametrize("read", [read_rgb, lambda path: read_photograph(path).pixels], ids=["rgb", "photograph"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_8_bits_come_to_srgb_as_littlecms_says(read: Any, suffix: str, space: Space, tmp_path: Path) -> None:
    Image.fromarray(COLORS).save(tmp_path / f"x{suffix}", icc_profile=space.profile())
    pixels = read(tmp_path / f"x{suffix}")
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - COLORS).max() > 20
    np.testing.assert_allclose(pixels.astype(int), little_cms(COLORS, space.profile()), atol=1)
    np.testing.assert_allclose(pixels / 255, space.to_srgb(COLORS / 255), atol=1.5 / 255)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_comes_to_srgb(suffix: str, tmp_path: Path) -> None:
    space = SPACES["Adobe RGB"]
    Image.new("RGB", (64, 64), (200, 100, 40)).save(tmp_path / f"x{suffix}", icc_profile=space.profile(), quality=95)
    photograph = read_photograph(tmp_path / f"x{suffix}")
    expected = space.to_srgb(np.array([200, 100, 40]) / 255) * 255
    np.testing.assert_allclose(photograph.pixels.mean(axis=(0, 1)), expected, atol=4)
    assert photograph.icc_profile == srgb_profile()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bits_come_to_srgb_exactly(suffix: str, space: Space, tmp_path: Path) -> None:
    ramp = np.arange(65536, dtype=np.uint16).reshape(64, 1024, 1)
    pixels = np.concatenate([ramp, ramp[::-1, ::-1], ramp[::-1]], axis=2)
    path = tmp_path / f"x{suffix}"
    if suffix == ".tif":
        tifffile.imwrite(path, pixels, photometric="rgb", iccprofile=space.profile())
    else:
        png_16(path, pixels, (b"iCCP", b"x\0\0" + zlib.compress(space.profile())))
    photograph = read_photograph(path)
    assert photograph.pixels.dtype == np.uint16
    expected = space.to_srgb(pixels / 65535) * 65535
    np.testing.assert_allclose(photograph.pixels, expected, atol=80)  # 0.3 of 255: colorants have 16 bits, too
    gray = np.full((1, 8, 3), 257, np.uint16) * np.arange(1, 9, dtype=np.uint16)[None, :, None] * 28
    np.testing.assert_allclose(
        rgb_to_srgb(gray, space.profile())[0] / 257, little_cms((gray // 257).astype(np.uint8), space.profile()), atol=1
    )


@pytest.mark.parametrize("pixels", [RGB, RGB_16], ids=["8", "16"])
def test_a_long_profile_of_a_png_is_read(pixels: Array, tmp_path: Path) -> None:
    profile = SPACES["Adobe RGB"].profile()
    long = struct.pack(">I", 12 * 2**20) + profile[4:] + bytes(12 * 2**20 - len(profile))
    done, encoded = cv2.imencode(".png", pixels[..., ::-1])
    assert done
    for name, content in (("x.png", long), ("too_long.png", bytes(2**24 + 1))):
        iccp = chunk(b"iCCP", b"x\0\0" + zlib.compress(content))
        (tmp_path / name).write_bytes(encoded[:33].tobytes() + iccp + encoded[33:].tobytes())
    expected = rgb_to_srgb(pixels, profile)[0]
    np.testing.assert_array_equal(read_photograph(tmp_path / "x.png").pixels, expected)
    with pytest.raises(ImageError, match="a profile or text in it has more than 16 MiB; save it without"):
        read_photograph(tmp_path / "too_long.png")


def test_a_profile_of_tables_comes_to_srgb(space: Space) -> None:
    profile = space.profile_of_tables()
    expected = little_cms(COLORS, profile).astype(int)
    np.testing.assert_allclose(expected, space.to_srgb(COLORS / 255) * 255, atol=5)
    result, written = rgb_to_srgb(COLORS, profile)
    np.testing.assert_array_equal(result, expected)
    deep, _ = rgb_to_srgb(COLORS.astype(np.uint16) * np.uint16(257), profile)
    errors = np.abs(deep / 257 - expected)
    assert np.quantile(errors, 0.99) < 1.5
    assert errors.max() < 13
    assert written == srgb_profile()


@pytest.mark.parametrize(
    "profile",
    [LITTLE_CMS_SRGB, srgb_profile(), SRGB.profile(), SRGB.profile_of_tables()],
    ids=["LittleCMS", "ours", "curves", "tables"],
)
@pytest.mark.parametrize("pixels", [COLORS, RGB_16], ids=["8", "16"])
def test_srgb_is_left_as_it_is(pixels: Array, profile: bytes, tmp_path: Path) -> None:
    result, written = rgb_to_srgb(pixels, profile)
    assert result is pixels
    assert written is profile
    tifffile.imwrite(tmp_path / "x.tif", pixels, photometric="rgb", iccprofile=profile)
    photograph = read_photograph(tmp_path / "x.tif")
    np.testing.assert_array_equal(photograph.pixels, pixels)
    assert photograph.icc_profile == profile


@pytest.mark.parametrize(("gamma", "moved"), [(2.42, 1), (2.448, 2), (2.47, 3)])
def test_a_profile_that_moves_colours_by_a_rounding_is_srgb(gamma: float, moved: int) -> None:
    near = replace(SRGB, tag=parametric(3, gamma, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)).profile()
    grays = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, axis=2)
    assert np.abs(little_cms(grays, near).astype(int) - grays).max() == moved
    assert (rgb_to_srgb(grays, near)[0] is grays) == (moved <= 2)


@pytest.mark.parametrize("pixels", [COLORS, RGB_16], ids=["8", "16"])
@pytest.mark.parametrize("length", [0, 90, 130, 140, 200, 300, 380])
def test_a_damaged_rgb_profile_changes_nothing(length: int, pixels: Array) -> None:
    profile = SPACES["ProPhoto RGB"].profile()
    assert len(profile) > 380
    result, written = rgb_to_srgb(pixels, profile[:length])
    np.testing.assert_array_equal(result, pixels)
    assert written is None
    swapped = profile.replace(b"para", b"text").replace(b"XYZ \0", b"text\0")
    assert rgb_to_srgb(pixels, swapped) == (pixels, None)


@pytest.mark.parametrize("depth", [1, 257])
def test_orientation_and_alpha_go_with_the_conversion(
    depth: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photograph_module, "STRIP_PIXELS", 10)
    space, dtype = SPACES["Adobe RGB"], np.uint8 if depth == 1 else np.uint16
    stored = np.ascontiguousarray(STORE[6](np.dstack([RGB, ALPHA]).astype(dtype) * dtype(depth)))
    tifffile.imwrite(
        tmp_path / "x.tif",
        stored,
        photometric="rgb",
        extrasamples=["unassalpha"],
        iccprofile=space.profile(),
        extratags=[(Base.Orientation, "H", 1, 6, True)],
    )
    photograph = read_photograph(tmp_path / "x.tif")
    np.testing.assert_allclose(photograph.pixels / depth, space.to_srgb(RGB / 255) * 255, atol=1.5)
    np.testing.assert_array_equal(photograph.alpha, ALPHA.astype(int) * depth)  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", [*SUFFIXES, "16.png", "16.tif"])
def test_what_is_written_says_that_it_is_srgb(suffix: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(IFD.Exif)[Base.ColorSpace] = 65535
    Image.fromarray(RGB).save(tmp_path / "x.jpg", icc_profile=SPACES["Adobe RGB"].profile(), exif=exif)
    photograph = read_photograph(tmp_path / "x.jpg")
    write_photograph(tmp_path / f"y{suffix}", RGB_16 if "16" in suffix else RGB, photograph)
    with Image.open(tmp_path / f"y{suffix}") as image:
        assert image.info["icc_profile"] == srgb_profile()
        assert image.getexif().get_ifd(IFD.Exif)[Base.ColorSpace] == 1


def test_the_exif_of_an_unconverted_photograph_keeps_its_color_space(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(IFD.Exif)[Base.ColorSpace] = 65535
    Image.fromarray(RGB).save(tmp_path / "x.png", exif=exif.tobytes())
    read = Image.Exif()
    read.load(read_photograph(tmp_path / "x.png").exif or b"")
    assert read.get_ifd(IFD.Exif)[Base.ColorSpace] == 65535
