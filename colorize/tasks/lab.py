"""Luminance to ab, in CIE Lab."""

import torch
from torch import Tensor

from colorize.color import AB_SCALE, lab_to_rgb, rgb_to_lab, to_float
from colorize.tasks.base import Batch, Task


class LabTask(Task):
    """Predicts ab (1 -> 2) and keeps the luminance L of the picture.

    The network sees L / 50 - 1 and says ab / 110, bounded to (-1, 1) by tanh so that no colour runs away.
    """

    in_channels = 1
    out_channels = 2

    def pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        lab = rgb_to_lab(to_float(batch["rgb"]))
        return lab[:, :1] / 50 - 1, lab[:, 1:] / AB_SCALE

    def bound(self, output: Tensor) -> Tensor:
        return torch.tanh(output)

    def to_rgb(self, x: Tensor, prediction: Tensor) -> Tensor:
        return lab_to_rgb(torch.cat([(x + 1) * 50, prediction * AB_SCALE], dim=1))
