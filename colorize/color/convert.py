"""RGB, gray and CIE Lab of image batches (B, C, H, W), always computed in float32.

Lab is CIE 1976 L*a*b* of sRGB under D65 with the 2° observer: L in [0, 100], a and b of sRGB colours in about
[-108, 99].
"""

import kornia.color
import torch
from torch import Tensor

from colorize.color.precision import check_images, full_precision

_LUMINANCE_WEIGHTS = (0.212671, 0.715160, 0.072169)  # of linear sRGB, as kornia has them

AB_SCALE = 110.0
"""a and b divided by this lie within [-1, 1] for every sRGB colour."""


def to_float(images: Tensor) -> Tensor:
    """Images (B, C, H, W) as float32 in [0, 1]: uint8 is divided by 255, float is taken to be in [0, 1] already.

    Raises:
        ValueError: another dtype, or not four dimensions.
    """
    if images.ndim != 4 or not (images.dtype == torch.uint8 or images.is_floating_point()):
        raise ValueError(
            f"Images must be a uint8 or float tensor of shape (B, C, H, W), "
            f"but are {images.dtype} of shape {tuple(images.shape)}."
        )
    return images / 255 if images.dtype == torch.uint8 else images.float()


@full_precision
def rgb_to_gray(rgb: Tensor) -> Tensor:
    """Gray .299 R + .587 G + .114 B (ITU-R BT.601), as OpenCV and Pillow compute it.

    Args:
        rgb: float (B, 3, H, W) in [0, 1].

    Returns:
        float32 (B, 1, H, W) in [0, 1].

    Raises:
        ValueError: wrong dtype or shape.
    """
    check_images("rgb", rgb, 3)
    gray: Tensor = kornia.color.rgb_to_grayscale(rgb)
    return gray


@full_precision
def rgb_to_lab(rgb: Tensor) -> Tensor:
    """sRGB to CIE Lab (kornia, after scikit-image).

    Args:
        rgb: float (B, 3, H, W) in [0, 1].

    Returns:
        float32 (B, 3, H, W): L in [0, 100], a and b of gray within 0.005 of 0.

    Raises:
        ValueError: wrong dtype or shape.
    """
    check_images("rgb", rgb, 3)
    lab: Tensor = kornia.color.rgb_to_lab(rgb)
    return lab


@full_precision
def luminance(rgb: Tensor) -> Tensor:
    """The L of CIE Lab alone, as `rgb_to_lab` gives it, at a fraction of its cost.

    Args:
        rgb: float (B, 3, H, W) in [0, 1], or (B, 1, H, W): gray.

    Returns:
        float32 (B, 1, H, W) in [0, 100].

    Raises:
        ValueError: wrong dtype or shape.
    """
    check_images("rgb", rgb, 1 if rgb.ndim == 4 and rgb.shape[1] == 1 else 3)
    linear = torch.where(rgb > 0.04045, ((rgb + 0.055) / 1.055).pow(2.4), rgb / 12.92)
    if linear.shape[1] == 3:
        linear = (linear * linear.new_tensor(_LUMINANCE_WEIGHTS)[:, None, None]).sum(dim=1, keepdim=True)
    return 116 * torch.where(linear > 0.008856, linear.clamp(min=1e-9).pow(1 / 3), 7.787 * linear + 4 / 29) - 16


@full_precision
def lab_to_rgb(lab: Tensor, clip: bool = True) -> Tensor:
    """CIE Lab to sRGB (kornia, after scikit-image).

    Args:
        lab: float (B, 3, H, W), L in [0, 100].
        clip: bring each channel into [0, 1]. Not for a loss: where it clips, its gradient is zero.

    Returns:
        float32 (B, 3, H, W), in [0, 1] if clipped; colours outside of sRGB lie beyond otherwise.

    Raises:
        ValueError: wrong dtype or shape.
    """
    check_images("lab", lab, 3)
    rgb: Tensor = kornia.color.lab_to_rgb(lab, clip=clip)
    return rgb
