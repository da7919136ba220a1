"""Steady colours, of a network that flickers: its true colours are known."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from colorize.errors import ColorizeError
from colorize.film import steady
from colorize.film.steady import Block, Carry, SteadyColors
from tests.film.clips import Clip, Floats, Layer, affine, disc, film
from tests.film.test_cuts import HEIGHT, WIDTH, shot, texture
from tests.film.warping import warping_error
from tests.inference.unsure import unsure


class Painter:
    """Says of each frame its true ab (T, 2, h, w), and a cast that differs from frame to frame, as networks do."""

    def __init__(self, lumas: Floats, ab: Floats, flicker: float = 10.0) -> None:
        self.known = {self._key(luma): number for number, luma in enumerate(lumas)}
        assert len(self.known) == len(lumas)
        casts = np.random.default_rng(0).normal(0, flicker, (len(ab), 2, 1, 1)).astype(np.float32)
        self.said = ab + casts
        self.asked: list[int] = []
        self.averaged: list[bool] = []

    def predict_ab(self, small: Tensor, tta: bool = False, temperature: float | None = None) -> Tensor:
        assert small.shape[:2] == (1, 3)
        number = self.known[self._key(small[0, 0].numpy())]
        self.asked.append(number)
        self.averaged.append(tta)
        return torch.from_numpy(self.said[number : number + 1])

    @staticmethod
    def _key(luma: Floats) -> bytes:
        return np.rint(luma * 255).astype(np.uint8).tobytes()


def colors(blocks: Iterator[Block]) -> Floats:
    return np.stack([chroma for block in blocks for chroma in block.chroma])


def two_colors(count: int = 24) -> tuple[Clip, Floats]:
    """A red disc that moves to the right before blue noise, and its true ab."""
    lumas = [np.repeat(texture(seed)[..., None], 3, axis=2) for seed in (1, 2)]
    there = [np.ones((200, 200), np.float32), np.pad(disc(30), (0, 170))]
    places = [lambda t: affine(x=-40 - t, y=-40), lambda t: affine(x=1.5 * t, y=9)]
    clip = film([Layer(*layer) for layer in zip(lumas, there, places, strict=True)], count, HEIGHT, WIDTH, grain=1)
    plain = [np.full((200, 200, 3), value, np.float32) for value in (0, 1)]
    thing = film([Layer(*layer) for layer in zip(plain, there, places, strict=True)], count, HEIGHT, WIDTH).rgb[..., 0]
    red, blue = (np.array(ab, np.float32)[:, None, None] for ab in ((40, 30), (0, -40)))
    return clip, thing[:, None] * red + (1 - thing[:, None]) * blue


@pytest.mark.parametrize(("key_every", "most"), [(1, 0.5), (4, 0.7)])
def test_flicker_falls_and_colors_stay_where_they_are(key_every: int, most: float) -> None:
    clip, ab = two_colors()
    painter = Painter(clip.luma, ab)
    raw = colors(SteadyColors(painter, smooth=0).blocks(clip.luma))
    smooth = colors(SteadyColors(painter, smooth=0.5, key_every=key_every).blocks(clip.luma))
    error = [warping_error(values.transpose(0, 2, 3, 1), clip.flows, clip.seen) for values in (raw, smooth, ab)]
    assert error[2] < error[1] < 0.1 * error[0]
    assert np.square(smooth - ab).mean() < most * np.square(raw - ab).mean()


def test_more_smooth_is_steadier() -> None:
    clip, ab = two_colors()
    errors = []
    for smooth in (0, 0.1, 0.5, 1):
        values = colors(SteadyColors(Painter(clip.luma, ab), smooth, key_every=1).blocks(clip.luma))
        errors.append(warping_error(values.transpose(0, 2, 3, 1), clip.flows, clip.seen))
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize(("key_every", "least"), [(1, 0.97), (4, 0.93)])
def test_colors_do_not_bleed_from_a_thing_that_moves(key_every: int, least: float) -> None:
    """What it uncovers takes the colours of what is behind, and it keeps its own, up to two pixels from its edge."""
    clip, ab = two_colors()
    still = colors(SteadyColors(Painter(clip.luma, ab, flicker=0), key_every=key_every).blocks(clip.luma))
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    for number in range(len(ab)):
        distance = np.hypot(x - 1.5 * number - 14.5, y - 23.5)
        error = np.abs(still[number] - ab[number]).max(axis=0)
        assert np.mean(error[distance < 12] < 8) > least
        assert np.mean(error[distance > 17] < 8) > least


def test_smooth_0_is_frame_by_frame() -> None:
    lumas = shot(1, 12)
    painter = Painter(lumas, np.zeros((12, 2, HEIGHT, WIDTH), np.float32))
    np.testing.assert_array_equal(colors(SteadyColors(painter, smooth=0).blocks(lumas)), painter.said)
    assert painter.asked == list(range(12))


def test_the_network_sees_key_frames() -> None:
    lumas = np.concatenate([shot(1, 10), shot(2, 5)])
    for tta in (True, False):
        painter = Painter(lumas, np.zeros((15, 2, HEIGHT, WIDTH), np.float32))
        list(SteadyColors(painter, key_every=3, tta=tta).blocks(lumas))
        assert painter.asked == [0, 3, 6, 9, 10, 13]
        assert painter.averaged == [tta] * 6


@pytest.mark.parametrize("smooth", [0.1, 1])
def test_nothing_crosses_a_cut(smooth: float) -> None:
    lengths = [6, 1, 9]
    lumas = np.concatenate([shot(seed, count) for seed, count in enumerate(lengths)])
    casts = np.repeat(np.array([30, -30, 5], np.float32), lengths)
    ab = np.broadcast_to(casts[:, None, None, None], (16, 2, HEIGHT, WIDTH))
    blocks = list(SteadyColors(Painter(lumas, ab, flicker=0), smooth).blocks(lumas))
    assert [len(block.chroma) for block in blocks] == lengths
    np.testing.assert_allclose(colors(iter(blocks)), ab, atol=1e-4)


def test_colors_cross_a_flash() -> None:
    lumas = shot(1, 13, grain=1)
    lumas[6] = np.linspace(0.98, 1, WIDTH, dtype=np.float32)
    ab = np.zeros((13, 2, HEIGHT, WIDTH), np.float32)
    ab[7:] = 20  # as if the network had changed its mind
    smooth = colors(SteadyColors(Painter(lumas, ab, flicker=0), 0.5, key_every=1).blocks(lumas))
    inner = smooth[:, :, 8:-8, 30:-30].mean(axis=(1, 2, 3))
    assert 5 < inner[5] < inner[7] < 15
    assert abs(inner[7] - inner[5]) < 4


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steady, "BLOCK", 6)
    monkeypatch.setattr(steady, "AHEAD", 3)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("smooth", [0, 0.5])
@pytest.mark.parametrize("key_every", [1, 4])
def test_a_film_goes_on_from_any_block_bitwise(smooth: float, key_every: int, tmp_path: Path) -> None:
    lumas = np.concatenate([shot(1, 17, grain=2), shot(2, 7), shot(3, 10)])
    lumas[5] = lumas[6] = np.linspace(0.98, 1, WIDTH, dtype=np.float32)  # a flash over the border of two blocks
    colorizer = unsure(size=HEIGHT)
    whole = list(SteadyColors(colorizer, smooth, key_every=key_every).blocks(iter(lumas)))
    lengths = [len(block.chroma) for block in whole]
    assert lengths == ([6, 6, 5, 7, 6, 4] if smooth else [6, 6, 6, 6, 6, 4])
    for number in range(len(whole) - 1):
        np.savez(tmp_path / "carry.npz", **whole[number].carry.to_arrays())
        with np.load(tmp_path / "carry.npz", allow_pickle=False) as arrays:
            carry = Carry.from_arrays(arrays)
        left = lumas[sum(lengths[: number + 1]) :]
        rest = list(SteadyColors(colorizer, smooth, key_every=key_every).blocks(left, carry))
        assert [len(block.chroma) for block in rest] == lengths[number + 1 :]
        np.testing.assert_array_equal(colors(iter(rest)), colors(iter(whole[number + 1 :])))
        for one, other in zip(rest, whole[number + 1 :], strict=True):
            for name, values in one.carry.to_arrays().items():
                np.testing.assert_array_equal(values, other.carry.to_arrays()[name])


def test_the_border_of_two_blocks_is_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    lumas = shot(1, 24, speed=1)
    painter = Painter(lumas, np.zeros((24, 2, HEIGHT, WIDTH), np.float32))
    whole = colors(SteadyColors(painter, 0.1, key_every=1).blocks(lumas))[:, :, 20, 40]
    monkeypatch.setattr(steady, "BLOCK", 6)
    monkeypatch.setattr(steady, "AHEAD", 8)  # of which the last weighs .04
    values = colors(SteadyColors(painter, 0.1, key_every=1).blocks(lumas))[:, :, 20, 40]
    assert np.abs(values - whole).max() < 1
    assert np.abs(np.diff(whole, axis=0)).max() > 2


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("smooth", [0, 0.5])
def test_no_more_frames_are_read_than_a_block_needs(smooth: float) -> None:
    read = 0

    def lumas() -> Iterator[Floats]:
        nonlocal read
        for luma in shot(1, 40):
            read += 1
            yield luma

    flat = np.zeros((40, 2, HEIGHT, WIDTH), np.float32)
    given = 0
    for block in SteadyColors(Painter(shot(1, 40), flat), smooth).blocks(lumas()):
        assert len(block.chroma) <= steady.BLOCK + steady.AHEAD
        assert read <= given + steady.BLOCK + steady.AHEAD + 1
        given += len(block.chroma)
    assert given == read == 40


def test_colors_are_what_the_merge_takes() -> None:
    (block,) = SteadyColors(unsure(size=HEIGHT)).blocks(shot(1, 3))
    for chroma in block.chroma:
        assert chroma.shape == (2, HEIGHT, WIDTH)
        assert chroma.dtype == np.float32
        assert chroma.flags.c_contiguous


def test_no_frames_are_no_blocks() -> None:
    assert list(SteadyColors(unsure()).blocks([])) == []
    assert list(SteadyColors(unsure(), smooth=0).blocks([])) == []


@pytest.mark.parametrize("carried", [False, True])
@pytest.mark.parametrize("smooth", [0, 0.5])
def test_frames_of_another_size_are_refused(carried: bool, smooth: float) -> None:
    steady_colors = SteadyColors(unsure(size=HEIGHT), smooth)
    (block,) = steady_colors.blocks(shot(1, 2))
    smaller = shot(1, 2)[:, :40]
    with pytest.raises(ValueError, match="40x80, but those before it 48x80"):
        list(steady_colors.blocks(smaller, block.carry) if carried else steady_colors.blocks([*shot(1, 2), *smaller]))


@pytest.mark.parametrize("wrong", [{"smooth": -0.1}, {"smooth": 1.1}, {"smooth": float("nan")}, {"key_every": 0}])
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ColorizeError, match=f"{next(iter(wrong))}=.* is not possible: give"):
        SteadyColors(unsure(), **wrong)  # type: ignore[arg-type]
