"""What every task shares: the step of training and evaluation, the optimizer, what goes into a checkpoint."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchmetrics import MetricCollection

from colorize import networks
from colorize.color import rgb_to_gray, rgb_to_lab, to_float
from colorize.metrics import color_metrics
from colorize.registry import build
from colorize.tasks.optim import build_loss, build_optimizer, build_schedule

Batch = Mapping[str, Tensor]


def build_network(spec: Mapping[str, Any], in_channels: int, out_channels: int) -> nn.Module:
    """One of `colorize.networks` from e.g. `{"name": "UNet", "width": 32}`."""
    known = {name: getattr(networks, name) for name in networks.__all__}
    network: nn.Module = build("model.network", known, spec, in_channels, out_channels)
    return network


class Task(pl.LightningModule, ABC):
    """Turns a batch into (input, target), and a prediction back into a picture.

    A subclass says its `in_channels` and `out_channels` and answers `pair` and `to_rgb`; it may answer `truth`,
    `floor`, `metrics` and `bound` in another way.

    Args:
        network: name and arguments of a class of `colorize.networks`.
        loss: name and arguments of a loss: mse, l1, smooth_l1.
        optimizer: name and arguments of an optimizer of `torch.optim`.
        scheduler: name and arguments of a learning-rate schedule, or None for a constant rate.

    All arguments are plain mappings, so that a checkpoint holds data and no code.
    """

    in_channels: int
    out_channels: int

    def __init__(
        self,
        network: Mapping[str, Any],
        loss: Mapping[str, Any],
        optimizer: Mapping[str, Any],
        scheduler: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        net = build_network(network, self.in_channels, self.out_channels)
        self.network = net.to(memory_format=torch.channels_last)  # a fifth faster on the CPU
        self.loss = build_loss(loss)
        self.val_metrics = self.metrics("val/")
        self.val_floors = self.metrics("val_floor/")
        self.test_metrics = self.metrics("test/")
        self.test_floors = self.metrics("floor/")

    @abstractmethod
    def pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """What the network sees (B, in_channels, H, W) and what it should say (B, out_channels, H, W)."""

    @abstractmethod
    def to_rgb(self, x: Tensor, prediction: Tensor) -> Tensor:
        """The picture that a prediction stands for: (B, 3, H, W) in [0, 1]."""

    def to_ab(self, x: Tensor, prediction: Tensor) -> Tensor:
        """The colours that a prediction stands for: ab (B, 2, H, W) of CIE Lab, not brought into gamut."""
        return rgb_to_lab(self.to_rgb(x, prediction))[:, 1:]

    def seen(self, batch: Batch) -> Tensor:
        """The picture that the network is shown: (B, 3, H, W) in [0, 1], gray where it sees one channel."""
        rgb = to_float(batch["rgb"])
        return rgb if self.in_channels == 3 else rgb_to_gray(rgb).expand(-1, 3, -1, -1)

    def truth(self, batch: Batch) -> Tensor:
        """The picture that a perfect prediction gives: (B, 3, H, W) in [0, 1]."""
        return to_float(batch["rgb"])

    def floor(self, batch: Batch) -> Tensor:
        """The picture that doing nothing gives: for a colour task, the gray floor. (B, 3, H, W) in [0, 1]."""
        return rgb_to_gray(to_float(batch["rgb"])).expand(-1, 3, -1, -1)

    def metrics(self, prefix: str) -> MetricCollection:
        """The metrics of pictures against the truth, their names after `prefix`."""
        return color_metrics(prefix)

    def compare(self, x: Tensor, prediction: Tensor, y: Tensor) -> Tensor:
        """The loss of a prediction, a scalar."""
        loss: Tensor = self.loss(prediction, y)
        return loss

    def bound(self, output: Tensor) -> Tensor:
        """Maps the network's output into the range of the target."""
        return output

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) of any H and W -> (B, out_channels, H, W): pads to what the network needs, crops."""
        height, width = x.shape[-2:]
        multiple = int(self.network.multiple)  # type: ignore[arg-type]
        padded = F.pad(x, (0, -width % multiple, 0, -height % multiple), mode="replicate")
        output = self.network(padded.contiguous(memory_format=torch.channels_last))
        return self.bound(output[..., :height, :width])

    def _step(self, batch: Batch, stage: str) -> tuple[Tensor, Tensor, Tensor]:
        x, y = self.pair(batch)
        prediction = self(x).float()
        loss = self.compare(x, prediction, y)
        in_training = stage == "train"
        self.log(
            f"{stage}/loss",
            loss,
            on_step=in_training,
            on_epoch=True,
            prog_bar=stage != "test",
            batch_size=len(x),
            sync_dist=True,
        )
        return x, prediction, loss

    def _evaluate(self, batch: Batch, stage: str, metrics: MetricCollection, floors: MetricCollection) -> None:
        x, prediction, _ = self._step(batch, stage)
        with torch.autocast(self.device.type, enabled=False):
            truth = self.truth(batch)
            metrics.update(self.to_rgb(x, prediction), truth)
            floors.update(self.floor(batch), truth)
        self.log_dict(metrics, on_step=False, on_epoch=True, batch_size=len(x))
        self.log_dict(floors, on_step=False, on_epoch=True, batch_size=len(x))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        return self._step(batch, "train")[2]

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, "val", self.val_metrics, self.val_floors)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, "test", self.test_metrics, self.test_floors)

    def configure_optimizers(self) -> Any:
        optimizer = build_optimizer(self.hparams["optimizer"], self.parameters())
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
        checkpoint["task"] = type(self).__name__
