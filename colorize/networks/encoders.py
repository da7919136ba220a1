"""Encoders of photographs by name: our EfficientNet-Lite, and those of timm."""

import importlib
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from colorize.errors import MissingExtraError, first_line
from colorize.networks.efficientnet import SCALES, EfficientNetLite
from colorize.registry import did_you_mean

REDUCTIONS = (2, 4, 8, 16, 32)
_PROBE = (64, 96)  # height and width, which no encoder of a fixed size takes


class TimmEncoder(nn.Module):
    """timm's features at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture; 0 channels where it has none.

    Pictures are normalised by the mean and deviation that timm states for the pretrained weights.

    Args:
        name: one of `timm.list_models()`, never an address of a hub or a folder.

    Shape: (B, 3, H, W) in [-1, 1], H and W multiples of 32 -> five tensors (B, `channels[i]`, H / 2**(i+1), W /
    2**(i+1)).

    Raises:
        MissingExtraError: timm is not installed.
        ValueError: no such name, or features that are not at such fractions of pictures of any size.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        timm = import_timm(name)
        _check_name(timm, name)
        reductions, channels = _features(name)
        at = {reduction: index for index, reduction in enumerate(reductions)}  # the last one at each
        self.chosen = [at.get(reduction) for reduction in REDUCTIONS]
        self.channels = [0 if index is None else channels[index] for index in self.chosen]
        self.body: nn.Module = timm.create_model(name, features_only=True, pretrained=False)
        config: Any = self.body.pretrained_cfg
        self.register_buffer("mean", 2 * torch.tensor(config["mean"]) - 1)
        self.register_buffer("std", 2 * torch.tensor(config["std"]))

    def forward(self, x: Tensor) -> list[Tensor]:
        features = self.body((x - self.mean.view(-1, 1, 1)) / self.std.view(-1, 1, 1))
        height, width = x.shape[-2:]
        return [
            features[-1].new_empty(len(x), 0, height // reduction, width // reduction)
            if index is None
            else features[index]
            for reduction, index in zip(REDUCTIONS, self.chosen, strict=True)
        ]


def build_encoder(name: str) -> EfficientNetLite | TimmEncoder:
    """An encoder, without pretrained weights. timm is imported for its own only.

    Args:
        name: "efficientnet_lite0" to "efficientnet_lite4", or one of `timm.list_models()`.

    Raises:
        MissingExtraError, ValueError: as `TimmEncoder`.
    """
    return EfficientNetLite(name) if name in tuple(SCALES) else TimmEncoder(name)


def import_timm(name: str) -> Any:
    """The module timm, which an encoder of that name needs.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return importlib.import_module("timm")
    except ImportError as error:
        raise MissingExtraError(
            f"encoder is {name!r}, which is none of {', '.join(SCALES)}, and any other is timm's: "
            "pip install 'colorize[timm]'."
        ) from error


def _check_name(timm: Any, name: str) -> None:
    """Names may come from a stranger's file, and `timm.create_model` also takes addresses ("hf-hub:...")."""
    known = timm.list_models()
    if name not in known:
        raise ValueError(
            f"encoder is {name!r}, but must be one of {', '.join(SCALES)} or of timm.list_models(): "
            f"{did_you_mean(name, [*SCALES, *known])}timm.list_models('resnet*') lists some"
        )


@cache
def _features(name: str) -> tuple[list[int], list[int]]:
    """Reductions and channels of a timm model's features, which are tried on the meta device: nothing is computed."""
    height, width = _PROBE
    try:
        with torch.device("meta"), torch.no_grad():
            model = importlib.import_module("timm").create_model(name, features_only=True, pretrained=False).eval()
            reductions, channels = model.feature_info.reduction(), model.feature_info.channels()
            shapes = [tuple(feature.shape) for feature in model(torch.empty(1, 3, height, width))]
    except Exception as error:  # timm's models refuse with any
        raise _unsuitable(name, first_line(error).rstrip(".")) from error
    stated = [(1, count, height // by, width // by) for count, by in zip(channels, reductions, strict=True)]
    if shapes != stated or reductions != sorted(reductions) or reductions[-1] != REDUCTIONS[-1]:
        raise _unsuitable(name, f"its shapes at {height}x{width}: {shapes}")
    return reductions, channels


def _unsuitable(name: str, reason: str) -> ValueError:
    return ValueError(
        f"encoder is {name!r}, which does not give features of pictures of any size down to 1/{REDUCTIONS[-1]} "
        f"({reason}): choose another, e.g. resnet18, convnext_atto or mobilenetv3_small_100"
    )
