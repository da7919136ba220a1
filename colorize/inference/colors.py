"""The colours that a network predicts for small pictures, other plausible ones, and how unsure it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from colorize.errors import ColorizeError
from colorize.images import Pixels
from colorize.targets import LabBinsTarget, Target

HIGHEST_TEMPERATURE = 10.0
WHITE_DEVIATION = 50.0
"""The standard deviation, in Lab units, at and above which a map of uncertainty is white."""


@dataclass(frozen=True)
class Colors:
    """Colours in CIE Lab units, of a batch of small pictures or, without the B, of one.

    Attributes:
        ab: those of its picture, (B, 2, h, w).
        samples: N other plausible colourings, (B, N, 2, h, w); in each the same things have the same colour.
        deviation: how unsure the network is, the standard deviation of its colours, (B, 1, h, w); None if not asked.
    """

    ab: Tensor
    samples: Tensor
    deviation: Tensor | None = None

    def map(self, function: Callable[..., Tensor], *others: Colors) -> Colors:
        """`function` applied to each tensor, together with the same tensor of each of `others`."""
        return Colors(
            function(self.ab, *(other.ab for other in others)),
            function(self.samples, *(other.samples for other in others)),
            None if self.deviation is None else function(self.deviation, *(other.deviation for other in others)),
        )

    def __getitem__(self, number: int) -> Colors:
        """Those of one picture of the batch."""
        return self.map(lambda values: values[number])


def apply_gains(ab: Tensor, chroma_gain: float, cast_gain: float) -> Tensor:
    """ab (..., h, w) times `chroma_gain`; its mean over the picture, the cast, times `cast_gain` too.

    What all of a picture has in common is the least sure of its colours: a gray room is wrong with a little of it.
    """
    return (ab + (cast_gain - 1) * ab.mean((-2, -1), keepdim=True)) * chroma_gain


def decode_colors(
    target: Target, x: Tensor, prediction: Tensor, temperature: float | None, samples: int, uncertainty: bool
) -> Colors:
    """The colours of an input (B, C, h, w) and a prediction.

    Args:
        target: passes `check_distribution`.
        x, prediction: the input, and the network's prediction for it, in any precision; of many channels only those
            that are asked for become float32.
        temperature: of the annealed mean; None for the target's own.
        samples: how many; their seeds are 1, 2, ..., so that a sample is the same however many are asked for.
        uncertainty: whether the deviation is asked for.
    """
    if not isinstance(target, LabBinsTarget):
        ab = target.to_ab(x, prediction.float())
        return Colors(ab, samples=ab.new_empty(len(ab), 0, *ab.shape[1:]))
    seeds = (None, *range(1, samples + 1))
    colorings = torch.stack([target.to_ab(x, prediction, temperature, seed) for seed in seeds], dim=1)
    return Colors(colorings[:, 0], colorings[:, 1:], target.deviation(x, prediction) if uncertainty else None)


def check_distribution(
    target: Target, temperature: float | None = None, samples: int = 0, uncertainty: bool = False
) -> None:
    """Whether a target can do what is asked of it.

    Raises:
        ColorizeError: the target has one colour for each pixel and no distribution, or a temperature out of range.
    """
    asked = {"temperature": temperature, "samples": samples or None, "uncertainty": uncertainty or None}
    words = " and ".join(f"{name}={value}" for name, value in asked.items() if value is not None)
    if not words:
        return
    if not isinstance(target, LabBinsTarget):
        gray = target.at_full_size
        reason = "take colour away" if gray else "say one colour for each pixel and no distribution"
        remedy = ", or saturation=1.3 for stronger colour" if temperature is not None and not gray else ""
        raise ColorizeError(
            f"{words} cannot be had from these weights, which {reason}: "
            f"use weights trained with model=lab_bins or model=lab_hybrid{remedy}."
        )
    if temperature is not None and not 0 < temperature <= HIGHEST_TEMPERATURE:
        raise ColorizeError(
            f"temperature={temperature} is not possible: give a number above 0 and at most {HIGHEST_TEMPERATURE:g}."
        )


def draw_uncertainty(deviation: Tensor, height: int, width: int) -> Pixels:
    """A map of the deviation (1, h, w) at the size of the photograph: uint8 (height, width).

    Black is sure, white a deviation of `WHITE_DEVIATION` Lab units or more; enlarged bilinearly.
    """
    values = (deviation[0] * (255 / WHITE_DEVIATION)).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
    return np.asarray(Image.fromarray(values).resize((width, height), Image.Resampling.BILINEAR))
