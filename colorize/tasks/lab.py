"""Luminance to ab, in CIE Lab."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from colorize.color import AB_SCALE, lab_to_rgb, luminance, rgb_to_gray, rgb_to_lab, to_float
from colorize.errors import ColorizeError
from colorize.tasks.base import Batch, Task


class LabTask(Task):
    """Predicts ab (1 -> 2) and keeps the luminance L of the picture.

    The network sees L / 50 - 1 and says ab / 110, bounded to (-1, 1) by tanh so that no colour runs away.

    Args:
        network, loss, optimizer, scheduler: see `Task`.
        loss_space: what the loss compares: "ab" (ab / 110), or "rgb": the picture, unclipped, which the metrics see;
            there the same step in ab counts more where the picture is bright.
        luminance: the L that is seen and kept: "lab", the colour picture's own, or "gray", that of its Rec.601 gray:
            what a photograph that was made gray has. They differ by several units in strong colours.
    """

    in_channels = 1
    out_channels = 2

    def __init__(
        self,
        network: Mapping[str, Any],
        loss: Mapping[str, Any],
        optimizer: Mapping[str, Any],
        scheduler: Mapping[str, Any] | None = None,
        loss_space: str = "ab",
        luminance: str = "lab",
    ) -> None:
        if loss_space not in ("ab", "rgb"):
            raise ColorizeError(f"model.loss_space is {loss_space!r}, but must be ab or rgb.")
        if luminance not in ("lab", "gray"):
            raise ColorizeError(f"model.luminance is {luminance!r}, but must be lab or gray.")
        super().__init__(network, loss, optimizer, scheduler)
        self.loss_space = loss_space
        self.luminance = luminance

    def pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        rgb = to_float(batch["rgb"])
        lab = rgb_to_lab(rgb)
        seen = lab[:, :1] if self.luminance == "lab" else luminance(rgb_to_gray(rgb))
        return seen / 50 - 1, lab[:, 1:] / AB_SCALE if self.loss_space == "ab" else rgb

    def compare(self, x: Tensor, prediction: Tensor, y: Tensor) -> Tensor:
        if self.loss_space == "rgb":
            prediction = lab_to_rgb(self._lab(x, prediction), clip=False)
        return super().compare(x, prediction, y)

    def bound(self, output: Tensor) -> Tensor:
        return torch.tanh(output)

    def to_rgb(self, x: Tensor, prediction: Tensor) -> Tensor:
        return lab_to_rgb(self._lab(x, prediction))

    def to_ab(self, x: Tensor, prediction: Tensor) -> Tensor:
        return prediction.float() * AB_SCALE

    @staticmethod
    def _lab(x: Tensor, ab: Tensor) -> Tensor:
        return torch.cat([(x + 1) * 50, ab * AB_SCALE], dim=1)
