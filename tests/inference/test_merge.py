"""The promise of the merge: made gray again, the picture is the photograph, in arrays and in the planes of a JPEG."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from torch import Tensor

from colorize.images import Photograph, Planes, read_photograph, write_photograph
from colorize.inference import merge
from colorize.inference.merge import can_halve, merge_batch, merge_pixels, merge_planes, pool_luma
from colorize.scenery import render_scenes

Array = npt.NDArray[Any]


def exact_gray(pixels: Array) -> npt.NDArray[np.int64]:
    """Rec.601, rounded; OpenCV's whole numbers are up to 2 of 65,535 off."""
    gray: npt.NDArray[np.int64] = np.round(pixels @ np.array([0.299, 0.587, 0.114])).astype(np.int64)
    return gray


def opencv_gray(pixels: Array) -> npt.NDArray[np.int64]:
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.int64)


def pillow_gray(pixels: Array) -> npt.NDArray[np.int64]:
    return np.asarray(Image.fromarray(pixels).convert("L")).astype(np.int64)


def colors(height: int, width: int, strength: float) -> tuple[Tensor, Tensor]:
    """A small picture and ab that are strong enough to leave sRGB at every gray: (3, h, w) and (2, h, w)."""
    generator = torch.Generator().manual_seed(0)
    return torch.rand(3, height, width, generator=generator), (
        torch.rand(2, height, width, generator=generator) * 2 - 1
    ) * strength


def photographs(dtype: Any) -> dict[str, Array]:
    generator = np.random.default_rng(0)
    white = np.iinfo(dtype).max
    ramp = np.linspace(0, white, 90 * 121).reshape(90, 121).astype(dtype)
    noise = generator.integers(0, white, (90, 121, 3), dtype=dtype, endpoint=True)
    limits = generator.choice(np.array([0, 1, white - 1, white], dtype), (90, 121))
    return {
        "ramp": ramp,
        "noise": noise,
        "limits": limits,
        "color limits": np.stack([limits, noise[..., 0], limits], 2),
    }


