"""The colorizer: any size in, the same size, depth and luminance out."""

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.color import deltaE_ciede2000, rgb2lab

from colorize import colorizer as module
from colorize.colorizer import Colorizer
from colorize.data.scenery import render_scenes
from colorize.errors import ColorizeError
from colorize.tasks import GrayscaleTask, LabTask, ReconstructionTask, RGBTask
from colorize.tasks.base import Task


def make(kind: type[Task], size: int = 32, **network: object) -> Colorizer:
    torch.manual_seed(0)
    spec = network or {"name": "UNet", "width": 4, "depth": 2}
    return Colorizer(kind(network=spec, loss={"name": "mse"}, optimizer={"name": "Adam"}), size, device="cpu")


@pytest.mark.parametrize("kind", [LabTask, RGBTask, ReconstructionTask, GrayscaleTask])
@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 300, 3), (301, 3, 3), (50, 41), (33, 64, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_size_and_depth_are_the_photographs(kind: type[Task], shape: tuple[int, ...], dtype: type) -> None:
    photograph = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)
    picture = make(kind).colorize(photograph)
    assert picture.dtype == dtype
    assert picture.shape == (shape[:2] if kind is GrayscaleTask else (*shape[:2], 3))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_network_that_adds_no_colour_gives_the_gray_photograph_back(dtype: type) -> None:
    colorizer = make(LabTask)
    torch.nn.init.zeros_(colorizer.task.network.head.weight)  # type: ignore[union-attr, arg-type]
    torch.nn.init.zeros_(colorizer.task.network.head.bias)  # type: ignore[union-attr, arg-type]
    white = np.iinfo(dtype).max
    gray = np.linspace(0, white, 60 * 70).reshape(60, 70).astype(dtype)
    picture = colorizer.colorize(gray).astype(np.int64)
    assert np.abs(picture - gray[..., None].astype(np.int64)).max() <= max(1, white // 8192)


def test_luminance_is_the_photographs_own() -> None:
    colorizer = make(LabTask)
    photograph = render_scenes([3], 96)[0] // 2 + 64  # away from the limits of the gamut
    picture = colorizer.colorize(photograph)
    assert np.abs(rgb2lab(picture)[..., 0] - rgb2lab(photograph)[..., 0]).max() < 1
    assert not np.array_equal(picture, photograph)


def test_the_same_photograph_at_twice_the_size_gets_the_same_colours() -> None:
    colorizer = make(LabTask, size=32)
    small = render_scenes([5], 64)[0]
    large = small.repeat(2, axis=0).repeat(2, axis=1)
    a, b = colorizer.colorize(small), colorizer.colorize(large)[::2, ::2]
    assert deltaE_ciede2000(rgb2lab(a), rgb2lab(b)).mean() < 1.5


def test_strips_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    colorizers = [
        make(kind, name="ConvAutoencoder", width=4, depth=1, norm="none") for kind in (GrayscaleTask, LabTask)
    ]
    photograph = render_scenes([5], 90)[0]
    whole = [colorizer.colorize(photograph).astype(int) for colorizer in colorizers]
    monkeypatch.setattr(module, "STRIP_ROWS", 16)
    monkeypatch.setattr(module, "STRIP_MARGIN", 8)
    strips = [colorizer.colorize(photograph).astype(int) for colorizer in colorizers]
    for a, b in zip(whole, strips, strict=True):
        assert np.abs(a - b).max() <= 1


@pytest.mark.parametrize("kind", [GrayscaleTask, RGBTask])
def test_a_network_of_fixed_size_takes_any_photograph(kind: type[Task]) -> None:
    colorizer = make(kind, name="ConvNet", image_size=32)
    assert colorizer.colorize(render_scenes([5], 90)[0][:50]).shape[:2] == (50, 90)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match="device=cuda:99 is not to be had here"):
        module.choose_device("cuda:99")
    with pytest.raises(ColorizeError, match="There is no checkpoint"):
        Colorizer.load(tmp_path / "none.ckpt")
