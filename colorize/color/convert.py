"""RGB, gray and CIE Lab of image batches (B, C, H, W), always computed in float32.

Lab is CIE 1976 L*a*b* of sRGB under D65 with the 2° observer: L in [0, 100], a and b of sRGB colours in about
[-108, 99].
"""

import torch
from torch import Tensor

from colorize.color.precision import check_images, full_precision

Matrix = tuple[tuple[float, float, float], ...]

WHITE_XYZ = (0.95047, 1.0, 1.08883)  # D65; the matrices are kornia's and scikit-image's
RGB_TO_XYZ: Matrix = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
XYZ_TO_RGB: Matrix = (
    (3.2404813432005266, -1.5371515162713185, -0.4985363261688878),
    (-0.9692549499965682, 1.8759900014898907, 0.0415559265582928),
    (0.0556466391351772, -0.2040413383665112, 1.0573110696453443),
)

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
    red, green, blue = rgb[:, :1], rgb[:, 1:2], rgb[:, 2:]
    return 0.299 * red + 0.587 * green + 0.114 * blue


@full_precision
def rgb_to_lab(rgb: Tensor) -> Tensor:
    """sRGB to CIE Lab, as kornia and scikit-image compute it.

    Args:
        rgb: float (B, 3, H, W) in [0, 1].

    Returns:
        float32 (B, 3, H, W): L in [0, 100], a and b of gray within 0.005 of 0.

    Raises:
        ValueError: wrong dtype or shape.
    """
    check_images("rgb", rgb, 3)
    xyz = _multiply(RGB_TO_XYZ, _to_linear(rgb))
    x, y, z = (_root(channel / white) for channel, white in zip(xyz, WHITE_XYZ, strict=True))
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


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
    linear = _to_linear(rgb)
    if linear.shape[1] == 3:
        linear = _multiply(RGB_TO_XYZ[1:2], linear)[0][:, None]
    return 116 * _root(linear) - 16


@full_precision
def lab_to_rgb(lab: Tensor, clip: bool = True) -> Tensor:
    """CIE Lab to sRGB, as kornia and scikit-image compute it.

    Args:
        lab: float (B, 3, H, W), L in [0, 100].
        clip: bring each channel into [0, 1]. Not for a loss: where it clips, its gradient is zero.

    Returns:
        float32 (B, 3, H, W), in [0, 1] if clipped; colours outside of sRGB lie beyond otherwise.

    Raises:
        ValueError: wrong dtype or shape.
    """
    check_images("lab", lab, 3)
    lightness, a, b = lab.unbind(1)
    y = (lightness + 16) / 116
    x, z = y + a / 500, (y - b / 200).clamp(min=0)
    xyz = [cube(root) * white for root, white in zip((x, y, z), WHITE_XYZ, strict=True)]
    rgb = _from_linear(torch.stack(_multiply(XYZ_TO_RGB, torch.stack(xyz, dim=1)), dim=1))
    return rgb.clamp(0, 1) if clip else rgb


def _to_linear(rgb: Tensor) -> Tensor:
    """The light of sRGB's values, IEC 61966-2-1."""
    return torch.where(rgb > 0.04045, ((rgb + 0.055) / 1.055).pow(2.4), rgb / 12.92)


def _from_linear(light: Tensor) -> Tensor:
    """The inverse of `_to_linear`, with a finite gradient everywhere."""
    return torch.where(light > 0.0031308, 1.055 * light.clamp(min=0.0031308).pow(1 / 2.4) - 0.055, 12.92 * light)


def _multiply(matrix: Matrix, images: Tensor) -> list[Tensor]:
    """Each row of the matrix times the three channels, (B, H, W); sums of pixels, which TF32 does not round."""
    first, second, third = images.unbind(1)
    return [first * row[0] + second * row[1] + third * row[2] for row in matrix]


def _root(light: Tensor) -> Tensor:
    """f(t) of CIE Lab: the cube root, and a line near black."""
    return torch.where(light > 0.008856, light.clamp(min=0.008856).pow(1 / 3), 7.787 * light + 4 / 29)


def cube(root: Tensor) -> Tensor:
    """The inverse of `_root`."""
    return torch.where(root > 0.2068966, root * root * root, (root - 4 / 29) / 7.787)
