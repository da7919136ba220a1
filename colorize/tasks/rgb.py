"""RGB targets: gray to colour, and colour to itself."""

from torch import Tensor

from colorize.color import rgb_to_gray, to_float
from colorize.tasks.base import Batch, Task


class RGBTask(Task):
    """Predicts the RGB picture from its gray (1 -> 3). The network sees gray in [-1, 1] and says RGB in [0, 1]."""

    in_channels = 1
    out_channels = 3

    def pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        rgb = to_float(batch["rgb"])
        return rgb_to_gray(rgb) * 2 - 1, rgb

    def to_rgb(self, x: Tensor, prediction: Tensor) -> Tensor:
        return prediction.float().clamp(0, 1)


class ReconstructionTask(RGBTask):
    """Predicts the RGB picture from itself (3 -> 3): a plain autoencoder."""

    in_channels = 3

    def pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        rgb = to_float(batch["rgb"])
        return rgb * 2 - 1, rgb
