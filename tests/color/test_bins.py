"""Bins of ab: which there are, how a colour is shared among them, and what a distribution over them means."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from skimage.color import lab2rgb, rgb2lab
from torch import Tensor

from colorize.color.bins import (
    ab_cells,
    annealed_mean,
    bin_centers,
    color_deviation,
    color_noise,
    soft_encoding,
)


@pytest.fixture
def logits() -> Tensor:
    return 3 * torch.randn(2, 225, 3, 4, generator=torch.Generator().manual_seed(0))


@pytest.mark.filterwarnings("ignore")
def test_bins_are_colours_of_srgb_and_no_other_is_missing() -> None:
    """A colour of skimage's that comes back from RGB unclipped is in gamut."""
    steps = np.arange(-110, 111, 10.0)
    a, b = np.meshgrid(steps, steps, indexing="ij")
    changed = np.full(a.shape, np.inf)
    for luminance in range(1, 100):
        lab = np.stack([np.full_like(a, luminance), a, b], axis=-1)
        changed = np.minimum(changed, np.abs(rgb2lab(lab2rgb(lab)) - lab).max(axis=-1))
    bins = {tuple(center) for center in bin_centers(10).tolist()}
    inside, at_the_edge = (
        set(zip(a[near].tolist(), b[near].tolist(), strict=True)) for near in (changed < 1e-3, changed < 0.1)
    )
    assert inside <= bins <= at_the_edge
    assert len(bins) == len(bin_centers(10)) == 225


@pytest.mark.parametrize("grid", [4, 25, 50])
def test_bins_are_a_grid_around_gray(grid: int) -> None:
    centers = bin_centers(grid)
    assert [0, 0] in centers.tolist()
    assert (centers % grid == 0).all()
    assert centers.abs().max() <= 110


def test_the_last_row_of_the_grid_has_its_bins() -> None:
    """A grid of 30 ends at 90, within the gamut on three sides; those of 10, at 110, end beyond it."""
    centers = bin_centers(30)
    assert centers.amax(0).tolist() == [90, 90]
    assert centers.amin(0).tolist() == [-60, -90]


@pytest.mark.parametrize(("neighbors", "sigma"), [(1, 5.0), (5, 5.0), (10, 5.0), (10, 0.1), (225, 30.0)])
def test_a_colour_is_shared_among_its_nearest_bins_by_a_gaussian(neighbors: int, sigma: float) -> None:
    indices, shares = soft_encoding(10, neighbors, sigma)
    centers = bin_centers(10).double().numpy()
    rng = np.random.default_rng(0)
    ab = np.concatenate([rng.integers(-110, 111, (200, 2)), [[0, 0], [-110, -110], [110, 110], [7, -43]]])
    rows = ab_cells(torch.from_numpy(ab.astype(np.float32)).T[None, :, None])[0, 0]
    for color, found, share in zip(ab, indices[rows].numpy(), shares[rows].double().numpy(), strict=True):
        distances = np.linalg.norm(centers - color, axis=1)
        np.testing.assert_allclose(distances[found], np.sort(distances)[:neighbors], atol=1e-4)
        assert len(set(found)) == neighbors
        gaussian = np.exp(-(distances[found] ** 2 - distances.min() ** 2) / (2 * sigma**2))
        np.testing.assert_allclose(share, gaussian / gaussian.sum(), atol=1e-5)
    torch.testing.assert_close(shares.sum(1), torch.ones(221 * 221))


