"""RGB: gray to colour, and colour to itself."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from colorize.color import rgb_to_gray, to_float
from colorize.targets.base import Batch, Target


@dataclass(frozen=True)
class RGBTarget(Target):
    """The RGB picture of its Rec.601 gray (1 -> 3). The network sees gray in [-1, 1] and predicts RGB in [0, 1]."""

    in_channels: ClassVar[int] = 1
    out_channels: ClassVar[int] = 3

    def see(self, rgb: Tensor) -> Tensor:
        return rgb_to_gray(rgb) * 2 - 1

    def target(self, batch: Batch) -> Tensor:
        return to_float(batch["rgb"])

    def to_rgb(self, x: Tensor, prediction: Tensor) -> Tensor:
        return prediction.float().clamp(0, 1)


@dataclass(frozen=True)
class ReconstructionTarget(RGBTarget):
    """The RGB picture of itself (3 -> 3): a plain autoencoder."""

    in_channels: ClassVar[int] = 3

    def see(self, rgb: Tensor) -> Tensor:
        return rgb * 2 - 1
