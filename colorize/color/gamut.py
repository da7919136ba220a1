"""Which colours sRGB can show."""

import torch
from torch import Tensor

from colorize.color.convert import WHITE_XYZ, XYZ_TO_RGB, cube
from colorize.color.precision import check_images, full_precision

_LEAST_LIGHT, _MOST_LIGHT = -1e-5, 1 + 1e-4  # of a linear channel; the matrix gives white 1 + 8e-5


@full_precision
def in_gamut(lab: Tensor) -> Tensor:
    """Whether sRGB can show each colour, with a play of 0.0002 in each channel.

    Args:
        lab: float (B, 3, H, W), L in [0, 100].

    Returns:
        bool (B, H, W).

    Raises:
        ValueError: wrong dtype or shape.
    """
    check_images("lab", lab, 3)
    luminance, a, b = lab.unbind(1)
    return in_srgb(luminance, a, b)


def in_srgb(luminance: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Whether sRGB has the colours, by their linear RGB: without the costly gamma curve."""
    y = (luminance + 16) / 116
    x, y, z = (cube(root) for root in (y + a / 500, y, y - b / 200))
    inside = torch.ones_like(x, dtype=torch.bool)
    for row in XYZ_TO_RGB:
        of_x, of_y, of_z = (weight * white for weight, white in zip(row, WHITE_XYZ, strict=True))
        channel = (x * of_x).add_(y, alpha=of_y).add_(z, alpha=of_z)
        inside &= (channel >= _LEAST_LIGHT) & (channel <= _MOST_LIGHT)
    return inside
