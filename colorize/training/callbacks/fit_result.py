"""What a training came to, handed back from the processes of a spawning strategy too."""

from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint


class FitResult(Callback):
    """Adds to `trainer.callback_metrics` what a training came to: of all that its processes know, Lightning's
    spawning strategies hand back these and the best checkpoint's path alone.

    Keys, each a scalar: `fit/epochs` completed, a resumed training's earlier ones included, `fit/steps` of the
    optimizer in this training, and `fit/best_score`, the best checkpoint's monitored metric, where there is one.
    """

    def __init__(self) -> None:
        self.first_step: int | None = None

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.first_step = trainer.global_step

    def on_fit_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        steps = 0 if self.first_step is None else trainer.global_step - self.first_step
        found: dict[str, Any] = {"epochs": trainer.current_epoch, "steps": steps}
        saver = trainer.checkpoint_callback
        if isinstance(saver, ModelCheckpoint) and saver.best_model_score is not None:
            found["best_score"] = saver.best_model_score.item()
        trainer.callback_metrics.update({f"fit/{name}": torch.tensor(value) for name, value in found.items()})