@pytest.mark.parametrize("strength", [10, 300])
@pytest.mark.parametrize("kind", ["ramp", "noise", "limits", "color limits"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_made_gray_again_the_picture_is_the_photograph(dtype: Any, kind: str, strength: float) -> None:
    photograph = photographs(dtype)[kind]
    picture = merge_pixels(photograph, *colors(9, 12, strength))
    assert picture.dtype == dtype
    grays = [exact_gray] if dtype == np.uint16 else [exact_gray, opencv_gray, pillow_gray]
    for gray in grays:
        expected = photograph if photograph.ndim == 2 else gray(photograph)
        assert np.abs(gray(picture) - expected).max() <= 1
    if kind != "limits":  # which have no room for colour
        assert np.ptp(picture.astype(np.int64), axis=2).max() > np.iinfo(dtype).max / 40


@pytest.mark.parametrize("strength", [10, 300])
@pytest.mark.parametrize("shape", [(90, 120), (91, 121), (1, 1), (2, 3), (5, 64)])
def test_the_planes_of_a_jpeg_are_the_photograph_and_its_colours(shape: tuple[int, int], strength: float) -> None:
    photograph = np.resize(photographs(np.uint8)["ramp"], shape)
    seen = colors(9, 12, strength)
    planes = merge_planes(photograph, *seen)
    assert planes.luma is photograph
    assert planes.cb.shape == planes.cr.shape == ((shape[0] + 1) // 2, (shape[1] + 1) // 2)
    picture = as_rgb(planes)
    assert np.abs(pillow_gray(picture) - photograph).max() <= 1
    if shape == (90, 120):
        assert np.abs(picture.astype(int) - merge_pixels(photograph, *seen)).mean() < (1 if strength == 10 else 4)


def as_rgb(planes: Planes) -> npt.NDArray[np.uint8]:
    """By Pillow, chroma repeated."""
    height, width = planes.luma.shape
    full = [plane.repeat(2, axis=0).repeat(2, axis=1)[:height, :width] for plane in (planes.cb, planes.cr)]
    images = [Image.fromarray(np.ascontiguousarray(plane)) for plane in (planes.luma, *full)]
    return np.asarray(Image.merge("YCbCr", images).convert("RGB"))


def test_grain_at_the_limits_keeps_its_gray_in_planes() -> None:
    """Each chroma sample suits the darkest and the lightest of its four pixels."""
    photograph = photographs(np.uint8)["limits"]
    picture = as_rgb(merge_planes(photograph, *colors(9, 12, 300)))
    assert np.abs(pillow_gray(picture) - photograph).max() <= 1


def test_a_batch_has_the_colours_of_its_photographs() -> None:
    scenes = render_scenes([7, 8], 96)
    small, ab = colors(12, 12, 30)
    rgb = torch.from_numpy(scenes).permute(0, 3, 1, 2) / 255
    batch = merge_batch(rgb, small.expand(2, -1, -1, -1), ab.expand(2, -1, -1, -1))
    for picture, scene in zip(batch, scenes, strict=True):
        expected = merge_pixels(scene, small, ab).astype(np.float32) / 255
        assert np.abs(picture.permute(1, 2, 0).numpy() - expected).max() < 0.51 / 255 + 1e-4


def test_a_batch_is_in_range_where_its_colours_are_not() -> None:
    rgb = torch.rand(2, 3, 40, 50, generator=torch.Generator().manual_seed(0))
    small, ab = colors(9, 12, 300)
    batch = merge_batch(rgb, small.expand(2, -1, -1, -1), ab.expand(2, -1, -1, -1))
    assert 0 <= batch.min() <= batch.max() <= 1


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 2), (2, 1), (2, 2)])
@pytest.mark.parametrize("shape", [(1, 1), (4, 6), (5, 6), (4, 7), (5, 7)])
def test_the_last_row_and_column_fill_their_cells(shape: tuple[int, int], rows: int, columns: int) -> None:
    luma = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    mean, low, high = pool_luma(luma, rows, columns)
    assert mean.shape == low.shape == high.shape == (-(-shape[0] // rows), -(-shape[1] // columns))
    for y, x in np.ndindex(mean.shape):
        across = np.minimum([x * columns, (x + 1) * columns - 1], shape[1] - 1)
        down = np.minimum([y * rows, (y + 1) * rows - 1], shape[0] - 1)
        cell = luma[np.ix_(down, across)]
        assert (low[y, x], high[y, x]) == (cell.min(), cell.max())
        assert abs(mean[y, x] - cell.mean()) <= 0.5


def test_a_jpeg_written_from_planes_is_the_general_picture_within_its_compression(tmp_path: Path) -> None:
    gray = np.asarray(Image.fromarray(render_scenes([3], 512)[0]).convert("L").resize((801, 613)))
    seen = torch.from_numpy(np.array(Image.fromarray(gray).resize((32, 24)))).expand(3, -1, -1) / 255
    ab = colors(24, 32, 25)[1]
    assert can_halve(gray, seen)
    photograph = Photograph(gray)
    write_photograph(tmp_path / "planes.jpg", merge_planes(gray, seen, ab), photograph)
    write_photograph(tmp_path / "general.jpg", merge_pixels(gray, seen, ab), photograph)
    planes, general = (read_photograph(tmp_path / name).pixels.astype(int) for name in ("planes.jpg", "general.jpg"))
    assert np.abs(planes - general).mean() < 1.5
    with Image.open(tmp_path / "planes.jpg") as image, Image.open(tmp_path / "general.jpg") as other:
        assert (image.mode, image.size) == ("RGB", (801, 613))
        assert image.info.keys() == other.info.keys()
    write_photograph(tmp_path / "gray.jpg", gray)
    assert np.array_equal(luma(tmp_path / "planes.jpg"), luma(tmp_path / "gray.jpg"))


def luma(path: Path) -> npt.NDArray[np.int64]:
    """The luma plane of a JPEG."""
    with Image.open(path) as image:
        image.draft("L", None)
        return np.asarray(image).astype(np.int64)


@pytest.mark.parametrize(
    ("pixels", "halved"),
    [
        (np.zeros((192, 256), np.uint8), True),
        (np.zeros((191, 900), np.uint8), False),
        (np.zeros((512, 512), np.uint16), False),
        (np.zeros((512, 512, 3), np.uint8), False),
    ],
)
def test_only_large_gray_photographs_of_8_bits_are_halved(pixels: Array, halved: bool) -> None:
    assert can_halve(pixels, torch.zeros(3, 32, 32)) == halved


@pytest.mark.parametrize(("gray", "chroma", "channel"), [(76, (0.71, -0.3), 0), (29, (-0.114, 0.9), 2)])
def test_pure_red_and_blue_are_red_and_blue_in_planes(
    gray: int, chroma: tuple[float, float], channel: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are half a step beyond the last value of Cr and Cb."""
    pure = torch.tensor(chroma).reshape(1, 2, 1, 1).expand(1, 2, 2, 2)
    monkeypatch.setattr(merge, "ab_to_chroma", lambda gray, ab: pure)
    planes = merge_planes(np.full((32, 32), gray, np.uint8), torch.full((3, 2, 2), gray / 255), torch.zeros(2, 2, 2))
    picture = as_rgb(planes)
    assert picture[..., channel].min() > 250
    assert np.delete(picture, channel, axis=2).max() < 5
