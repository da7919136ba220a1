"""The ab plane of CIE Lab in square bins: the classes of colours (Zhang, Isola, Efros 2016, arXiv:1603.08511)."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch
from torch import Tensor

from colorize.color.gamut import in_srgb
from colorize.color.precision import full_precision

FURTHEST = 110  # a and b of sRGB colours lie within


@cache
def bin_centers(grid: int) -> Tensor:
    """The centres of those bins whose centre is a colour of sRGB at some L: float32 (Q, 2); 10 wide, Q is 225.

    Args:
        grid: width and height of a bin, in Lab units; centres are at its multiples.

    Raises:
        ValueError: a grid below 4 or above 50.
    """
    if not 4 <= grid <= 50:
        raise ValueError(f"grid is {grid}, but must be from 4 to 50 Lab units")
    with _as_constant():
        steps = torch.arange(-(FURTHEST // grid), FURTHEST // grid + 1, dtype=torch.float32) * grid
        centers = torch.cartesian_prod(steps, steps)
        luminance = torch.arange(1.0, 100.0)[:, None]
        shown = in_srgb(luminance, *centers.T[:, None].expand(-1, len(luminance), -1)).any(0)
        return centers[shown]


@cache
def soft_encoding(grid: int, neighbors: int, sigma: float) -> tuple[Tensor, Tensor]:
    """For each whole a and b of -110 to 110, the nearest bins and Gaussian weights of their distances, which sum to 1.

    Returns:
        Indices, int64, nearest first, and weights, float32, each (221 * 221, neighbors): see `ab_cells` for the rows.

    Raises:
        ValueError: fewer bins than neighbors, or a sigma below 0.1.
    """
    centers = bin_centers(grid)
    if not 1 <= neighbors <= len(centers):
        raise ValueError(f"neighbors is {neighbors}, but must be from 1 to the {len(centers)} bins")
    if not sigma >= 0.1:
        raise ValueError(f"sigma is {sigma}, but must be at least 0.1 Lab units")
    with _as_constant():
        axis = torch.arange(-FURTHEST, FURTHEST + 1, dtype=torch.float32)
        colors = torch.cartesian_prod(axis, axis)
        distances = torch.cdist(colors, centers, compute_mode="donot_use_mm_for_euclid_dist")
        nearest, indices = distances.topk(neighbors, largest=False)
        return indices, torch.softmax(-nearest.square() / (2 * sigma**2), dim=-1)


@contextmanager
def _as_constant() -> Iterator[None]:
    """What is made and cached here serves in training too, wherever it was first asked for."""
    with torch.device("cpu"), torch.inference_mode(False), torch.no_grad():
        yield


def ab_cells(ab: Tensor) -> Tensor:
    """The row of `soft_encoding` for each pixel of ab (B, 2, H, W) in Lab units, rounded; NaN is 0. int64 (B, H, W)."""
    a, b = ab.float().nan_to_num().round_().clamp_(-FURTHEST, FURTHEST).unbind(1)
    return (a * (2 * FURTHEST + 1) + b).long().add_(2 * FURTHEST * (FURTHEST + 1))  # below 2²⁴: exact in float32


@full_precision
def annealed_mean(logits: Tensor, centers: Tensor, temperature: float) -> Tensor:
    """The mean colour of a distribution that is sharpened first: softmax(logits / T) (Zhang et al. 2016, equation 5).

    Args:
        logits: float (B, Q, H, W).
        centers: `bin_centers`, on the same device.
        temperature: T above 0: 1 is the mean, near 0 the likeliest colour.

    Returns:
        ab, float32 (B, 2, H, W), in Lab units.
    """
    logits = logits - logits.amax(1, keepdim=True)  # else a low temperature overflows
    mean: Tensor = torch.einsum("bqhw,qc->bchw", (logits / temperature).softmax(1), centers)
    return mean


@full_precision
def color_deviation(logits: Tensor, centers: Tensor) -> Tensor:
    """The standard deviation of a distribution of colours, sqrt(E |ab - E ab|^2): how unsure it is.

    Args:
        logits: float (B, Q, H, W).
        centers: `bin_centers`, on the same device.

    Returns:
        float32 (B, 1, H, W), in Lab units.
    """
    shares = logits.softmax(1)
    moments = torch.einsum("bqhw,qc->bchw", shares, torch.cat([centers, centers.square().sum(1, True)], dim=1))
    variance: Tensor = moments[:, 2:] - moments[:, :2].square().sum(1, True)
    return variance.clamp_min(0).sqrt()


def color_noise(grid: int, seed: int, width: float = 25.0) -> Tensor:
    """Random preferences for bins, alike for those of like colours: float32 (Q,) on the CPU.

    Added to all logits of a picture they give one sample of its colours in which the same things have the same colour:
    perturb-and-MAP (Papandreou and Yuille 2011) with one draw for the whole picture. Their variance is that of the
    Gumbel distribution, pi^2 / 6; their correlation is a Gaussian of the distance in ab.

    Args:
        grid: see `bin_centers`.
        seed: of the draw.
        width: of that Gaussian, in Lab units.
    """
    root = _covariance_root(grid, width)
    draw = torch.randn(len(root), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (root @ draw).float()


@cache
def _covariance_root(grid: int, width: float) -> Tensor:
    """The symmetric square root of the covariance of `color_noise`: float64 (Q, Q)."""
    with _as_constant():
        points = bin_centers(grid).double()
        covariance = torch.exp(-torch.cdist(points, points).square() / (2 * width**2)) * (torch.pi**2 / 6)
        values, vectors = torch.linalg.eigh(covariance)
        root: Tensor = vectors @ (values.clamp_min(0).sqrt()[:, None] * vectors.T)
        return root
