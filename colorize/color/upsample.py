"""Chroma of a small picture brought to a large one without bleeding over the edges that its gray shows.

A guided filter: around each small pixel chroma is a linear function of gray, found at the small size and applied to the
gray of the large picture, as in He and Sun, Fast Guided Filter (2015), arXiv:1505.00996. Two things differ from the
paper. The line goes through the small pixel's own chroma, not through the window's mean, so that nothing is blurred and
two equal sizes give the chroma itself. And its slope is multiplied by R², the share of the chroma's variance that gray
explains there: where gray says little about colour, its grain stays out of the colours and the result is the bilinear
one.
"""

import math
from collections.abc import Callable, Iterator
from itertools import groupby

import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

from colorize.color.precision import check_images, full_precision

EPSILON = 0.005
"""Variance of gray above which an edge counts: the larger, the nearer to bilinear."""
STRIP_PIXELS = 2**18
"""Of a strip: its planes of floats stay in a CPU's cache, and its calls are long, since threads wait between them."""


@full_precision
def guide(gray: Tensor, chroma: Tensor) -> Tensor:
    """The coefficients that `Upsampler` enlarges, at the small size.

    Args:
        gray: of the small picture, float (B, 1, h, w) in [0, 1].
        chroma: float (B, 2, h, w), in the same units.

    Returns:
        float32 (B, 8, h, w), two channels each: slope and offset of chroma = slope gray + offset, and the least and the
        greatest chroma among a pixel and its neighbours, which the result keeps to.

    Raises:
        ValueError: wrong dtype or shape, or two sizes that differ.
    """
    check_images("gray", gray, 1)
    check_images("chroma", chroma, 2)
    if gray.shape[0] != chroma.shape[0] or gray.shape[2:] != chroma.shape[2:]:
        raise ValueError(f"gray and chroma differ in size: {tuple(gray.shape)} and {tuple(chroma.shape)}.")
    mean_gray, mean_chroma = _window_mean(gray), _window_mean(chroma)
    gray_variance = (_window_mean(gray.square()) - mean_gray.square()).clamp(min=0)
    covariance = _window_mean(gray * chroma) - mean_gray * mean_chroma
    chroma_variance = (_window_mean(chroma.square()) - mean_chroma.square()).clamp(min=0).sum(dim=1, keepdim=True)
    r_squared = covariance.square().sum(dim=1, keepdim=True) / (gray_variance * chroma_variance + 1e-11)
    slope = _window_mean(covariance / (gray_variance + EPSILON) * r_squared.clamp(max=1))
    least, greatest = _window_limit(chroma, torch.minimum), _window_limit(chroma, torch.maximum)
    return torch.cat([slope, chroma - slope * gray, least, greatest], dim=1)


def _window_mean(values: Tensor) -> Tensor:
    """Mean of the 3 x 3 pixels around each, weighted 1 2 1 both ways; beyond the border its pixels go on."""
    padded = F.pad(values, (1, 1, 1, 1), mode="replicate")
    rows = (padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]) / 4
    return (rows[..., :-2] + 2 * rows[..., 1:-1] + rows[..., 2:]) / 4


def _window_limit(values: Tensor, limit: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Minimum or maximum of the same pixels; `F.max_pool2d` takes 15 times as long on a CPU."""
    padded = F.pad(values, (1, 1, 1, 1), mode="replicate")
    rows = limit(limit(padded[:, :, :-2], padded[:, :, 1:-1]), padded[:, :, 2:])
    return limit(limit(rows[..., :-2], rows[..., 1:-1]), rows[..., 2:])


class Upsampler:
    """The chroma of a large picture, in strips of rows.

    Pixels are areas, as in `F.interpolate(..., align_corners=False)`; a row is the same in each strip and in the whole.

    Args:
        coefficients: of `guide`, float32 (B, 8, h, w).
        height, width: of the large picture.
    """

    def __init__(self, coefficients: Tensor, height: int, width: int) -> None:
        check_images("coefficients", coefficients, 8)
        self.height, self.width = height, width
        small = coefficients.shape[2]
        place = ((torch.arange(height, dtype=torch.float64) + 0.5) * (small / height) - 0.5).clamp(0, small - 1)
        above = place.long()
        self._above, self._fraction = above.tolist(), (place - above).to(coefficients)[:, None]
        self._coefficients = _widen(coefficients, width)
        self._buffer = coefficients.new_empty(0)

    def scratch(self) -> Tensor:
        """Memory for `fit_chroma_` of any of the strips: what they share stays in a CPU's cache."""
        return self._coefficients.new_empty(3 * len(self._coefficients) * max(STRIP_PIXELS, self.width))

    def strips(self) -> Iterator[slice]:
        """The rows of each strip."""
        rows = max(1, STRIP_PIXELS // self.width)
        return (slice(top, min(top + rows, self.height)) for top in range(0, self.height, rows))

    @torch.inference_mode()
    def __call__(self, gray: Tensor, top: int = 0) -> Tensor:
        """The chroma of rows.

        Args:
            gray: of the rows from `top`, float32 (B, 1, rows, width), in the units of the coefficients' offsets.
            top: the first of them.

        Returns:
            float32 (B, 2, rows, width); it is overwritten by the next call.

        Raises:
            ValueError: wrong dtype or shape, or rows beyond the picture.
        """
        check_images("gray", gray, 1)
        rows = slice(top, top + gray.shape[2])
        if top < 0 or rows.stop > self.height:
            raise ValueError(f"Rows {top} to {rows.stop} are not in a picture of {self.height} rows.")
        slope, offset, least, greatest = self._rows(rows).chunk(4, dim=1)
        return torch.clamp(torch.addcmul(offset, slope, gray, out=slope), least, greatest, out=slope)

    def _rows(self, rows: slice) -> Tensor:
        """Rows of the coefficients, in memory that is used again: new pages cost more time than the arithmetic."""
        small, above = self._coefficients, self._above[rows]
        shape = (*small.shape[:2], len(above), self.width)
        size, last = math.prod(shape), small.shape[2] - 1
        if self._buffer.numel() < size:
            self._buffer = small.new_empty(size)
        result, top = self._buffer[:size].view(shape), 0
        for row, group in groupby(above):
            these, below = slice(top, top := top + len(list(group))), min(row + 1, last)
            upper, lower = small[:, :, row : row + 1], small[:, :, below : below + 1]
            torch.lerp(upper, lower, self._fraction[rows][these], out=result[:, :, these])
        return result


def _widen(planes: Tensor, width: int) -> Tensor:
    """Planes (B, C, h, w), bilinearly at another width; OpenCV is three times as fast as torch on a CPU."""
    if planes.device.type != "cpu":
        return F.interpolate(planes, (planes.shape[2], width), mode="bilinear")
    wide = planes.new_empty(*planes.shape[:3], width)
    for plane, result in zip(planes.flatten(0, 1).numpy(), wide.flatten(0, 1).numpy(), strict=True):
        cv2.resize(plane, (width, len(plane)), dst=result, interpolation=cv2.INTER_LINEAR)
    return wide
