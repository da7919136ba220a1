"""A JPEG's luma plane in, and the planes of a picture out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from colorize.images import Photograph, Planes, read_photograph, takes_planes, write_photograph
from colorize.images.icc import gray_profile
from colorize.scenery import render_scenes
from tests.images.rgb_profiles import SPACES

SCENE = Image.fromarray(render_scenes([5], 96)[0][:61, :93])
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def planes_of(image: Image.Image) -> Planes:
    luma, cb, cr = (np.asarray(band) for band in image.convert("YCbCr").split())
    return Planes(luma, cb[::2, ::2], cr[::2, ::2])


@pytest.mark.parametrize("profile", [None, SRGB])
def test_a_jpeg_of_srgb_gives_its_luma_plane_and_keeps_its_profile(profile: bytes | None, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.Artist] = 6, "A. Person"
    SCENE.save(tmp_path / "x.jpg", quality=95, icc_profile=profile, exif=exif, dpi=(300, 200))
    gray, color = (read_photograph(tmp_path / "x.jpg", gray=only) for only in (True, False))
    assert gray.pixels.shape == color.pixels.shape[:2] == (93, 61)
    seen = np.asarray(Image.fromarray(color.pixels).convert("L")).astype(int)
    assert np.abs(seen - gray.pixels).max() <= 2
    assert (gray.icc_profile, gray.exif, gray.dpi) == (color.icc_profile, color.exif, color.dpi)
    assert gray.icc_profile == profile


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_what_is_not_srgb_or_no_jpeg_is_read_in_colour(suffix: str, tmp_path: Path) -> None:
    SCENE.save(tmp_path / f"x{suffix}", icc_profile=SPACES["Adobe RGB"].profile())
    gray, color = (read_photograph(tmp_path / f"x{suffix}", gray=only) for only in (True, False))
    assert np.array_equal(gray.pixels, color.pixels)
    assert gray.icc_profile == color.icc_profile


@pytest.mark.parametrize("profile", [SRGB[:100], b"no profile", gray_profile(2.2)], ids=["cut", "text", "gray"])
def test_the_luma_of_a_jpeg_under_a_profile_of_no_use_has_none(profile: bytes, tmp_path: Path) -> None:
    SCENE.save(tmp_path / "x.jpg", icc_profile=profile)
    gray = read_photograph(tmp_path / "x.jpg", gray=True)
    assert gray.pixels.ndim == 2
    assert gray.icc_profile is None


def test_a_gray_or_cmyk_jpeg_is_read_as_ever(tmp_path: Path) -> None:
    for mode in ("L", "CMYK"):
        SCENE.convert(mode).save(tmp_path / "x.jpg")
        gray, color = (read_photograph(tmp_path / "x.jpg", gray=only) for only in (True, False))
        assert np.array_equal(gray.pixels, color.pixels)


def test_planes_are_what_the_jpeg_holds(tmp_path: Path) -> None:
    planes = planes_of(SCENE)
    about: dict[str, Any] = {"icc_profile": SRGB, "dpi": (300.0, 300.0), "xmp": b"<x/>"}
    like = Photograph(planes.luma, **about)
    write_photograph(tmp_path / "x.jpg", planes, like, quality=100)
    with Image.open(tmp_path / "x.jpg") as image:
        assert image.mode == "RGB"
        assert image.layer[0][1:3] == (2, 2)  # type: ignore[attr-defined] # 4:2:0
        assert {name: image.info[name] for name in about} == about
        image.draft("YCbCr", None)
        luma, cb, cr = (np.asarray(band).astype(int) for band in image.split())
    assert np.abs(luma - planes.luma).max() <= 1
    assert np.abs(cb[::2, ::2] - planes.cb).mean() < 3  # the decoder blends neighbours
    assert np.abs(cr[::2, ::2] - planes.cr).mean() < 3


def test_only_an_opaque_jpeg_of_8_bits_takes_planes(tmp_path: Path) -> None:
    planes = planes_of(SCENE)
    opaque = Photograph(planes.luma)
    assert takes_planes(tmp_path / "x.JPG", opaque)
    assert not takes_planes(tmp_path / "x.png", opaque)
    assert not takes_planes(tmp_path / "x.jpg", Photograph(planes.luma, alpha=planes.luma))
    assert not takes_planes(tmp_path / "x.jpg", Photograph(planes.luma.astype(np.uint16)))
    with pytest.raises(ValueError, match=r"planes cannot be written to x\.png"):
        write_photograph(tmp_path / "x.png", planes, opaque)
    assert not list(tmp_path.iterdir())
