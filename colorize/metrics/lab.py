"""How near a coloured picture is to the truth in CIE Lab, and how much of a prediction sRGB cannot show."""

import math
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from colorize.color import AB_SCALE, delta_e, full_precision, in_gamut, rgb_to_lab
from colorize.color.bins import FURTHEST, ab_cells

_CELLS = 2 * FURTHEST + 1  # of one Lab unit, centred at the integers of [-110, 110]
_DIRECTIONS = 16


class _LabDifference(Metric):
    """The sums over an epoch that `DeltaE`, `PSNRab` and `SlicedWasserstein` are computed from.

    One class gathers them all, so that a collection converts the pictures to Lab once for the three metrics.
    """

    is_differentiable = False
    full_state_update = False
    difference: Tensor
    ab_error: Tensor
    predicted_ab: Tensor
    true_ab: Tensor
    pixels: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("difference", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("ab_error", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("predicted_ab", torch.zeros(_CELLS, _CELLS, dtype=torch.long), dist_reduce_fx="sum")
        self.add_state("true_ab", torch.zeros(_CELLS, _CELLS, dtype=torch.long), dist_reduce_fx="sum")
        self.add_state("pixels", torch.tensor(0), dist_reduce_fx="sum")

    @full_precision
    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Add RGB pictures, float (B, 3, H, W) in [0, 1]."""
        predicted, true = rgb_to_lab(prediction), rgb_to_lab(target)
        difference = delta_e(predicted, true)
        self.difference += difference.sum()
        self.ab_error += (predicted[:, 1:] - true[:, 1:]).square().sum()
        self.predicted_ab += ab_histogram(predicted)
        self.true_ab += ab_histogram(true)
        self.pixels += difference.numel()


class DeltaE(_LabDifference):
    """Mean CIEDE2000 difference over all pixels of the epoch, see `delta_e`."""

    higher_is_better = False

    def compute(self) -> Tensor:
        return self.difference / self.pixels


class PSNRab(_LabDifference):
    """Peak signal-to-noise ratio of the colours alone, in dB: 10 log10(220² / mse of a and b).

    The mse is the mean over all pixels of the epoch and both channels, as `psnr` pools it. The peak, 220, is the width
    of [-110, 110] (`AB_SCALE`), the range of a and b: that of ab brought into [0, 1], whose peak is 1 as in `psnr`.
    Infinite for perfect colours; the L of the pictures does not count.
    """

    higher_is_better = True

    def compute(self) -> Tensor:
        return 10 * torch.log10((2 * AB_SCALE) ** 2 * 2 * self.pixels / self.ab_error)


class SlicedWasserstein(_LabDifference):
    """Sliced Wasserstein-1 distance of the epoch's ab histograms, predictions against truths, in Lab units.

    The earth mover's distance along a line, averaged over lines: see `sliced_wasserstein`. All pixels of the epoch
    make one histogram, so it compares which colours there are, not where they are.
    """

    higher_is_better = False

    def compute(self) -> Tensor:
        distance = sliced_wasserstein(self.predicted_ab, self.true_ab)
        return distance.where(self.ab_error.isfinite(), torch.nan)  # a histogram has no cell for what is no number


class OutOfGamut(Metric):
    """Share of the predicted pixels, in [0, 1], that sRGB cannot show, before they are brought into gamut."""

    higher_is_better = None
    is_differentiable = False
    full_state_update = False
    outside: Tensor
    pixels: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("outside", torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("pixels", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, prediction: Tensor, target: Tensor, lab: Tensor | None = None) -> None:
        """Add predictions.

        Args:
            prediction, target: RGB pictures, float (B, 3, H, W) in [0, 1].
            lab: the prediction before it became a picture, CIE Lab, float (B, 3, H, W), L in [0, 100]; None for
                pictures that were never anything but RGB, such as the gray floor: all of them is in gamut.
        """
        if lab is not None:
            self.outside += (~in_gamut(lab)).sum()
        self.pixels += prediction[:, 0].numel()

    def compute(self) -> Tensor:
        return self.outside / self.pixels


def ab_histogram(lab: Tensor) -> Tensor:
    """How many pixels of Lab pictures, float (B, 3, H, W), have each colour: int64 (221, 221). NaN counts as 0.

    Cells are squares of one Lab unit; `[110 + a, 110 + b]` is centred at the integers a and b in [-110, 110].
    """
    return torch.bincount(ab_cells(lab[:, 1:]).flatten(), minlength=_CELLS**2).view(_CELLS, _CELLS)


def sliced_wasserstein(first: Tensor, second: Tensor) -> Tensor:
    """Sliced Wasserstein-1 distance of two histograms from `ab_histogram`, in Lab units.

    Both are normalised to 1 and projected on 16 lines through gray, at equal angles. On a line, the least work that
    makes one distribution of the other is the area between their cumulative distributions; the result is the mean
    over the lines. So moving every colour by t costs 2/π |t|, within 0.4 %. Cells count at their centres, which moves
    each colour by at most 0.7. Sources: Rabin, Peyré, Delon, Bernot, Wasserstein barycenter and its application to
    texture mixing, SSVM 2011; Bonneel, Rabin, Peyré, Pfister, Sliced and Radon Wasserstein barycenters of measures,
    Journal of Mathematical Imaging and Vision 51 (2015).

    Args:
        first, second: counts, (221, 221).

    Returns:
        A float32 scalar, at least 0, on the device of `first`; NaN where one of them is empty.
    """
    device = first.device
    counts = first.cpu().double(), second.cpu().double()  # in float64, which not every device has
    first, second = (each / each.sum() for each in counts)
    cells = (first + second).nonzero()
    mass = (first - second)[cells[:, 0], cells[:, 1]]
    angles = torch.arange(_DIRECTIONS, dtype=torch.double) * (math.pi / _DIRECTIONS)
    lines = torch.stack([angles.cos(), angles.sin()], dim=1)
    position, order = (lines @ (cells - FURTHEST).double().T).sort(dim=1)
    area = mass[order].cumsum(dim=1)[:, :-1].abs() * position.diff(dim=1)
    return area.sum(dim=1).mean().float().to(device)
