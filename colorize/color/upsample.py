"""Colour of a small picture brought to a large one without bleeding over the edges that its luminance shows.

A guided filter: around each small pixel ab is a linear function of L, found at the small size and applied to the L of
the large picture, as in He and Sun, Fast Guided Filter (2015), arXiv:1505.00996. Two things differ from the paper.
The line goes through the small pixel's own ab, not through the window's mean, so that nothing is blurred and two equal
sizes give ab itself. And its slope is multiplied by R², the share of ab's variance that L explains there: where L says
little about ab, grain in L stays out of the colours and the result is the bilinear one.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from colorize.color import check_images, full_precision

EPSILON = 50.0
"""Variance of L, in Lab units squared, above which an edge counts: the larger, the nearer to bilinear."""


@full_precision
def guide(luminance: Tensor, ab: Tensor) -> Tensor:
    """The coefficients that `upsample_ab` enlarges, at the small size.

    Args:
        luminance: L of the small picture, float (B, 1, h, w) in [0, 100].
        ab: its a and b, float (B, 2, h, w).

    Returns:
        float32 (B, 8, h, w), two channels each (for a and for b): slope and offset of ab = slope L + offset, and the
        least and the greatest ab among a pixel and its neighbours, which the result keeps to.

    Raises:
        ValueError: wrong dtype or shape, or two sizes that differ.
    """
    check_images("luminance", luminance, 1)
    check_images("ab", ab, 2)
    if luminance.shape[0] != ab.shape[0] or luminance.shape[2:] != ab.shape[2:]:
        raise ValueError(f"luminance and ab differ in size: {tuple(luminance.shape)} and {tuple(ab.shape)}.")
    mean_luminance, mean_ab = _window_mean(luminance), _window_mean(ab)
    variance = (_window_mean(luminance.square()) - mean_luminance.square()).clamp(min=0)
    covariance = _window_mean(luminance * ab) - mean_luminance * mean_ab
    variance_ab = (_window_mean(ab.square()) - mean_ab.square()).clamp(min=0).sum(dim=1, keepdim=True)
    explained = covariance.square().sum(dim=1, keepdim=True) / (variance * variance_ab + 1e-3)  # R²
    slope = _window_mean(covariance / (variance + EPSILON) * explained.clamp(max=1))
    window = F.pad(ab, (1, 1, 1, 1), mode="replicate")
    least, greatest = -F.max_pool2d(-window, 3, stride=1), F.max_pool2d(window, 3, stride=1)
    return torch.cat([slope, ab - slope * luminance, least, greatest], dim=1)


def _window_mean(values: Tensor) -> Tensor:
    """Mean of the 3 x 3 pixels around each, weighted 1 2 1 both ways; beyond the border its pixels go on."""
    padded = F.pad(values, (1, 1, 1, 1), mode="replicate")
    rows = (padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]) / 4
    return (rows[..., :-2] + 2 * rows[..., 1:-1] + rows[..., 2:]) / 4


@full_precision
def upsample_ab(coefficients: Tensor, luminance: Tensor, top: int = 0, height: int | None = None) -> Tensor:
    """ab of rows of the large picture.

    Pixels are areas, as in `F.interpolate(..., align_corners=False)`. A large picture can be done in strips: a row is
    the same in each strip and in the whole.

    Args:
        coefficients: of `guide`, float (B, 8, h, w).
        luminance: L of the rows `top` to `top` + H of the large picture, float (B, 1, H, W) in [0, 100].
        top: the first of these rows in the large picture.
        height: rows of the large picture; None for H, the whole of it.

    Returns:
        float32 (B, 2, H, W). Needs at its peak about 4 times the memory of that.

    Raises:
        ValueError: wrong dtype or shape, or rows beyond `height`.
    """
    check_images("coefficients", coefficients, 8)
    check_images("luminance", luminance, 1)
    rows = luminance.shape[2]
    height = rows if height is None else height
    if top < 0 or top + rows > height:
        raise ValueError(f"Rows {top} to {top + rows} are not in a picture of {height} rows.")
    slope, offset, least, greatest = _rows(coefficients, top, rows, height).chunk(4, dim=1)
    size = (rows, luminance.shape[3])
    ab = F.interpolate(slope, size, mode="bilinear").mul_(luminance).add_(F.interpolate(offset, size, mode="bilinear"))
    torch.maximum(ab, F.interpolate(least, size, mode="bilinear"), out=ab)
    return torch.minimum(ab, F.interpolate(greatest, size, mode="bilinear"), out=ab)


def _rows(small: Tensor, top: int, rows: int, height: int) -> Tensor:
    """Rows `top` to `top` + `rows` of `small` (B, C, h, w) stretched to `height` rows, (B, C, rows, w)."""
    last = small.shape[2] - 1
    large = torch.arange(top, top + rows, dtype=torch.float64)
    y = ((large + 0.5) * (last + 1) / height - 0.5).clamp(0, last)
    above = y.floor().long()
    below = (above + 1).clamp(max=last)
    fraction = (y - above).float().to(small.device)[:, None]
    return torch.lerp(small[:, :, above.to(small.device)], small[:, :, below.to(small.device)], fraction)
