"""From luma to what the network sees, and from its colours to Cb and Cr."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from colorize.color.chroma import ab_to_chroma, fit_chroma_
from colorize.color.upsample import Upsampler, guide
from colorize.film.facts import FilmFacts, Plane
from colorize.inference.merge import as_plane, pool_luma


def shrink_luma(luma: Plane, facts: FilmFacts, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """What the network sees of a frame: float32 (h, w) in [0, 1], upright, by Pillow's Lanczos as photographs are.

    Args:
        luma: (H, W), as stored, in the codes of the film.
        facts: of the film.
        size: (h, w) of the upright picture.
    """
    turned = facts.upright(luma)
    values = turned if luma.dtype == np.uint8 else turned.astype(np.float32)
    height, width = size
    small = Image.fromarray(np.ascontiguousarray(values)).resize(
        (width, height), Image.Resampling.LANCZOS, reducing_gap=3.0
    )
    black, white = facts.black_and_white
    gray = (np.asarray(small, np.float32) - np.float32(black)) / np.float32(white - black)
    return gray.clip(0, 1)


@torch.inference_mode()
def make_chroma(
    luma: Plane, small: npt.NDArray[np.float32], ab: npt.NDArray[np.float32], facts: FilmFacts, halves: tuple[int, int]
) -> tuple[Plane, Plane]:
    """Cb and Cr of a frame in the film's matrix, range and depth, such that luma can stay as it is.

    Chroma is enlarged along the edges of luma and lowered where RGB cannot show it, as that of photographs.

    Args:
        luma: (H, W), as stored.
        small: what the network saw of it, (h, w).
        ab: its colours in CIE Lab units, (2, h, w).
        facts: of the film.
        halves: how many rows and columns of luma share one of chroma, 1 or 2 each.

    Returns:
        (ceil(H / rows), ceil(W / columns)) each, in the type of luma.
    """
    red_weight, blue_weight = facts.weights
    gray = torch.from_numpy(np.ascontiguousarray(facts.as_stored(small)))[None, None]
    colors = torch.from_numpy(np.ascontiguousarray(facts.as_stored(ab)))[None]
    chroma = _to_weights(ab_to_chroma(gray, colors), red_weight, blue_weight)
    rows, columns = halves
    height, width = -(-luma.shape[0] // rows), -(-luma.shape[1] // columns)
    black, white = facts.black_and_white
    upsampler = Upsampler(_in_codes(guide(gray, chroma), black, white), height, width)
    units = ((1 << facts.bits) - 1 if facts.is_full_range else 224 << facts.bits - 8) / (white - black) / 2
    factors = torch.tensor([units / (1 - red_weight), units / (1 - blue_weight)])[:, None, None]
    middle, highest = 1 << facts.bits - 1, (1 << facts.bits) - 1
    planes, scratch = np.empty((2, height, width), luma.dtype), upsampler.scratch()
    for strip in upsampler.strips():
        mean, low, high = pool_luma(luma[rows * strip.start : rows * strip.stop], rows, columns)
        below, above = np.maximum(low, black) - black, white - np.minimum(high, white)
        made = upsampler(as_plane(mean), strip.start)
        made = fit_chroma_(made, as_plane(below), as_plane(above), red_weight, blue_weight, scratch)[0]
        codes = made.mul_(factors).add_(middle + 0.5).clamp_(0.5, highest + 0.5)
        np.copyto(planes[:, strip], codes.numpy(), casting="unsafe")  # rounds
    return planes[1], planes[0]


def _to_weights(chroma: Tensor, red_weight: float, blue_weight: float) -> Tensor:
    """Red and blue minus Rec.601 gray (1, 2, h, w), of the same colour minus a luma of other weights."""
    red, blue = chroma[:, :1], chroma[:, 1:]
    green = -(0.299 * red + 0.114 * blue) / 0.587
    luma = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    return torch.cat([red - luma, blue - luma], dim=1)


def _in_codes(coefficients: Tensor, black: int, white: int) -> Tensor:
    """Those of `guide`, for luma and chroma in codes of luma, which is `black` at 0 and `white` at 1."""
    slope, others = coefficients[:, :2], coefficients[:, 2:] * float(white - black)
    others[:, :2] -= slope * float(black)
    return torch.cat([slope, others], dim=1)
