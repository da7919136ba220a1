"""Luminance to ab, in CIE Lab."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from colorize.color import AB_SCALE, lab_to_rgb, luminance, rgb_to_gray, rgb_to_lab, to_float
from colorize.color.chroma import ab_to_chroma, add_chroma
from colorize.errors import ColorizeError
from colorize.targets.base import Batch, Target


@dataclass(frozen=True)
class LabTarget(Target):
    """ab (1 -> 2) on the luminance L of the picture, which is kept.

    The network sees L / 50 - 1 and predicts ab / 110, bounded to (-1, 1) by tanh so that no colour runs away.

    Args:
        luminance: the L that is seen and kept: "gray", that of the Rec.601 gray, which is what a gray photograph has
            and the floor shows; or "lab", the colour picture's own. They differ by several units in strong colours.
    """

    luminance: str = "gray"
    in_channels: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.luminance not in ("gray", "lab"):
            raise ColorizeError(f"model.luminance is {self.luminance!r}, but must be gray or lab.")

    @property
    def out_channels(self) -> int:
        return 2

    def see(self, rgb: Tensor) -> Tensor:
        return luminance(rgb if self.luminance == "lab" else rgb_to_gray(rgb)) / 50 - 1

    def target(self, batch: Batch) -> Tensor:
        return rgb_to_lab(to_float(batch["rgb"]))[:, 1:] / AB_SCALE

    def bound(self, output: Tensor) -> Tensor:
        return torch.tanh(output)

    @torch.no_grad()
    def to_rgb(self, x: Tensor, prediction: Tensor) -> Tensor:
        """The picture, without a gradient; with luminance "gray" as photographs are coloured: gray and chroma of ab."""
        lab = self.to_lab(x, prediction)
        if self.luminance == "lab":
            return lab_to_rgb(lab)
        gray = lab_to_rgb(torch.cat([lab[:, :1], torch.zeros_like(lab[:, 1:])], dim=1))[:, :1]
        return torch.cat(add_chroma(gray, ab_to_chroma(gray, lab[:, 1:])), dim=1).clamp_(0, 1)

    def to_ab(self, x: Tensor, prediction: Tensor) -> Tensor:
        return prediction.float() * AB_SCALE

    def to_lab(self, x: Tensor, prediction: Tensor) -> Tensor:
        """CIE Lab (B, 3, H, W) of an input and a prediction, which need not be in gamut."""
        return torch.cat([(x + 1) * 50, self.to_ab(x, prediction)], dim=1)
