"""Trains a network to say ab."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torchmetrics import MetricCollection

from colorize.color import lab_to_rgb
from colorize.errors import ColorizeError
from colorize.metrics import lab_metrics
from colorize.targets import Batch, LabTarget
from colorize.tasks.base import Task


class LabTask(Task):
    """Luminance to ab, see `LabTarget`.

    Args:
        network, loss, optimizer, scheduler: see `Task`.
        loss_space: what the loss compares: "ab" (ab / 110), or "rgb": the picture, unclipped, which the metrics see;
            there the same step in ab counts more where the picture is bright.
        fields: `luminance`, see `LabTarget`.
    """

    target_class = LabTarget
    target: LabTarget

    def __init__(
        self,
        network: Mapping[str, Any],
        loss: Mapping[str, Any],
        optimizer: Mapping[str, Any],
        scheduler: Mapping[str, Any] | None = None,
        loss_space: str = "ab",
        **fields: Any,
    ) -> None:
        if loss_space not in ("ab", "rgb"):
            raise ColorizeError(f"model.loss_space is {loss_space!r}, but must be ab or rgb.")
        super().__init__(network, loss, optimizer, scheduler, **fields)
        self.in_rgb = loss_space == "rgb"

    def answer(self, batch: Batch) -> Tensor:
        return self.target.truth(batch) if self.in_rgb else self.target.target(batch)

    def compare(self, x: Tensor, prediction: Tensor, y: Tensor) -> Tensor:
        if self.in_rgb:
            prediction = lab_to_rgb(self.target.to_lab(x, prediction), clip=False)
        return super().compare(x, prediction, y)

    def metrics(self, prefix: str) -> MetricCollection:
        return lab_metrics(prefix)

    def measured(self, x: Tensor, prediction: Tensor) -> dict[str, Tensor]:
        return {"lab": self.target.to_lab(x, prediction)}
