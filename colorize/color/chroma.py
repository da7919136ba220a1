"""Chroma: a colour minus its Rec.601 gray, R'G'B' - gray; red and blue determine green.

Gray is linear in R'G'B' (ITU-R BT.601), so the chroma of a picture and another gray add up to a picture of that gray.
Cb and Cr of JPEG are the same two numbers in other units (JFIF 1.02; ITU-T T.871).
"""

import torch
from torch import Tensor

from colorize.color.convert import lab_to_rgb, luminance, rgb_to_gray
from colorize.color.precision import check_images, full_precision

RED_OF_CR, BLUE_OF_CB = 1.402, 1.772
TINY = 1e-6  # added to divisors, which may be 0


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
    return fit_chroma_(chroma, gray, 1 - gray)


def fit_chroma_(
    chroma: Tensor,
    below: Tensor,
    above: Tensor,
    red_weight: float = 0.299,
    blue_weight: float = 0.114,
    scratch: Tensor | None = None,
) -> Tensor:
    """Lower chroma in place, by one factor for each pixel, until each channel stays in its range: hue is kept.

    A channel is linear in the factor, so the largest that is possible has a closed form.

    Args:
        chroma: float32 (B, 2, H, W), red minus gray and blue minus gray.
        below, above: how far gray is from black and from white, float32 (B, 1, H, W), in the same units.
        red_weight, blue_weight: those that gray gives red and blue; Rec.601's, unless it is another luma.
        scratch: memory to compute in, of at least 3 B H W numbers. Strips that share it stay in a CPU's cache.
    """
    red, blue = chroma[:, :1], chroma[:, 1:]
    if scratch is None:
        scratch = chroma.new_empty(3 * red.numel())
    green, excess, lack = scratch[: 3 * red.numel()].view(3, *red.shape)
    _green(red, blue, red_weight, blue_weight, out=green)
    torch.maximum(torch.maximum(red, blue, out=excess), green, out=excess)
    torch.minimum(torch.minimum(red, blue, out=lack), green, out=lack)
    excess.div_(torch.add(above, TINY, out=green))
    lack.div_(torch.sub(-TINY, below, out=green))
    return chroma.div_(torch.maximum(excess, lack, out=excess).clamp_(min=1))


def add_chroma(gray: Tensor, chroma: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Red, green and blue, float32 (B, 1, H, W), of gray (B, 1, H, W) and chroma (B, 2, H, W) in the same units."""
    red, blue = chroma[:, :1], chroma[:, 1:]
    return red + gray, _green(red, blue).add_(gray), blue + gray


def _green(
    red: Tensor, blue: Tensor, red_weight: float = 0.299, blue_weight: float = 0.114, out: Tensor | None = None
) -> Tensor:
    """Green minus gray: the three, weighted as gray is, sum up to 0."""
    green_weight = 1 - red_weight - blue_weight
    return torch.mul(red, -red_weight / green_weight, out=out).add_(blue, alpha=-blue_weight / green_weight)
