"""Trains a network to predict ab."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torchmetrics import MetricCollection

from colorize.color import lab_to_rgb, rgb_to_gray
from colorize.errors import ColorizeError
from colorize.metrics import lab_metrics
from colorize.targets import Batch, LabTarget
from colorize.tasks.base import Task


class LabTask(Task):
    """Luminance to ab, see `LabTarget`.

    Args:
        network, loss, optimizer, scheduler: see `Task`.
        loss_space: what the loss compares: "ab" (ab / 110); "rgb": the picture of L and ab, unclipped: there the same
            step in ab counts more where the picture is bright; or "chroma": the picture less its Rec.601 gray,
            of which the luminance that is kept cannot be wrong.
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
        if loss_space not in ("ab", "rgb", "chroma"):
            raise ColorizeError(f"model.loss_space is {loss_space!r}, but must be ab, rgb or chroma.")
        super().__init__(network, loss, optimizer, scheduler, **fields)

    @property
    def loss_space(self) -> str:
        return str(self.hparams["loss_space"])

    def answer(self, batch: Batch) -> Tensor:
        return self.target.target(batch) if self.loss_space == "ab" else self._from_rgb(self.target.truth(batch))

    def compare(self, x: Tensor, prediction: Tensor, y: Tensor) -> Tensor:
        if self.loss_space != "ab":
            prediction = self._from_rgb(lab_to_rgb(self.target.to_lab(x, prediction), clip=False))
        return super().compare(x, prediction, y)

    def metrics(self, prefix: str) -> MetricCollection:
        return lab_metrics(prefix)

    def measured(self, x: Tensor, prediction: Tensor) -> dict[str, Tensor]:
        return {"lab": self.target.to_lab(x, prediction)}

    def _from_rgb(self, rgb: Tensor) -> Tensor:
        return rgb - rgb_to_gray(rgb) if self.loss_space == "chroma" else rgb
