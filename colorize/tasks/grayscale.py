"""Grayscaling: colour to gray."""

from torch import Tensor
from torchmetrics import MetricCollection

from colorize.color import rgb_to_gray, to_float
from colorize.metrics import gray_metrics
from colorize.tasks.base import Batch, Task


class GrayscaleTask(Task):
    """Learns the gray of a colour picture (3 -> 1): the pair's own gray file where there is one, else Rec.601.

    Its floor is the plain mean of R, G and B, which knows nothing of how bright each of them looks.
    """

    in_channels = 3
    out_channels = 1

    def pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        rgb = to_float(batch["rgb"])
        gray = to_float(batch["gray"]) if "gray" in batch else rgb_to_gray(rgb)
        return rgb * 2 - 1, gray

    def to_rgb(self, x: Tensor, prediction: Tensor) -> Tensor:
        return prediction.float().clamp(0, 1).expand(-1, 3, -1, -1)

    def truth(self, batch: Batch) -> Tensor:
        return self.pair(batch)[1].expand(-1, 3, -1, -1)

    def floor(self, batch: Batch) -> Tensor:
        return to_float(batch["rgb"]).mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)

    def metrics(self, prefix: str) -> MetricCollection:
        return gray_metrics(prefix)
