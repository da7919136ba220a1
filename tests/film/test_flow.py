"""Motion between two small pictures, and where it is not trusted."""

import numpy as np
import pytest

from colorize.film.cuts import as_gray
from colorize.film.flow import link, warp
from tests.film.clips import Layer, affine, disc, film
from tests.film.test_cuts import texture


def test_a_shift_is_found_and_trusted() -> None:
    gray = as_gray(texture(1))
    earlier, later = gray[20:100, 20:148], gray[23:103, 15:143]  # what is shown moves 5 right and 3 up
    found = link(earlier, later)
    inner = (slice(12, -12), slice(12, -12))
    assert np.abs(found.ahead[inner] - [5, -3]).mean() < 0.2
    assert np.abs(found.back[inner] - [-5, 3]).mean() < 0.2
    assert found.trust_back[inner].min() > 0.8
    assert found.trust_back[:, :3].max() < 0.2  # which came in
    warped = warp(earlier.astype(np.float32), found.back)
    assert np.abs(warped - later)[inner].mean() < 2


def test_the_same_picture_does_not_move() -> None:
    gray = as_gray(texture(1, 64))
    found = link(gray, gray)
    assert found.match > 0.99
    assert np.abs(found.ahead).max() < 0.1


def test_what_comes_from_behind_something_is_not_trusted() -> None:
    pictures = [np.repeat(texture(seed)[..., None], 3, axis=2) for seed in (1, 2)]
    whole = np.ones((200, 200), np.float32)
    thing = np.pad(disc(50), (0, 150))
    layers = [Layer(pictures[0], whole, lambda t: affine()), Layer(pictures[1], thing, lambda t: affine(x=20 + 8 * t))]
    clip = film(layers, 2, 60, 120)
    found = link(*(as_gray(luma) for luma in clip.luma))
    in_thing = np.pad(disc(50), ((0, 10), (20, 50))) > 0.5
    in_thing_later = np.pad(disc(50), ((0, 10), (28, 42))) > 0.5
    uncovered = in_thing & ~in_thing_later
    still = ~in_thing & ~in_thing_later
    assert found.trust_back[uncovered].mean() < 0.3
    assert found.trust_back[still].mean() > 0.7
    assert found.trust_back[in_thing_later].mean() > 0.6
    assert clip.flows[0][in_thing & clip.seen[0]].mean(axis=0) == pytest.approx([8, 0])


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (20, 17), (33, 40), (160, 40)])
def test_any_size_has_a_flow(shape: tuple[int, int]) -> None:
    gray = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    found = link(gray, gray)
    assert found.ahead.shape == (*shape, 2)
    assert found.trust_back.shape == shape
    assert found.match > 0.9
