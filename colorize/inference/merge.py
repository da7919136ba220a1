"""A photograph's gray joined with the chroma of a small picture: made gray again, the picture is the photograph."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from colorize.color import rgb_to_gray
from colorize.color.chroma import BLUE_OF_CB, RED_OF_CR, ab_to_chroma, add_chroma, fit_chroma_
from colorize.color.upsample import Upsampler, guide
from colorize.images import Pixels, Planes

LEAST_HALVED = 6
"""A photograph at least so many times larger than the small picture gets its chroma at half its size."""


@torch.inference_mode()
def merge_pixels(pixels: Pixels, small: Tensor, ab: Tensor) -> Pixels:
    """Pixels with the colours of the small picture: (H, W, 3) in their depth.

    Made gray again (Rec.601, rounded, as Pillow and OpenCV do) each pixel is the photograph's own within 1. Where a
    channel would leave its range, chroma is lowered at constant gray and hue.

    Args:
        pixels: (H, W) or (H, W, 3), uint8 or uint16; of colours their Rec.601 gray is kept.
        small: the same picture, float RGB (3, h, w) in [0, 1].
        ab: its colours, (2, h, w), in Lab units.
    """
    white = float(np.iinfo(pixels.dtype).max)
    upsampler = Upsampler(_coefficients(small[None], ab[None], white), *pixels.shape[:2])
    picture, scratch = np.empty((*pixels.shape[:2], 3), pixels.dtype), upsampler.scratch()
    for rows in upsampler.strips():
        gray = as_plane(_gray(pixels[rows]))
        chroma = fit_chroma_(upsampler(gray, rows.start), gray, white - gray, scratch=scratch)
        rgb = [channel.round_().clamp_(0, white) for channel in add_chroma(gray, chroma)]
        cv2.merge([channel[0, 0].numpy().astype(pixels.dtype) for channel in rgb], dst=picture[rows])
    return picture


@torch.inference_mode()
def merge_planes(gray: npt.NDArray[np.uint8], small: Tensor, ab: Tensor) -> Planes:
    """The same of gray (H, W), of 8 bits, as the planes of a JPEG: `gray` itself, and chroma at half its size."""
    height, width = gray.shape
    upsampler = Upsampler(_coefficients(small[None], ab[None], 255.0), (height + 1) // 2, (width + 1) // 2)
    cr, cb = np.empty((2, upsampler.height, upsampler.width), np.uint8)
    scratch = upsampler.scratch()
    for rows in upsampler.strips():
        mean, low, high = pool_luma(gray[2 * rows.start : 2 * rows.stop], 2, 2)
        chroma = upsampler(as_plane(mean), rows.start)
        red, blue = fit_chroma_(chroma, as_plane(low), as_plane(255 - high), scratch=scratch)[0].numpy()
        cv2.convertScaleAbs(red, dst=cr[rows], alpha=1 / RED_OF_CR, beta=128)  # rounds, and saturates at 255
        cv2.convertScaleAbs(blue, dst=cb[rows], alpha=1 / BLUE_OF_CB, beta=128)
    return Planes(gray, cb, cr)


def pool_luma(luma: Pixels, rows: int, columns: int) -> tuple[Pixels, Pixels, Pixels]:
    """The mean, the least and the greatest luma (H, W) of the cells that share one value of chroma.

    Args:
        luma: whose last row and column are repeated where they fill no cell.
        rows, columns: of a cell, 1 or 2 each.

    Returns:
        (ceil(H / rows), ceil(W / columns)) each, in the type of luma.
    """
    pad = luma.shape[0] % rows, luma.shape[1] % columns
    if any(pad):
        padded: Any = np.pad(luma, ((0, pad[0]), (0, pad[1])), "edge")
        luma = padded
    low = high = luma
    if rows == 2:
        low, high = np.minimum(low[::2], low[1::2]), np.maximum(high[::2], high[1::2])
    if columns == 2:
        low, high = np.minimum(low[:, ::2], low[:, 1::2]), np.maximum(high[:, ::2], high[:, 1::2])
    if low is luma:
        return luma, luma, luma
    mean: Pixels = cv2.resize(luma, low.shape[::-1], interpolation=cv2.INTER_AREA)
    return mean, low, high


def can_halve(pixels: Pixels, small: Tensor) -> bool:
    """Whether `merge_planes` takes a photograph, and half its size is enough for its chroma."""
    is_gray = pixels.ndim == 2 and pixels.dtype == np.uint8
    return is_gray and min(pixels.shape[0] / small.shape[1], pixels.shape[1] / small.shape[2]) >= LEAST_HALVED


@torch.inference_mode()
def merge_batch(rgb: Tensor, small: Tensor, ab: Tensor) -> Tensor:
    """The pictures of a batch on one device: float RGB (B, 3, H, W), small (B, 3, h, w), ab (B, 2, h, w)."""
    gray = rgb_to_gray(rgb)
    chroma = Upsampler(_coefficients(small, ab), *rgb.shape[2:])(gray)
    return torch.cat(add_chroma(gray, fit_chroma_(chroma, gray, 1 - gray)), dim=1).clamp_(0, 1)


def _coefficients(small: Tensor, ab: Tensor, white: float = 1.0) -> Tensor:
    """Those of `guide`, for gray in [0, white]."""
    gray = rgb_to_gray(small)
    coefficients = guide(gray, ab_to_chroma(gray, ab))
    coefficients[:, 2:] *= white  # all but the slopes
    return coefficients


def _gray(pixels: Pixels) -> npt.NDArray[np.float32]:
    """Rec.601 gray of (H, W) or (H, W, 3), not rounded."""
    values = pixels.astype(np.float32)
    return values if values.ndim == 2 else cv2.cvtColor(values, cv2.COLOR_RGB2GRAY)


def as_plane(values: npt.NDArray[np.generic]) -> Tensor:
    """(H, W) as float32 (1, 1, H, W)."""
    return torch.from_numpy(values.astype(np.float32, copy=False)[None, None])


def pixels_as_float(pixels: Pixels) -> Tensor:
    """(H, W) or (H, W, 3) as float32 (1, 1 or 3, H, W) in [0, 1]."""
    values = torch.from_numpy(pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max))
    return values[None, None] if values.ndim == 2 else values.permute(2, 0, 1)[None]