def test_the_look_up_rounds_to_half_a_unit() -> None:
    ab = torch.empty(1, 2, 50, 50).uniform_(-110, 110, generator=torch.Generator().manual_seed(0))
    cells = ab_cells(ab)
    back = torch.stack([cells // 221 - 110, cells % 221 - 110], dim=1)
    assert (back - ab).abs().max() <= 0.5
    outside = torch.tensor([-300.0, 300, 110.4, -110.4]).view(1, 2, 2, 1)
    assert ab_cells(outside).flatten().tolist() == [220, 220 * 221]  # (-110, 110) and (110, -110)
    assert ab_cells(torch.full((1, 2, 1, 1), torch.nan)).item() == 110 * 221 + 110
    assert torch.equal(ab_cells(ab.bfloat16()), ab_cells(ab.bfloat16().float()))


def test_the_shares_mean_about_the_colour_itself() -> None:
    """Inside of the gamut; at its edge there are no bins beyond."""
    indices, shares = soft_encoding(10, 10, 5.0)
    mean = (bin_centers(10)[indices] * shares[..., None]).sum(1).view(221, 221, 2)
    axis = torch.arange(-110, 111.0)
    near_gray = slice(110 - 30, 110 + 31)
    truth = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1)
    assert (mean - truth)[near_gray, near_gray].norm(dim=-1).max() < 2.5


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bin_centers(3), "grid is 3"),
        (lambda: bin_centers(51), "grid is 51"),
        (lambda: soft_encoding(10, 0, 5.0), "from 1 to the 225 bins"),
        (lambda: soft_encoding(10, 226, 5.0), "from 1 to the 225 bins"),
        (lambda: soft_encoding(10, 5, 0.0), "sigma is 0.0"),
        (lambda: soft_encoding(10, 5, float("nan")), "sigma is nan"),
    ],
)
def test_what_cannot_be_is_refused(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


def test_at_one_the_annealed_mean_is_the_mean(logits: Tensor) -> None:
    shares = np.exp(logits.double().numpy())
    shares /= shares.sum(axis=1, keepdims=True)
    expected = np.einsum("bqhw,qc->bchw", shares, bin_centers(10).double().numpy())
    np.testing.assert_allclose(annealed_mean(logits, bin_centers(10), 1.0), expected, atol=1e-3)


@pytest.mark.parametrize("temperature", [1e-5, 1e-9, 1e-30])
def test_near_zero_it_is_the_likeliest_bin(logits: Tensor, temperature: float) -> None:
    likeliest = bin_centers(10)[logits.argmax(1)].movedim(-1, 1)
    for scale in (1, 1e4, 1e9):
        torch.testing.assert_close(
            annealed_mean(scale * logits, bin_centers(10), temperature), likeliest, atol=0.1, rtol=0
        )


@pytest.mark.parametrize("temperature", [0.1, 0.38, 1.0, 3.0])
def test_a_constant_on_all_logits_changes_nothing(logits: Tensor, temperature: float) -> None:
    mean = annealed_mean(logits, bin_centers(10), temperature)
    torch.testing.assert_close(annealed_mean(logits + 100, bin_centers(10), temperature), mean, atol=1e-2, rtol=0)
    torch.testing.assert_close(
        annealed_mean(logits * temperature, bin_centers(10), temperature), annealed_mean(logits, bin_centers(10), 1.0)
    )


def test_the_deviation_is_numpys(logits: Tensor) -> None:
    shares = np.exp(logits.double().numpy())
    shares /= shares.sum(axis=1, keepdims=True)
    a, b = bin_centers(10).double().numpy().T[:, None, :, None, None]
    variance = sum((shares * (axis - (shares * axis).sum(1, keepdims=True)) ** 2).sum(1) for axis in (a, b))
    found = color_deviation(logits, bin_centers(10))
    assert found.shape == (2, 1, 3, 4)
    np.testing.assert_allclose(found[:, 0], np.sqrt(variance), rtol=1e-4)


def test_who_is_sure_does_not_deviate() -> None:
    sure = torch.zeros(1, 225, 1, 1)
    sure[0, 7] = 1000
    assert color_deviation(sure, bin_centers(10)).item() < 0.1
    even = bin_centers(10).double()
    expected = (even - even.mean(0)).square().sum(1).mean().sqrt().item()
    assert color_deviation(torch.zeros(1, 225, 1, 1), bin_centers(10)).item() == pytest.approx(expected, rel=1e-4)
    nearly = 17 * torch.eye(225)[None, :, None]  # the variance of some is rounded to below 0
    assert color_deviation(nearly, bin_centers(10)).isfinite().all()


@pytest.mark.parametrize("function", [lambda x, c: annealed_mean(x, c, 0.38), color_deviation])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_around_it_costs_nothing(function: Any, dtype: torch.dtype, logits: Tensor) -> None:
    exact = function(logits, bin_centers(10))
    with torch.autocast("cpu", dtype):
        assert torch.equal(function(logits, bin_centers(10)), exact)
        halves = logits.to(dtype)
        found = function(halves, bin_centers(10))
    assert found.dtype == torch.float32
    assert torch.equal(found, function(halves.float(), bin_centers(10)))


def test_noise_has_the_variance_of_gumbels_and_is_alike_for_like_colours() -> None:
    centers = bin_centers(20)
    draws = torch.stack([color_noise(20, seed) for seed in range(4000)]).double().numpy()
    covariance = np.cov(draws.T)
    distances = np.linalg.norm(centers.numpy()[:, None] - centers.numpy(), axis=-1)
    expected = np.pi**2 / 6 * np.exp(-(distances**2) / (2 * 25**2))
    assert np.abs(draws.mean(axis=0)).max() < 0.1  # four of its standard errors are 0.08
    assert np.abs(covariance - expected).max() < 0.2
    assert np.abs(covariance - expected).mean() < 0.03


def test_noise_repeats_by_seed() -> None:
    assert torch.equal(color_noise(10, 3), color_noise(10, 3))
    assert (color_noise(10, 3) - color_noise(10, 4)).abs().max() > 0.1
    before = torch.random.get_rng_state()
    assert color_noise(10, 3).dtype == torch.float32
    assert color_noise(4, 3).isfinite().all()  # its covariance has eigenvalues that are rounded to below 0
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("context", ['torch.device("meta")', "torch.inference_mode()", 'torch.autocast("cpu")'])
def test_what_is_cached_serves_wherever_it_was_first_asked_for(context: str) -> None:
    """The caches are the process's: a fresh one each."""
    code = f"""
import torch
from colorize.color.bins import bin_centers, soft_encoding
with {context}:
    made = (bin_centers(10), *soft_encoding(10, 10, 5.0))
assert [tensor.device.type for tensor in made] == ["cpu"] * 3
assert [tensor.dtype for tensor in made] == [torch.float32, torch.int64, torch.float32]
assert not any(tensor.is_inference() or tensor.requires_grad for tensor in made)
assert len(made[0]) == 225
x = torch.ones(225, 2, requires_grad=True)
(x * made[0]).sum().backward()
"""
    assert not subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stderr
