"""Luminance to a distribution over colours: bins of the ab plane of CIE Lab."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from colorize.color import AB_SCALE
from colorize.color.bins import annealed_mean, bin_centers, color_deviation, color_noise
from colorize.errors import ColorizeError
from colorize.networks import Network
from colorize.networks.base import enlarge
from colorize.targets.base import Target
from colorize.targets.lab import LabTarget

_SAMPLE_TEMPERATURE = 0.5


@dataclass(frozen=True)
class LabBinsTarget(LabTarget):
    """One logit for each bin of ab (1 -> Q), at the network's own resolution (Zhang, Isola, Efros 2016).

    The network sees what it sees for a `LabTarget`, and its luminance is kept. A picture's colours are the annealed
    mean of the distribution.

    Args:
        luminance: see `LabTarget`.
        grid: width and height of a bin, a whole number of 4 to 50 Lab units; 10 makes 225 bins.
        temperature: of the annealed mean: 1 is the mean of the distribution, near 0 its likeliest colour.
    """

    grid: int = 10
    temperature: float = 0.38
    bins_from: ClassVar[int] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.grid, int) or not 4 <= self.grid <= 50:
            raise ColorizeError(f"model.grid is {self.grid!r}, but must be a whole number from 4 to 50.")
        number = isinstance(self.temperature, int | float) and not isinstance(self.temperature, bool)
        if not number or not 0 < self.temperature <= 10:
            raise ColorizeError(f"model.temperature is {self.temperature!r}, but must be above 0 and at most 10.")

    @property
    def out_channels(self) -> int:
        return self.bins_from + len(bin_centers(self.grid))

    def bound(self, output: Tensor) -> Tensor:
        return output

    def predict(self, network: Network, x: Tensor) -> Tensor:
        """The prediction of `network` for an input (B, 1, H, W): (B, out_channels, h, w), at its own resolution."""
        return self.bound(network.forward_coarse(x))

    def logits(self, prediction: Tensor) -> Tensor:
        """Those of the bins: (B, Q, h, w) of (B, out_channels, h, w)."""
        return prediction[:, self.bins_from :]

    def decode(self, prediction: Tensor, temperature: float | None = None, seed: int | None = None) -> Tensor:
        """The colours of a prediction (B, out_channels, h, w): ab (B, 2, h, w).

        Args:
            prediction: as from `predict`.
            temperature: instead of the target's own, or for a sample instead of that and at most 0.5.
            seed: for one of several plausible colourings, in which the same things have the same colours; None for the
                likeliest.
        """
        centers = bin_centers(self.grid).to(prediction.device)
        logits = self.logits(prediction).float()
        temperature = self.temperature_of(temperature, seed)
        if seed is not None:  # the sharpened distribution is what is sampled, not the noise sharpened
            logits = logits + temperature * color_noise(self.grid, seed).to(logits.device)[:, None, None]
        return annealed_mean(logits, centers, temperature)

    def temperature_of(self, given: float | None, seed: int | None) -> float:
        """The temperature to decode at: the given one, else the target's own, for a sample at most 0.5."""
        if given is not None:
            return given
        return self.temperature if seed is None else min(self.temperature, _SAMPLE_TEMPERATURE)

    def to_ab(self, x: Tensor, prediction: Tensor, temperature: float | None = None, seed: int | None = None) -> Tensor:
        return _as_large_as(x, self.decode(prediction, temperature, seed))

    def deviation(self, x: Tensor, prediction: Tensor) -> Tensor:
        """How unsure a prediction is: the standard deviation of its colours, in Lab units, (B, 1, H, W)."""
        return _as_large_as(x, color_deviation(self.logits(prediction).float(), bin_centers(self.grid).to(x.device)))


@dataclass(frozen=True)
class LabHybridTarget(LabBinsTarget):
    """ab and the logits of its bins side by side (1 -> 2 + Q): the mean by regression, how it may vary by the bins.

    At a temperature of 1 the colours are those of the regression; below it they move as the annealed mean of the bins
    moves away from their mean.

    Args:
        luminance, grid: see `LabBinsTarget`.
        temperature: see above.
    """

    temperature: float = 1.0
    bins_from: ClassVar[int] = 2

    def decode(self, prediction: Tensor, temperature: float | None = None, seed: int | None = None) -> Tensor:
        regressed = prediction[:, :2].float().tanh() * AB_SCALE
        temperature = self.temperature_of(temperature, seed)
        if temperature == 1 and seed is None:
            return regressed
        return regressed + super().decode(prediction, temperature, seed) - super().decode(prediction, 1.0)


def regresses_ab(target: Target) -> bool:
    """Whether the first two channels of a prediction are a and b: of a `LabTarget` and of a `LabHybridTarget`."""
    return isinstance(target, LabTarget) and (not isinstance(target, LabBinsTarget) or target.bins_from == 2)


def _as_large_as(x: Tensor, coarse: Tensor) -> Tensor:
    """(B, C, h, w) enlarged to the height and width of an input (B, 1, H, W).

    The network's stride is taken to be H / h or W / w rounded up. For a stride above 2 that may be too small where
    both h and w are below it.
    """
    height, width = x.shape[-2:]
    stride = max(-(-height // coarse.shape[-2]), -(-width // coarse.shape[-1]))
    return enlarge(coarse, stride, (height, width))
