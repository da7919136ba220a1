"""What every task shares: the step of training and evaluation, the optimizer, what goes into a checkpoint."""

import math
from abc import ABC
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torchmetrics import MeanMetric, MetricCollection

from colorize.color import rgb_to_gray, to_float
from colorize.metrics import color_metrics
from colorize.networks import build_network
from colorize.targets import Batch, Target
from colorize.tasks.losses import build_loss
from colorize.tasks.optim import build_optimizer, build_schedule, freeze, parameter_groups


class Task(pl.LightningModule, ABC):
    """Trains a network towards a target.

    A subclass names its target; it may override `loss_space`, `make_loss`, `answer`, `compare`, `floor`, `metrics` and
    `measured`.

    Args:
        network: name and arguments of a network.
        loss: name and arguments of a loss.
        optimizer: name and arguments of an optimizer of `torch.optim`.
        scheduler: name and arguments of a learning-rate schedule, or None for a constant rate.
        fields: those of the target.

    All arguments, a subclass's own too, are plain values, so that a checkpoint holds data and no code.

    Raises:
        ColorizeError: a network, loss or setting that does not exist, or a loss of another `loss_space`.
    """

    target_class: type[Target]

    def __init__(
        self,
        network: Mapping[str, Any],
        loss: Mapping[str, Any],
        optimizer: Mapping[str, Any],
        scheduler: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.target = self.target_class(**fields)
        self.hparams.update(asdict(self.target))  # the defaults too, which a later version may change
        self.network = build_network(network, self.target.in_channels, self.target.out_channels)
        freeze(optimizer, self.network)
        self.loss = self.make_loss(loss)
        self.val_metrics = self.metrics("val/")
        self.val_floors = self.metrics("val_floor/")
        self.test_metrics = self.metrics("test/")
        self.test_floors = self.metrics("floor/")
        # Over processes with shares of different size Lightning's own mean rounds their mean size down. NaN stays NaN;
        # nan_strategy="disable" would ignore the weights.
        self.eval_losses = nn.ModuleDict({stage: MeanMetric(nan_strategy=math.nan) for stage in ("val", "test")})
        self._val_floor_is_logged = False

    @property
    def loss_space(self) -> str | None:
        """What the loss compares: "ab", "rgb" or "chroma", see `LabTask`; None for anything else."""
        return None

    def make_loss(self, spec: Mapping[str, Any]) -> nn.Module:
        """What `compare` computes the loss with, of name and arguments."""
        return build_loss(spec, self.loss_space)

    def answer(self, batch: Batch) -> Tensor:
        """What the loss compares a prediction with."""
        return self.target.target(batch)

    def compare(self, x: Tensor, prediction: Tensor, y: Tensor) -> Tensor:
        """The loss of a prediction against `answer`, a scalar."""
        loss: Tensor = self.loss(prediction, y)
        return loss

    def floor(self, batch: Batch) -> Tensor:
        """The picture that doing nothing gives: for a colour task, the gray floor. (B, 3, H, W) in [0, 1]."""
        return rgb_to_gray(to_float(batch["rgb"])).expand(-1, 3, -1, -1)

    def metrics(self, prefix: str) -> MetricCollection:
        """The metrics of pictures against the truth, their names after `prefix`."""
        return color_metrics(prefix)

    def measured(self, x: Tensor, prediction: Tensor) -> dict[str, Tensor]:
        """What metrics are updated with beside the pictures, by the names of their arguments."""
        return {}

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) of any H and W -> (B, out_channels, H, W), or smaller: see `Target.predict`."""
        return self.target.predict(self.network, x)

    @torch.no_grad()
    def pictures(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Input (gray where the network sees one channel), prediction and truth, each (B, 3, H, W) in [0, 1]."""
        rgb = to_float(batch["rgb"])
        x = self.target.see(rgb)
        shown = rgb if self.target.in_channels == 3 else rgb_to_gray(rgb).expand(-1, 3, -1, -1)
        return shown, self.target.to_rgb(x, self(x)), self.target.truth(batch)

    def _step(self, batch: Batch, stage: str) -> tuple[Tensor, Tensor, Tensor]:
        """Log the loss of a batch; return the input without ageing, the prediction and the loss."""
        x, y = self.target.see(to_float(batch["rgb"])), self.answer(batch)
        seen = self.target.see(batch["seen"].expand(-1, 3, -1, -1)) if "seen" in batch else x
        prediction = self(seen).float()
        loss = self.compare(x, prediction, y)
        if stage == "train":
            self.log("train/loss", loss, on_step=True, on_epoch=True, prog_bar=True, sync_dist=True, batch_size=len(x))
        else:
            mean = self.eval_losses[stage]
            assert isinstance(mean, MeanMetric)
            mean.update(loss, len(x))
            self.log(f"{stage}/loss", mean, on_step=False, on_epoch=True, prog_bar=stage == "val", batch_size=len(x))
        return x, prediction, loss

    def _evaluate(self, batch: Batch, stage: str, metrics: MetricCollection, floors: MetricCollection | None) -> None:
        x, prediction, _ = self._step(batch, stage)
        with torch.autocast(self.device.type, enabled=False):
            truth = self.target.truth(batch)
            metrics.update(self.target.to_rgb(x, prediction), truth, **self.measured(x, prediction))
            self.log_dict(metrics, on_step=False, on_epoch=True, batch_size=len(x))
            if floors is not None:
                floors.update(self.floor(batch), truth)
                self.log_dict(floors, on_step=False, on_epoch=True, batch_size=len(x))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        return self._step(batch, "train")[2]

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, "val", self.val_metrics, None if self._val_floor_is_logged else self.val_floors)

    def on_validation_epoch_end(self) -> None:
        """The floor of the validation pictures never changes: it is computed in the first epoch alone."""
        self._val_floor_is_logged = not self.trainer.sanity_checking

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, "test", self.test_metrics, self.test_floors)

    def configure_optimizers(self) -> Any:
        spec = self.hparams["optimizer"]
        optimizer = build_optimizer(spec, parameter_groups(spec, self.network, self.parameters()))
        if self.hparams["scheduler"] is None:
            return optimizer
        schedule = build_schedule(
            self.hparams["scheduler"],
            optimizer,
            lambda: int(self.trainer.estimated_stepping_batches),
            self.trainer.check_val_every_n_epoch or 1,  # None: validation goes by batches
        )
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """What inference needs, target and network, apart from what training needed, `task` and `hyper_parameters`."""
        checkpoint["target"] = self.target.describe()
        checkpoint["network"] = self.network.spec
        checkpoint["task"] = type(self).__name__
