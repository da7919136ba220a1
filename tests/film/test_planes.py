"""Cb and Cr: in the film's matrix, range and depth, within what RGB can show, upright and turned."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from av import VideoFrame

from colorize.color import lab_to_rgb, rgb_to_gray
from colorize.film.facts import WEIGHTS, FilmFacts, rows_of
from colorize.film.planes import make_chroma, shrink_luma

ONE = Fraction(1)
FACTS = FilmFacts(64, 48, 8, ONE, ONE, ONE, 1, 6, 2, 2, None, None, "h264")


def shown(luma: Any, planes: Any, facts: FilmFacts) -> Any:
    """(H, W, 3) in [0, 1], by the definition of ITU-T H.273, not cut."""
    red_weight, blue_weight = facts.weights
    black, white = facts.black_and_white
    span = 255 * 4 ** (facts.bits == 10) if facts.is_full_range else 224 << facts.bits - 8
    y = (luma.astype(float) - black) / (white - black)
    cb, cr = ((plane.astype(float) - (1 << facts.bits - 1)) / span for plane in planes)
    red, blue = y + 2 * (1 - red_weight) * cr, y + 2 * (1 - blue_weight) * cb
    green = (y - red_weight * red - blue_weight * blue) / (1 - red_weight - blue_weight)
    return np.stack([red, green, blue], -1)


@pytest.mark.parametrize("colorspace", sorted(WEIGHTS))
@pytest.mark.parametrize(("bits", "color_range"), [(8, 1), (8, 2), (10, 1), (10, 2)])
def test_a_plain_colour_is_what_lab_says_at_the_films_luma(colorspace: int, bits: int, color_range: int) -> None:
    facts = replace(FACTS, colorspace=colorspace, bits=bits, color_range=color_range)
    black, white = facts.black_and_white
    luma = np.full((48, 64), round(black + 0.5 * (white - black)), np.uint8 if bits == 8 else np.uint16)
    small = shrink_luma(luma, facts, (12, 16))
    assert small == pytest.approx(0.5, abs=0.003)
    ab = np.broadcast_to(np.float32([20, -25])[:, None, None], (2, 12, 16))
    picture = shown(luma, make_chroma(luma, small, ab, facts, (1, 1)), facts)[20, 20]

    gray = torch.full((1, 1, 1, 1), float(small[0, 0]))
    lab = torch.cat([_lightness(gray), torch.tensor([20.0, -25.0]).view(1, 2, 1, 1)], 1)
    expected = lab_to_rgb(lab, clip=False)
    expected = (expected - rgb_to_gray(expected)).flatten().numpy()  # what a photograph is given beside its gray
    assert picture - picture.mean() == pytest.approx(expected - expected.mean(), abs=0.012)
    weights = np.array([facts.weights[0], 1 - sum(facts.weights), facts.weights[1]])
    assert weights @ picture == pytest.approx(0.5, abs=0.003)


def _lightness(gray: torch.Tensor) -> torch.Tensor:
    from colorize.color.convert import luminance

    return luminance(gray)


@pytest.mark.parametrize("colorspace", [1, 6, 9])
@pytest.mark.parametrize("halves", [(1, 1), (1, 2), (2, 2)])
def test_no_channel_leaves_its_range(colorspace: int, halves: tuple[int, int]) -> None:
    facts = replace(FACTS, colorspace=colorspace)
    generator = np.random.default_rng(0)
    luma = generator.integers(16, 236, (48, 64)).astype(np.uint8)
    ab = generator.uniform(-90, 90, (2, 12, 16)).astype(np.float32)
    planes = make_chroma(luma, shrink_luma(luma, facts, (12, 16)), ab, facts, halves)
    full = [np.repeat(np.repeat(plane, halves[0], 0), halves[1], 1) for plane in planes]
    picture = shown(luma, full, facts)
    assert picture.min() > -0.012
    assert picture.max() < 1.012


@pytest.mark.parametrize(("size", "halves"), [((47, 63), (2, 2)), ((5, 1), (2, 2)), ((48, 63), (1, 2))])
def test_odd_sizes_are_rounded_up(size: tuple[int, int], halves: tuple[int, int]) -> None:
    luma = np.full(size, 100, np.uint8)
    facts = replace(FACTS, height=size[0], width=size[1])
    planes = make_chroma(luma, shrink_luma(luma, facts, (3, 4)), np.ones((2, 3, 4), np.float32), facts, halves)
    assert [plane.shape for plane in planes] == 2 * [(-(-size[0] // halves[0]), -(-size[1] // halves[1]))]


def test_colours_of_a_turned_film_are_turned_back() -> None:
    facts = replace(FACTS, display_matrix=(0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30))
    luma = np.full((48, 64), 120, np.uint8)
    small = shrink_luma(luma, facts, (64, 48))
    ab = np.zeros((2, 64, 48), np.float32)
    ab[0, :8] = 60  # a red sky, as a player shows it
    planes = make_chroma(luma, small, ab, facts, (1, 1))
    turned = facts.upright(planes[1])
    assert turned.shape == (64, 48)
    assert turned[:6].min() > 140
    assert turned[12:].max() < 130


def test_gray_stays_gray() -> None:
    luma = np.random.default_rng(0).integers(16, 236, (48, 64)).astype(np.uint8)
    planes = make_chroma(luma, shrink_luma(luma, FACTS, (12, 16)), np.zeros((2, 12, 16), np.float32), FACTS, (2, 2))
    assert {int(value) for plane in planes for value in np.unique(plane)} == {128}


def test_ffmpeg_agrees_about_our_colours() -> None:
    """Its own conversion of a frame of ours to RGB shows what we meant."""
    facts = replace(FACTS, colorspace=1)
    luma = np.full((48, 64), 130, np.uint8)
    ab = np.broadcast_to(np.float32([30, 40])[:, None, None], (2, 12, 16))
    planes = make_chroma(luma, shrink_luma(luma, facts, (12, 16)), ab, facts, (2, 2))
    frame = VideoFrame(64, 48, "yuv420p")
    for plane, values in zip(frame.planes, (luma, *planes), strict=True):
        rows_of(plane, np.uint8)[:] = values
    frame.colorspace, frame.color_range = 1, 1
    rgb = frame.reformat(format="rgb24", src_colorspace=1, dst_colorspace=1).to_ndarray()[20, 20]
    full = [np.repeat(np.repeat(plane, 2, 0), 2, 1) for plane in planes]
    assert rgb == pytest.approx(255 * shown(luma, full, facts)[20, 20], abs=3)
