"""The configuration in every checkpoint."""

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import MLFlowLogger, WandbLogger


class SaveConfig(Callback):
    """Puts into every checkpoint the composed configuration, all that predict needs, and the W&B or MLflow run."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config

    def on_save_checkpoint(self, trainer: pl.Trainer, module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint["config"] = self.config
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                checkpoint["wandb_run_id"] = logger.version
            elif isinstance(logger, MLFlowLogger):
                checkpoint["mlflow_run_id"] = logger.version
