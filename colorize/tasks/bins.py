"""Trains a network to predict a distribution over bins of ab, by itself or beside ab."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics import MetricCollection

from colorize.color import AB_SCALE, rgb_to_lab, to_float
from colorize.errors import ColorizeError
from colorize.metrics import lab_metrics
from colorize.networks.base import shrink
from colorize.registry import build
from colorize.targets import LabBinsTarget, LabHybridTarget
from colorize.tasks.base import Task
from colorize.tasks.losses import build_loss
from colorize.tasks.soft_cross_entropy import SoftCrossEntropy

_COUNTED_IMAGES = 4096  # of the training data, for the histogram of their colours


class LabBinsTask(Task):
    """Luminance to a distribution over bins of ab, see `LabBinsTarget`.

    How often colours occur is counted in the training data when the training begins, and kept in the checkpoint.

    Args:
        network, optimizer, scheduler: see `Task`.
        loss: `soft_cross_entropy` and its arguments but for the grid, see `SoftCrossEntropy`.
        fields: `luminance`, `grid` and `temperature`, see `LabBinsTarget`.
    """

    target_class: type[LabBinsTarget] = LabBinsTarget
    target: LabBinsTarget
    histogram: Tensor | None = None

    @property
    def cross_entropy(self) -> SoftCrossEntropy:
        """The loss that the histogram of colours belongs to."""
        assert isinstance(self.loss, SoftCrossEntropy)
        return self.loss

    def make_loss(self, spec: Mapping[str, Any]) -> nn.Module:
        return self.make_cross_entropy("model.loss", spec)

    def make_cross_entropy(self, key: str, spec: Mapping[str, Any]) -> SoftCrossEntropy:
        return build(key, {"soft_cross_entropy": SoftCrossEntropy}, spec, self.target.grid)

    def compare(self, x: Tensor, prediction: Tensor, y: Tensor) -> Tensor:
        ab = shrink(y, self.network.output_stride) * AB_SCALE
        loss: Tensor = self.cross_entropy(self.target.logits(prediction), ab)
        return loss

    def metrics(self, prefix: str) -> MetricCollection:
        return lab_metrics(prefix)

    def measured(self, x: Tensor, prediction: Tensor) -> dict[str, Tensor]:
        return {"lab": self.target.to_lab(x, prediction)}

    def on_fit_start(self) -> None:
        if self.histogram is None:
            self.histogram = self.trainer.strategy.broadcast(self._count_colors())
            self.cross_entropy.rebalance(self.histogram)

    @torch.no_grad()
    def _count_colors(self) -> Tensor:
        total = torch.zeros(self.cross_entropy.bins, dtype=torch.float64)
        images = 0
        for batch in self.trainer.datamodule.train_dataloader():  # type: ignore[attr-defined]
            rgb = to_float(batch["rgb"].to(self.device))
            total += self.cross_entropy.count(rgb_to_lab(rgb)[:, 1:])
            images += len(rgb)
            if images >= _COUNTED_IMAGES:
                break
        return total / total.sum()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        checkpoint["ab_histogram"] = self.histogram

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.histogram = checkpoint.get("ab_histogram")
        if self.histogram is not None:
            self.cross_entropy.rebalance(self.histogram)


class LabHybridTask(LabBinsTask):
    """ab by regression and its distribution by classification on one trunk, see `LabHybridTarget`.

    Args:
        network, loss, optimizer, scheduler: see `Task`; the loss is of ab / 110.
        cross_entropy_loss: `soft_cross_entropy` and its arguments, as of `LabBinsTask`.
        loss_weight, cross_entropy_weight: what each counts; 0 for `loss` leaves a trained regression as it is where all
            before the head is frozen (`lr_factors`) and no weight decays.
        fields: `luminance`, `grid` and `temperature`, see `LabHybridTarget`.

    Raises:
        ColorizeError: weights that are no numbers of at least 0, or both 0.
    """

    target_class = LabHybridTarget
    loss_space = "ab"

    def __init__(
        self,
        network: Mapping[str, Any],
        loss: Mapping[str, Any],
        cross_entropy_loss: Mapping[str, Any],
        optimizer: Mapping[str, Any],
        scheduler: Mapping[str, Any] | None = None,
        loss_weight: float = 1.0,
        cross_entropy_weight: float = 0.03,
        **fields: Any,
    ) -> None:
        weights = (loss_weight, cross_entropy_weight)
        are_weights = all(isinstance(weight, int | float) and 0 <= weight < math.inf for weight in weights)
        if not are_weights or not any(weights):
            raise ColorizeError(
                f"model.loss_weight={loss_weight} and model.cross_entropy_weight={cross_entropy_weight} must be "
                "numbers of at least 0, and not both 0."
            )
        super().__init__(network, loss, optimizer, scheduler, **fields)
        self.bins_loss = self.make_cross_entropy("model.cross_entropy_loss", cross_entropy_loss)
        self.loss_weight, self.cross_entropy_weight = loss_weight, cross_entropy_weight

    @property
    def cross_entropy(self) -> SoftCrossEntropy:
        return self.bins_loss

    def make_loss(self, spec: Mapping[str, Any]) -> nn.Module:
        return build_loss(spec, self.loss_space)

    def compare(self, x: Tensor, prediction: Tensor, y: Tensor) -> Tensor:
        y = shrink(y, self.network.output_stride)
        regression: Tensor = self.loss(prediction[:, :2].tanh(), y)
        classification = self.cross_entropy(self.target.logits(prediction), y * AB_SCALE)
        loss: Tensor = self.loss_weight * regression + self.cross_entropy_weight * classification
        return loss
