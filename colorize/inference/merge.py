"""A photograph's luminance joined with the colours of a small picture."""

import numpy as np
import torch
from torch import Tensor

from colorize.color import fit_gamut, lab_to_rgb, luminance
from colorize.color.upsample import guide, upsample_ab
from colorize.images import Pixels
from colorize.images.photograph import strips


@torch.inference_mode()
def merge_pixels(pixels: Pixels, small: Tensor, ab: Tensor, saturation: float, device: torch.device) -> Pixels:
    """Pixels with the colours of the small picture, strip by strip: (H, W, 3) in their depth.

    Args:
        pixels: (H, W) or (H, W, 3), uint8 or uint16.
        small: the same picture, float RGB (3, h, w) in [0, 1].
        ab: its colours, (2, h, w), in Lab units.
        saturation: factor on ab.
        device: on which it is done.
    """
    height, width = pixels.shape[:2]
    white = np.iinfo(pixels.dtype).max
    coefficients = guide(luminance(small[None].to(device)), ab[None].to(device))
    picture = np.empty((height, width, 3), pixels.dtype)
    for rows in strips(height, width):
        strip = luminance(pixels_as_float(pixels[rows]).to(device))
        rgb = _with_colors(strip, upsample_ab(coefficients, strip, rows.start, height) * saturation)
        picture[rows] = (rgb[0].permute(1, 2, 0) * white).round().cpu().numpy()
    return picture


@torch.inference_mode()
def merge_batch(rgb: Tensor, small: Tensor, ab: Tensor, saturation: float) -> Tensor:
    """The same of a batch on one device: float RGB (B, 3, H, W), small (B, 3, h, w), ab (B, 2, h, w)."""
    full = luminance(rgb)
    return _with_colors(full, upsample_ab(guide(luminance(small), ab), full) * saturation)


def _with_colors(luminance: Tensor, ab: Tensor) -> Tensor:
    """RGB (B, 3, H, W) of L (B, 1, H, W) and ab (B, 2, H, W), which is brought into gamut."""
    return lab_to_rgb(fit_gamut(torch.cat([luminance, ab], dim=1)))


def pixels_as_float(pixels: Pixels) -> Tensor:
    """(H, W) or (H, W, 3) as float32 (1, 1 or 3, H, W) in [0, 1]."""
    values = torch.from_numpy(pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max))
    return values[None, None] if values.ndim == 2 else values.permute(2, 0, 1)[None]
