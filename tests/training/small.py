"""A training that takes a second."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from omegaconf import DictConfig, OmegaConf

from colorize.data.scenes import SceneData
from colorize.tasks import LabTask


def make_data(**arguments: Any) -> SceneData:
    sizes = {"image_size": 16, "batch_size": 8, "train_size": 8, "val_size": 4, "test_size": 4}
    return SceneData(**{**sizes, **arguments})


def make_task(**arguments: Any) -> LabTask:
    plain: dict[str, Any] = {
        "network": {"name": "UNet", "width": 4, "depth": 1},
        "loss": {"name": "mse"},
        "optimizer": {"name": "SGD", "lr": 0.05, "momentum": 0.9},
    }
    return LabTask(**{**plain, **arguments})


def make_trainer(folder: Path, callbacks: list[pl.Callback] | None = None, **arguments: Any) -> pl.Trainer:
    """A Trainer on the CPU that writes its checkpoint, the best by val/loss, into FOLDER."""
    saver = pl.callbacks.ModelCheckpoint(folder, "best", "val/loss", enable_version_counter=False)
    return pl.Trainer(
        accelerator="cpu",
        devices=1,
        callbacks=[*(callbacks or []), saver],
        enable_progress_bar=False,
        enable_model_summary=False,
        **{"logger": False, **arguments},
    )


def config(folder: Path, **options: Any) -> DictConfig:
    """Of a training in FOLDER, as far as `fit` reads it."""
    trainer = {
        "_target_": "pytorch_lightning.Trainer",
        "accelerator": "cpu",
        "devices": 1,
        "max_epochs": 1,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        **options.pop("trainer", {}),
    }
    model = {"init_from": None, "encoder_weights": None, **options.pop("model", {})}
    run = {"ckpt_path": None, "resume": False, "run_dir": str(folder)}
    return OmegaConf.create({"trainer": trainer, "model": model, **run, **options})
