"""How two colours differ, CIEDE2000, and how colorful a picture is."""

import math

import torch
from torch import Tensor

from colorize.color.precision import check_images, full_precision


@full_precision
def delta_e(lab1: Tensor, lab2: Tensor) -> Tensor:
    """CIEDE2000 colour difference of each pixel, with k_L = k_C = k_H = 1.

    About 1 is the least difference an eye sees. Symmetric, 0 for equal colours, finite for gray. Not for a
    loss: its gradient is infinite at 0. Source: Sharma, Wu, Dalal, The CIEDE2000 color-difference formula,
    Color Research and Application 30 (2005), eq. 2 to 22.

    Args:
        lab1, lab2: CIE Lab, float (B, 3, H, W), L in [0, 100].

    Returns:
        float32 (B, H, W), at least 0.

    Raises:
        ValueError: wrong dtype or shape, or two shapes that differ.
    """
    check_pair(lab1, lab2)
    (l1, a1, b1), (l2, a2, b2) = lab1.unbind(1), lab2.unbind(1)
    stretch = 1.5 - 0.5 * _saturation((torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2)  # 1 + G
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = torch.hypot(a1, b1), torch.hypot(a2, b2)
    h1, h2 = _hue(a1, b1), _hue(a2, b2)

    # The hues' difference and mean go the short way around the circle: `turn` is 1 or -1 where they lie more
    # than half a turn apart, and 0 for opposite hues (eq. 10, 14), also when float32 puts them just beyond.
    # The hue of gray is arbitrary: C1 C2 = 0 cancels it. (torch.where would cost ten additions on a CPU.)
    turn = ((h2 - h1) * (1 - 3e-7)).round()
    hue_difference = 2 * (c1 * c2).sqrt() * torch.sin((h2 - h1 - turn) * math.pi)
    h = (h1 + h2 - turn) / 2
    h = (h - h.floor()) * (2 * math.pi)
    c = (c1 + c2) / 2
    l_50 = ((l1 + l2) / 2 - 50).square()

    t = (
        1
        - 0.17 * torch.cos(h - math.radians(30))
        + 0.24 * torch.cos(2 * h)
        + 0.32 * torch.cos(3 * h + math.radians(6))
        - 0.20 * torch.cos(4 * h - math.radians(63))
    )
    from_blue = ((h - math.radians(275)) / math.radians(25)).square().clamp(max=80)  # subnormal results are slow
    rotation = math.radians(60) * torch.exp(-from_blue)  # 2 Δθ
    lightness = (l2 - l1) / (1 + 0.015 * l_50 / (20 + l_50).sqrt())
    chroma = (c2 - c1) / (1 + 0.045 * c)
    hue = hue_difference / (1 + 0.015 * c * t)
    r_t = -2 * _saturation(c) * torch.sin(rotation)
    square = lightness.square() + chroma.square() + hue.square() + r_t * chroma * hue
    return square.sqrt()  # |r_t| < 1.74 keeps the form positive


def _saturation(chroma: Tensor) -> Tensor:
    """sqrt(C^7 / (C^7 + 25^7)), of eq. 4 and 17."""
    power = (chroma / 25) ** 7
    return (power / (power + 1)).sqrt()


def _hue(a: Tensor, b: Tensor) -> Tensor:
    """Hue in [0, 1] turns, eq. 7."""
    turns = torch.atan2(b, a) / (2 * math.pi)
    return turns - turns.floor()


@full_precision
def colorfulness(rgb: Tensor) -> Tensor:
    """Colorfulness of each picture: 0 not, 15 slightly, 33 moderately, 59 quite, 109 extremely colorful.

    sqrt(σ_rg² + σ_yb²) + 0.3 sqrt(μ_rg² + μ_yb²) with rg = R - G and yb = (R + G) / 2 - B, signed, on
    the scale 0 to 255, and population deviations. Source: Hasler and Süsstrunk, Measuring colourfulness in
    natural images, SPIE 5007 (2003).

    Args:
        rgb: float (B, 3, H, W) in [0, 1].

    Returns:
        float32 (B,), at least 0.

    Raises:
        ValueError: wrong dtype or shape.
    """
    check_images("rgb", rgb, 3)
    red, green, blue = rgb.unbind(1)
    opponents = torch.stack([red - green, (red + green) / 2 - blue], dim=1).flatten(2)  # (B, 2, H W)
    mean = opponents.mean(dim=2)
    deviations = opponents - mean[..., None]
    norm = torch.linalg.vector_norm  # whose gradient, unlike that of sqrt, is finite where there is no colour
    spread: Tensor = norm(deviations, dim=(1, 2)) / deviations.shape[2] ** 0.5
    shift: Tensor = norm(mean, dim=1)
    return 255 * (spread + 0.3 * shift)


def check_pair(first: Tensor, second: Tensor) -> None:
    """Raise a ValueError unless these are two float tensors (B, 3, H, W) of one shape."""
    check_images("The first picture", first, 3)
    check_images("The second picture", second, 3)
    if first.shape != second.shape:
        raise ValueError(f"Two pictures must be of one shape, but are {tuple(first.shape)} and {tuple(second.shape)}.")
