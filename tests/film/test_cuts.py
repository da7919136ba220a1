"""Cuts are found on luma where they are; pans, zooms, things that move, grain, flashes and fades are none."""

import cv2
import numpy as np
import pytest

from colorize.film.cuts import LONGEST_FLASH, find_scenes
from colorize.scenery import render_scenes
from tests.film.clips import Floats, Layer, affine, disc, film

HEIGHT, WIDTH = 48, 80


def texture(seed: int, size: int = 200, contrast: float = 1.0) -> Floats:
    """Smooth noise, (size, size) in [0, 1]."""
    noise = np.random.default_rng(seed).random((size, size)).astype(np.float32)
    smooth = sum(cv2.GaussianBlur(noise, (0, 0), sigma) * sigma for sigma in (2, 5, 12))
    low, high = float(smooth.min()), float(smooth.max())
    return ((smooth - low) / (high - low) - 0.5) * contrast + 0.5


def shot(seed: int, count: int, speed: float = 2.0, zoom: float = 1.0, grain: float = 0.0) -> Floats:
    """Frames of a camera over a texture, (count, h, w)."""
    picture = np.repeat(texture(seed)[..., None], 3, axis=2)

    def pose(t: int) -> np.ndarray:
        scale = zoom**t
        return affine(scale, WIDTH / 2 - scale * 60 - speed * t, HEIGHT / 2 - scale * 100)

    return film([Layer(picture, np.ones((200, 200), np.float32), pose)], count, HEIGHT, WIDTH, grain, seed).luma


def starts(lumas: Floats) -> list[int]:
    return [number for number, frame in enumerate(find_scenes(lumas)) if frame.link is None]


def flashes(lumas: Floats) -> list[int]:
    return [number for number, frame in enumerate(find_scenes(lumas)) if frame.flash]


@pytest.mark.parametrize("grain", [0, 6])
def test_cuts_are_where_they_are(grain: float) -> None:
    lengths = [7, 1, 12, 2, 9, 5]
    lumas = np.concatenate([shot(seed, count, speed=seed - 2, grain=grain) for seed, count in enumerate(lengths)])
    assert starts(lumas) == [0, *np.cumsum(lengths[:-1])]
    assert flashes(lumas) == []


def test_cuts_between_painted_scenes() -> None:
    scenes = render_scenes(range(24), 64, seed=3).astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32) / 255
    lumas = np.repeat(scenes, 2, axis=0)
    found = set(starts(lumas))
    assert found <= set(range(0, 48, 2))
    assert len(found) >= 23  # two landscapes may be alike


@pytest.mark.parametrize(("speed", "zoom"), [(0, 1), (2, 1), (8, 1), (-8, 1), (0, 1.03), (3, 0.97)])
@pytest.mark.parametrize("grain", [0, 6])
def test_motion_of_the_camera_is_no_cut(speed: float, zoom: float, grain: float) -> None:
    assert starts(shot(1, 10, speed, zoom, grain)) == [0]


def test_a_large_thing_that_moves_is_no_cut() -> None:
    pictures = [np.repeat(texture(seed)[..., None], 3, axis=2) for seed in (1, 2)]
    there = [np.ones((200, 200), np.float32), np.pad(disc(40), (0, 160))]
    layers = [
        Layer(pictures[0], there[0], lambda t: affine(x=-50, y=-50)),
        Layer(pictures[1], there[1], lambda t: affine(x=5.0 * t - 20, y=4)),
    ]
    assert starts(film(layers, 16, HEIGHT, WIDTH).luma) == [0]


@pytest.mark.parametrize("length", range(1, LONGEST_FLASH + 1))
@pytest.mark.parametrize("white", [1.0, 0.3])
def test_a_flash_is_no_cut(length: int, white: float) -> None:
    lumas = shot(1, 12, grain=2)
    lumas[5 : 5 + length] = lumas[5 : 5 + length] * (1 - white) + white
    assert starts(lumas) == [0]
    expected = list(range(5, 5 + length))
    assert flashes(lumas) == (expected if white == 1 else [])


def test_white_that_lasts_is_a_scene_of_its_own() -> None:
    lumas = shot(1, 20)
    lumas[5 : 5 + LONGEST_FLASH + 1] = 1
    assert starts(lumas) == [0, 5, 5 + LONGEST_FLASH + 1]


@pytest.mark.parametrize("grain", [0, 2])
def test_a_fade_is_no_cut(grain: float) -> None:
    lumas = shot(1, 41, grain=grain) * np.abs(np.linspace(-1, 1, 41, dtype=np.float32))[:, None, None]
    assert starts(lumas) == [0]


def test_black_frames_and_no_frames() -> None:
    assert starts(np.zeros((5, HEIGHT, WIDTH), np.float32)) == [0]
    assert starts(np.zeros((0, HEIGHT, WIDTH), np.float32)) == []
