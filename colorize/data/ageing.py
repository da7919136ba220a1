"""Old photographs: what the years, the lens and the emulsion do to whole batches of pictures, at random, on the device.

Each effect takes a `strength` (B, 1, 1, 1) in [0, 1] for each picture; 0 leaves the picture as it is. Lengths are in
units of 1/128 of the longer side, so that blur, spots and scratches look the same at any size; a grain is a pixel.
"""

import math

import torch
import torch.nn.functional as F
from kornia.filters import gaussian_blur2d
from torch import Generator, Tensor

REC601 = (0.299, 0.587, 0.114)
BLUE_SENSITIVE = (0.1, 0.4, 0.5)
"""About what a plate of before 1900 or an orthochromatic film saw of R, G and B: pale skies, dark skin and lips."""


def age(rgb: Tensor, generator: Generator | None = None) -> Tensor:
    """Gray pictures as if they were old photographs: each with some of the effects, each at a random strength.

    Toning is no effect of its own: a sepia print turned to gray has been through one more tone curve, and fading.

    Args:
        rgb: (B, 3, H, W), uint8, or float in [0, 1]; a gray picture in three equal channels does too.
        generator: on the pictures' device, seeded for an evaluation that is to repeat; None for torch's own.

    Returns:
        float32 (B, 1, H, W) in [0, 1].
    """
    rgb = rgb / 255 if rgb.dtype == torch.uint8 else rgb.float()

    def strength(share: float) -> Tensor:
        """For this share of pictures above 0."""
        drawn, chosen = torch.rand(2, len(rgb), 1, 1, 1, device=rgb.device, generator=generator)
        return torch.where(chosen < share, drawn, 0)

    gray = to_gray(rgb, strength(0.3))
    gray = blur(gray, strength(0.5))
    gray = vignette(gray, strength(0.3), generator)
    gray = harden(gray, strength(0.3), generator)
    gray = tone(gray, strength(0.5), generator)
    gray = grain(gray, strength(0.7), generator)
    gray = stain(gray, strength(0.3), generator)
    gray = fade(gray, strength(0.5), generator)
    gray = spot(gray, strength(0.4), generator)
    gray = scratch(gray, strength(0.3), generator)
    return gray.clamp(0, 1)


def to_gray(rgb: Tensor, strength: Tensor) -> Tensor:
    """Gray as an emulsion sees it: from Rec.601, of strength 0, to `BLUE_SENSITIVE`."""
    red, green, blue = (eye + (seen - eye) * strength for eye, seen in zip(REC601, BLUE_SENSITIVE, strict=True))
    return red * rgb[:, :1] + green * rgb[:, 1:2] + blue * rgb[:, 2:]


def blur(gray: Tensor, strength: Tensor) -> Tensor:
    """A soft lens: a Gaussian of up to 1 unit."""
    unit = _unit(gray)
    sigma = (unit * strength.view(-1, 1)).clamp(min=0.01).expand(-1, 2)
    blurred: Tensor = gaussian_blur2d(gray, 2 * math.ceil(2.5 * unit) + 1, sigma, border_type="replicate")
    return blurred


def vignette(gray: Tensor, strength: Tensor, generator: Generator | None = None) -> Tensor:
    """Corners darker by up to 0.4, or 0.6 far from a centre that lies aside."""
    y, x = _uniform(gray, (2, len(gray), 1, 1, 1), -0.2, 0.2, generator).unbind()
    rows, columns = (torch.linspace(-1, 1, size, device=gray.device) for size in gray.shape[-2:])
    squared = (rows[:, None] - y).square() + (columns - x).square()
    return gray * (1 - 0.2 * strength * squared)


def harden(gray: Tensor, strength: Tensor, generator: Generator | None = None) -> Tensor:
    """Up to 1.6 times the contrast about a random tone: lights are clipped, as by overexposure, or shadows."""
    pivot = _uniform(gray, strength.shape, 0.2, 0.8, generator)
    return (pivot + (gray - pivot) * (1 + 0.6 * strength)).clamp(0, 1)


