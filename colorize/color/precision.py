"""Colour maths in float32, whatever precision the network around it has."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor

P = ParamSpec("P")
R = TypeVar("R")


def full_precision(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function of tensors: it gets float tensors as float32 and runs without autocast.

    Inside bfloat16 autocast a colour conversion errs by 3 Lab units even when its input is float32. The function must
    not use convolutions, whose input an NVIDIA GPU rounds to TF32 (up to 0.01 in RGB): the switch for that is one for
    the whole process. At least one argument must be a tensor: it names the device.
    """

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        device = next(value.device for value in (*args, *kwargs.values()) if isinstance(value, Tensor))
        with torch.autocast(device.type, enabled=False):
            return function(
                *[_float32(value) for value in args],  # type: ignore[arg-type]
                **{name: _float32(value) for name, value in kwargs.items()},  # type: ignore[arg-type]
            )

    return wrapped


def _float32(value: object) -> object:
    return value.float() if isinstance(value, Tensor) and value.is_floating_point() else value


def check_images(name: str, images: Tensor, channels: int) -> None:
    """Raise a ValueError unless `images` is a float tensor of shape (B, `channels`, H, W)."""
    if not images.is_floating_point() or images.ndim != 4 or images.shape[1] != channels:
        raise ValueError(
            f"{name} must be a float tensor of shape (B, {channels}, H, W), "
            f"but is {images.dtype} of shape {tuple(images.shape)}."
        )
