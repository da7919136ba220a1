"""Chroma: what of a colour is beside its Rec.601 gray. R'G'B' minus gray, of which red and blue say all.

Gray is linear in R'G'B' (ITU-R BT.601), so the chroma of a picture and another gray add up to a picture of that gray.
Cb and Cr of JPEG are the same two numbers in other units (JFIF 1.02; ITU-T T.871).
"""

import torch
from torch import Tensor

from colorize.color.convert import lab_to_rgb, luminance, rgb_to_gray
from colorize.color.precision import check_images, full_precision

RED_OF_CR, BLUE_OF_CB = 1.402, 1.772
LEAST = 1e-6  # of a divisor


@full_precision
def ab_to_chroma(gray: Tensor, ab: Tensor) -> Tensor:
    """The chroma that ab of CIE Lab has on a gray, lowered where sRGB cannot show it.

    Args:
        gray: Rec.601 gray, float (B, 1, H, W) in [0, 1].
        ab: float (B, 2, H, W).

    Returns:
        float32 (B, 2, H, W): red minus gray and blue minus gray.

    Raises:
        ValueError: wrong dtype or shape.
    """
    check_images("gray", gray, 1)
    check_images("ab", ab, 2)
    rgb = lab_to_rgb(torch.cat([luminance(gray), ab], dim=1), clip=False)
    chroma = rgb[:, ::2] - rgb_to_gray(rgb)
    return chroma * chroma_factor(chroma, gray, gray)


@full_precision
def chroma_factor(chroma: Tensor, low: Tensor, high: Tensor, white: float = 1.0) -> Tensor:
    """The largest factor of chroma, up to 1, with which each channel stays in [0, white]; hue and gray are kept.

    Args:
        chroma: float (B, 2, H, W), red minus gray and blue minus gray.
        low, high: the least and the greatest gray that it is added to, float (B, 1, H, W) in [0, white].
        white: 1, 255 or 65535.

    Returns:
        float32 (B, 1, H, W).

    Raises:
        ValueError: wrong dtype or shape.
    """
    check_images("chroma", chroma, 2)
    red, blue = chroma.chunk(2, dim=1)
    green = _green(red, blue)
    above = torch.maximum(red, blue)
    torch.maximum(above, green, out=above).clamp_(min=LEAST)
    below = torch.minimum(red, blue)
    torch.minimum(below, green, out=below).neg_().clamp_(min=LEAST)
    return torch.minimum((white - high).div_(above), below.reciprocal_().mul_(low)).clamp_(max=1)


@full_precision
def add_chroma(gray: Tensor, chroma: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Red, green and blue, each (B, 1, H, W), of gray (B, 1, H, W) and chroma (B, 2, H, W) in the same units."""
    red, blue = chroma.chunk(2, dim=1)
    return red + gray, _green(red, blue).add_(gray), blue + gray


def _green(red: Tensor, blue: Tensor) -> Tensor:
    """Green minus gray: the three, weighted as gray is, sum up to 0."""
    return (red * (-0.299 / 0.587)).add_(blue, alpha=-0.114 / 0.587)