def tone(gray: Tensor, strength: Tensor, generator: Generator | None = None) -> Tensor:
    """A tone curve, of paper, exposure or toning: a power of up to 1.6, or down to its inverse, of gray in [0, 1]."""
    direction = _uniform(gray, strength.shape, -1, 1, generator).sign()
    return torch.pow(gray.clamp(1e-4, 1), 1.6 ** (strength * direction))


def grain(gray: Tensor, strength: Tensor, generator: Generator | None = None) -> Tensor:
    """Noise with a standard deviation of up to 0.05 in the middle tones, and half of that in black and white."""
    noise = torch.randn(gray.shape, device=gray.device, generator=generator)
    return gray + 0.025 * strength * (1 + 4 * gray * (1 - gray)) * noise


def stain(gray: Tensor, strength: Tensor, generator: Generator | None = None) -> Tensor:
    """Uneven fading: broad patches lighter or darker by up to about 0.15."""
    patches = _uniform(gray, (len(gray), 1, 4, 4), -0.15, 0.15, generator)
    return gray + strength * F.interpolate(patches, gray.shape[-2:], mode="bilinear")


def fade(gray: Tensor, strength: Tensor, generator: Generator | None = None) -> Tensor:
    """Up to 0.45 less contrast: blacks turn gray, or whites, or both."""
    level = _uniform(gray, strength.shape, 0, 1, generator)
    return level + (gray - level) * (1 - 0.45 * strength)


def spot(gray: Tensor, strength: Tensor, generator: Generator | None = None) -> Tensor:
    """Dust: up to 12 round spots of 0.3 to 1.2 units, white or black on gray in [0, 1]."""
    y, x, size, light, chosen = _uniform(gray, (5, len(gray), 12, 1), 0, 1, generator)
    radius = (0.3 + 0.9 * size) * _unit(gray)
    rows, columns = (_count(length, gray) for length in gray.shape[-2:])
    down = torch.exp(-(((rows - y * len(rows)) / radius) ** 2))
    across = torch.exp(-(((columns - x * len(columns)) / radius) ** 2))
    return gray + _sum_of_products((light - 0.5).sign() * (chosen < strength[:, 0]) * down, across)


def scratch(gray: Tensor, strength: Tensor, generator: Generator | None = None) -> Tensor:
    """Up to 3 upright lines down a part of the picture, 0.2 to 0.6 units to a side, lighter or darker by 0.1 to 0.5."""
    top, bottom, x, size, chosen = _uniform(gray, (5, len(gray), 3, 1), 0, 1, generator)
    rows, columns = (_count(length, gray) for length in gray.shape[-2:])
    within = ((rows / len(rows) - top) * (rows / len(rows) - bottom)) < 0
    across = torch.exp(-(((columns - x * len(columns)) / ((0.2 + 0.4 * size) * _unit(gray))) ** 2))
    depth = _uniform(gray, (len(gray), 3, 1), -0.4, 0.4, generator)
    return gray + _sum_of_products((depth + 0.1 * depth.sign()) * (chosen < strength[:, 0]) * within, across)


def _sum_of_products(down: Tensor, across: Tensor) -> Tensor:
    """(B, N, H) and (B, N, W) -> (B, 1, H, W)."""
    return torch.einsum("bnh,bnw->bhw", down, across)[:, None]


def _unit(gray: Tensor) -> float:
    """1/128 of the longer side, in pixels."""
    return max(gray.shape[-2:]) / 128


def _count(length: int, gray: Tensor) -> Tensor:
    return torch.arange(length, device=gray.device, dtype=gray.dtype)


def _uniform(gray: Tensor, shape: tuple[int, ...], low: float, high: float, generator: Generator | None) -> Tensor:
    """Random numbers from `low` to `high`, on the device of `gray`."""
    return low + (high - low) * torch.rand(shape, device=gray.device, generator=generator)
