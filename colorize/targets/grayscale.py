"""Grayscaling: colour to gray."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from colorize.color import rgb_to_gray, to_float
from colorize.targets.base import Batch, Target


@dataclass(frozen=True)
class GrayscaleTarget(Target):
    """The gray of a colour picture (3 -> 1): the pair's own gray file where there is one, else Rec.601."""

    in_channels: ClassVar[int] = 3
    out_channels: ClassVar[int] = 1
    at_full_size: ClassVar[bool] = True

    def see(self, rgb: Tensor) -> Tensor:
        return rgb * 2 - 1

    def target(self, batch: Batch) -> Tensor:
        return to_float(batch["gray"]) if "gray" in batch else rgb_to_gray(to_float(batch["rgb"]))

    def to_rgb(self, x: Tensor, prediction: Tensor) -> Tensor:
        return prediction.float().clamp(0, 1).expand(-1, 3, -1, -1)

    def truth(self, batch: Batch) -> Tensor:
        return self.target(batch).expand(-1, 3, -1, -1)
