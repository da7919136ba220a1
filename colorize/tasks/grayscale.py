"""Trains a network to predict the gray of a colour picture."""

from torch import Tensor
from torchmetrics import MetricCollection

from colorize.color import to_float
from colorize.metrics import gray_metrics
from colorize.targets import Batch, GrayscaleTarget
from colorize.tasks.base import Task


class GrayscaleTask(Task):
    """Colour to gray. Its floor is the plain mean of R, G and B, which does not know how bright each of them looks."""

    target_class = GrayscaleTarget

    def floor(self, batch: Batch) -> Tensor:
        return to_float(batch["rgb"]).mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)

    def metrics(self, prefix: str) -> MetricCollection:
        return gray_metrics(prefix)
