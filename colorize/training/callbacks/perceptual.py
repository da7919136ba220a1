"""LPIPS and FID in the final test."""

from typing import Any

import pytorch_lightning as pl
from torchmetrics import Metric

from colorize.files import expand_home
from colorize.tasks.base import Task


class PerceptualMetrics(pl.Callback):
    """Adds lpips and fid of the model (`test/`) and of the floor (`floor/`) to the final test, where asked for.

    The metrics are the callback's own: were they the task's, its checkpoints would hold their weights.

    Args:
        lpips: a file of AlexNet's weights, see `LPIPS`; None to leave it out.
        fid: a file of Inception's weights, see `FID`; None to leave it out.

    Raises:
        ColorizeError: as `LPIPS` and `FID`, before anything is trained.
    """

    def __init__(self, lpips: str | None = None, fid: str | None = None) -> None:
        self.lpips, self.fid = lpips, fid
        self.metrics: dict[str, dict[str, Metric]] = {}
        self._build()  # to check the files; not kept, since spawned ranks are given copies of the callbacks

    def _build(self) -> dict[str, Metric]:
        files = {"lpips": self.lpips, "fid": self.fid}
        given = {name: expand_home(file) for name, file in files.items() if file is not None}
        if not given:
            return {}
        from colorize.metrics.perceptual import FID, LPIPS  # which imports torch-fidelity where that is installed

        kinds: dict[str, type[LPIPS | FID]] = {"lpips": LPIPS, "fid": FID}
        return {name: kinds[name](file) for name, file in given.items()}

    def on_test_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        for prefix in ("test", "floor"):
            self.metrics[prefix] = {name: metric.to(module.device) for name, metric in self._build().items()}

    def on_test_batch_end(
        self,
        trainer: pl.Trainer,
        module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if not self.metrics["test"]:
            return
        assert isinstance(module, Task)
        with trainer.precision_plugin.test_step_context():  # as the other metrics saw the network
            _, prediction, truth = module.pictures(batch)
        for prefix, pictures in (("test", prediction), ("floor", module.floor(batch))):
            for metric in self.metrics[prefix].values():
                metric.update(pictures, truth)

    def on_test_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        for prefix, metrics in self.metrics.items():
            module.log_dict({f"{prefix}/{name}": metric.compute() for name, metric in metrics.items()})

    def on_test_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.metrics.clear()
