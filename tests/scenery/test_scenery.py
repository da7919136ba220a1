"""Scenes painted from a seed."""

from dataclasses import fields

import numpy as np
import pytest
from numpy.typing import NDArray

from colorize.errors import ColorizeError
from colorize.scenery import render_scenes
from colorize.scenery.canvas import Canvas
from colorize.scenery.composition import draw_scenes
from colorize.scenery.noise import LINES, Noise

COUNT = 256


@pytest.fixture(scope="module")
def scenes() -> NDArray[np.uint8]:
    return render_scenes(range(COUNT), 64)


def luminance(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray(rgb @ np.array([0.299, 0.587, 0.114]))


def colorfulness(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Hasler and Süsstrunk (2003), of each picture."""
    red, green, blue = np.moveaxis(rgb.reshape(len(rgb), -1, 3).astype(np.float64), -1, 0)
    rg, yb = red - green, (red + green) / 2 - blue
    spread = np.hypot(rg.std(axis=1), yb.std(axis=1))
    return np.asarray(spread + 0.3 * np.hypot(rg.mean(axis=1), yb.mean(axis=1)))


def test_type_and_shape() -> None:
    for size in (8, 17, 64):
        rgb = render_scenes([3, 1], size)
        assert rgb.dtype == np.uint8
        assert rgb.shape == (2, size, size, 3)
    assert render_scenes([], 16).shape == (0, 16, 16, 3)


def test_indices_may_be_an_array_and_have_no_end() -> None:
    numbers = [0, 7, 2**40]
    assert np.array_equal(render_scenes(np.array(numbers), 16), render_scenes(numbers, 16))


def test_the_same_alone_and_in_any_batch(scenes: NDArray[np.uint8]) -> None:
    assert np.array_equal(render_scenes(range(COUNT), 64), scenes)
    for index in range(0, COUNT, 17):
        assert np.array_equal(render_scenes([index], 64)[0], scenes[index])
    order = np.random.default_rng(0).permutation(COUNT)[:100]
    assert np.array_equal(render_scenes(order, 64), scenes[order])


@pytest.mark.parametrize("size", [9, 33])
def test_the_same_alone_at_an_odd_size(size: int) -> None:
    together = render_scenes(range(24), size)
    alone = np.concatenate([render_scenes([index], size) for index in range(24)])
    assert np.array_equal(together, alone)


def test_seed_and_index_change_the_picture(scenes: NDArray[np.uint8]) -> None:
    other = render_scenes(range(COUNT), 64, seed=1)
    assert (np.abs(other.astype(int) - scenes).mean(axis=(1, 2, 3)) > 2).all()
    assert len({picture.tobytes() for picture in scenes}) == COUNT


def test_same_composition_at_every_size(scenes: NDArray[np.uint8]) -> None:
    large = render_scenes(range(48), 128).reshape(48, 64, 2, 64, 2, 3).mean(axis=(2, 4))
    match = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(large, scenes, strict=False)]
    shuffled = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(large, scenes[1:], strict=False)]
    contrast = scenes[:48].std(axis=(1, 2, 3)) > 15
    assert np.median(match) > 0.97
    assert np.array(match)[contrast].min() > 0.85
    assert np.median(shuffled) < 0.8


def test_clear_noon_is_blue_above_and_woods_are_green_below() -> None:
    drawn = draw_scenes(Noise(range(800), 8, 0))
    noon = ((drawn.elevation > 0.5) & (drawn.cover < 0.2))[:, 0]
    woods = noon & (drawn.ground == 2)[:, 0] & (drawn.wood[:, 1] > drawn.wood[:, 0])
    assert noon.sum() > 40
    assert woods.sum() > 5
    sky = render_scenes(np.flatnonzero(noon), 32)[:, :10].mean(axis=(1, 2))
    assert (sky[:, 2] > sky[:, 0]).mean() > 0.95
    assert (sky[:, 2] - sky[:, 0]).mean() > 40
    floor = render_scenes(np.flatnonzero(woods), 32)[:, 26:].mean(axis=(1, 2))
    assert (floor[:, 1] > floor[:, 0]).all()
    assert (floor[:, 1] > floor[:, 2]).all()
    assert luminance(floor).mean() < luminance(sky).mean() - 40


def test_colours_are_natural(scenes: NDArray[np.uint8]) -> None:
    values = colorfulness(scenes)
    assert 32 < values.mean() < 52
    assert np.percentile(values, 95) < 95
    blue_above = scenes[:, :16, :, 2].mean(axis=(1, 2)) > scenes[:, :16, :, 0].mean(axis=(1, 2))
    assert blue_above.mean() > 0.6


def test_luminance_is_not_degenerate(scenes: NDArray[np.uint8]) -> None:
    gray = luminance(scenes)
    assert 110 < gray.mean() < 165
    assert gray.std(axis=(1, 2)).mean() > 25
    assert gray.std(axis=(1, 2)).min() > 2
    assert ((scenes == 255).all(axis=-1).mean(axis=(1, 2)) < 0.3).all()


def test_every_ground_and_weather_occurs() -> None:
    drawn = draw_scenes(Noise(range(300), 8, 0))
    assert set(drawn.ground[:, 0]) == set(range(6))
    assert 0.05 < (drawn.gray > 0.9).mean() < 0.25
    assert 0.05 < (drawn.elevation < 0.1).mean() < 0.3


def test_all_is_float32() -> None:
    canvas = Canvas(range(4), 16, 0)
    for owner in (vars(canvas), {f.name: getattr(canvas.scenes, f.name) for f in fields(canvas.scenes)}):
        arrays = {name: value.dtype for name, value in owner.items() if isinstance(value, np.ndarray)}
        assert {name for name, dtype in arrays.items() if dtype != np.float32} <= {"ground"}


def test_noise_has_mean_zero_and_deviation_one() -> None:
    noise = Noise(range(64), 64, 0)
    x = (np.arange(64, dtype=np.float32) + 0.5) / 64
    plane = noise.plane(0, {8: 1.0, 16: 1.0, 32: 0.5}, x, x)
    assert plane.shape == (64, 64, 64)
    assert abs(plane.mean()) < 0.05
    assert 0.9 < plane.std() < 1.1
    line = noise.skyline(x, lambda n: 1.0 if n == 32 else 0.0)
    assert line.shape == (64, LINES, 64)
    assert 0.9 < line.std() < 1.1


@pytest.mark.parametrize(
    ("indices", "size", "seed", "word"),
    [([0], 7, 0, "not 7"), ([4, -1], 16, 0, "index -1"), ([0], 16, -3, "seed -3")],
)
def test_bad_requests_are_refused_in_one_sentence(indices: list[int], size: int, seed: int, word: str) -> None:
    with pytest.raises(ColorizeError, match=word) as caught:
        render_scenes(indices, size, seed)
    assert str(caught.value).count(". ") == 0
