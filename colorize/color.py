"""RGB, gray and CIE Lab of image batches (B, C, H, W), always computed in float32.

Lab is CIE 1976 L*a*b* of sRGB under D65 with the 2° observer: L in [0, 100], a and b of sRGB colours in about
[-108, 99].
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import kornia.color
import torch
from torch import Tensor

P = ParamSpec("P")
R = TypeVar("R")

_LUMINANCE_WEIGHTS = (0.212671, 0.715160, 0.072169)  # of linear sRGB, as kornia has them

AB_SCALE = 110.0
"""a and b divided by this lie within [-1, 1] for every sRGB colour."""


@contextmanager
def _no_tf32() -> Iterator[None]:
    """Convolutions on an NVIDIA GPU in true float32; by default they round their input to 10 bits (TF32)."""
    conv = torch.backends.cudnn.conv  # type: ignore[attr-defined]
    before = conv.fp32_precision
    conv.fp32_precision = "ieee"
    try:
        yield
    finally:
        conv.fp32_precision = before


def full_precision(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function of tensors: it gets float tensors as float32 and runs without autocast and TF32.

    Inside bfloat16 autocast a colour conversion errs by 3 Lab units even when its input is float32; input
    rounded to TF32 costs up to 0.01 in RGB. At least one argument must be a tensor: it names the device.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        device = next(value.device for value in (*args, *kwargs.values()) if isinstance(value, Tensor))
        with torch.autocast(device.type, enabled=False), _no_tf32():
            return function(
                *[_float32(value) for value in args],  # type: ignore[arg-type]
                **{name: _float32(value) for name, value in kwargs.items()},  # type: ignore[arg-type]
            )

    return run


def _float32(value: object) -> object:
    return value.float() if isinstance(value, Tensor) and value.is_floating_point() else value


def check_images(name: str, images: Tensor, channels: int) -> None:
    """Raise a ValueError unless `images` is a float tensor of shape (B, `channels`, H, W)."""
    if not images.is_floating_point() or images.ndim != 4 or images.shape[1] != channels:
        raise ValueError(
            f"{name} must be a float tensor of shape (B, {channels}, H, W), "
            f"but is {images.dtype} of shape {tuple(images.shape)}."
        )


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


_XYZ_OF_WHITE = (0.95047, 1.0, 1.08883)
_XYZ_TO_LINEAR_RGB = (
    (3.2404813432005266, -1.5371515162713185, -0.4985363261688878),
    (-0.9692549499965682, 1.8759900014898907, 0.0415559265582928),
    (0.0556466391351772, -0.2040413383665112, 1.0573110696453443),
)
_LEAST_LIGHT, _MOST_LIGHT = -1e-5, 1 + 1e-4  # of a linear channel; kornia's white has 1 + 8e-5
_HALVINGS = 8


@full_precision
def fit_gamut(lab: Tensor) -> Tensor:
    """Lab whose chroma is lowered, at constant L and hue, until sRGB can show the colour.

    A bisection over the colours out of gamut alone; it leaves at most 0.4 % of the chroma too little. Clipping the
    channels of sRGB instead would change L and hue.

    Args:
        lab: float (B, 3, H, W), L in [0, 100].

    Returns:
        float32 (B, 3, H, W): colours that sRGB has are unchanged bit for bit, the others lie just inside it, within
        0.0002 of [0, 1] in each channel. Needs at its peak about 4 times the memory of `lab`.

    Raises:
        ValueError: wrong dtype or shape.
    """
    check_images("lab", lab, 3)
    luminance, a, b = lab.unbind(1)
    outside = ~_in_srgb(luminance, a, b)
    luminance, a, b = luminance[outside], a[outside], b[outside]
    factor = torch.zeros_like(luminance)
    for halving in range(1, _HALVINGS + 1):
        more = factor + 0.5**halving
        factor = torch.where(_in_srgb(luminance, more * a, more * b), more, factor)
    fitted = lab.clone()
    fitted[:, 1][outside] = factor * a
    fitted[:, 2][outside] = factor * b
    return fitted


def _in_srgb(luminance: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Whether sRGB has the colours, by their linear RGB: the same as kornia's without the costly gamma curve."""
    y = (luminance + 16) / 116
    x, y, z = (_cube(root) for root in (y + a / 500, y, y - b / 200))
    inside = torch.ones_like(x, dtype=torch.bool)
    for row in _XYZ_TO_LINEAR_RGB:
        of_x, of_y, of_z = (weight * white for weight, white in zip(row, _XYZ_OF_WHITE, strict=True))
        channel = (x * of_x).add_(y, alpha=of_y).add_(z, alpha=of_z)
        inside &= (channel >= _LEAST_LIGHT) & (channel <= _MOST_LIGHT)
    return inside


def _cube(root: Tensor) -> Tensor:
    """X / X_white and its like of CIE Lab's f; kornia's constants."""
    return torch.where(root > 0.2068966, root * root * root, (root - 4 / 29) / 7.787)
