"""The final test: on one device, from the best checkpoint, beside the floor."""

import json
import math
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from pytorch_lightning.loggers import Logger

from colorize.data.base import ImageData
from colorize.errors import ColorizeError
from colorize.tasks.base import Task
from colorize.training.callbacks.samples import pictures
from colorize.training.devices import first_device

N_SAMPLES = 8


def end_distributed(trainer: pl.Trainer) -> bool:
    """Ends a multi-process run after training; True on the one process that goes on to test.

    Several processes would test some pictures twice, to make their shares equal.
    """
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        trainer.strategy.barrier()
        torch.distributed.destroy_process_group()
    return trainer.is_global_zero


def best_checkpoint(trainer: pl.Trainer) -> tuple[str | None, float | None]:
    """The best checkpoint of a training and its value of the monitored metric, which a sweeper optimises.

    The trainer must have the callback `Outcome`.

    Raises:
        ColorizeError: the training made no step, or that value was never a finite number.
    """
    outcome, saver = trainer.callback_metrics, trainer.checkpoint_callback
    if not outcome["outcome/steps"]:
        raise ColorizeError(
            "The training made no optimizer step: raise trainer.max_epochs (of a resumed run, above the epochs that it "
            "has done), trainer.max_steps, trainer.max_time or trainer.limit_train_batches, whichever ended it."
        )
    if not isinstance(saver, ModelCheckpoint) or not saver.best_model_path:
        return None, None
    score = outcome["outcome/best_score"].item() if "outcome/best_score" in outcome else None
    if score is not None and not math.isfinite(score):
        raise ColorizeError(f"The training diverged: {saver.monitor} was never finite; lower model.optimizer.lr.")
    return saver.best_model_path, score


def evaluate(
    cfg: DictConfig,
    task: Task,
    data: ImageData,
    callbacks: list[Callback],
    loggers: list[Logger],
    training: Mapping[str, Any],
) -> dict[str, Any]:
    """Test `task`, write `metrics.json` and `test_samples.npz` into the run's folder, and return the metrics.

    Keys: `test/NAME` and `floor/NAME` for every metric, `test/loss`, `n_images` tested, `parameters` of the network,
    and those of `training`: `epochs` completed and `seconds`, missing in an evaluation alone, and the fingerprint of
    the tested `weights`. A value that JSON cannot hold (the psnr of a perfect picture is infinite) is null.
    `test_samples.npz` holds `input`, `prediction` and `truth`, uint8 (8, H, W, 3), of the same test pictures for every
    run of the data, and their `index`.
    """
    one = {"devices": first_device(cfg.trainer), "num_nodes": 1, "strategy": "auto"}
    tester = instantiate(cfg.trainer, **one, callbacks=callbacks, logger=loggers)
    tester.fit_loop.epoch_progress.current.completed = int(training.get("epochs") or 0)  # where charts show the test
    tester.test(task, datamodule=data, verbose=False)
    metrics: dict[str, Any] = {name: value.item() for name, value in sorted(tester.callback_metrics.items())}
    metrics = {name: value if math.isfinite(value) else None for name, value in metrics.items()}
    pictures_in_batches = sum(tester.num_test_batches) * data.batch_size
    metrics["n_images"] = min(pictures_in_batches, len(data.splits["test"]))  # type: ignore[arg-type]
    metrics["parameters"] = sum(parameter.numel() for parameter in task.network.parameters())
    metrics |= training
    if not cfg.trainer.fast_dev_run:
        batch = data.sample("test", N_SAMPLES)
        seen, prediction, truth = pictures(task.eval(), batch)
        run_dir = Path(cfg.run_dir)
        index = batch["index"].numpy()
        np.savez(run_dir / "test_samples.npz", input=seen, prediction=prediction, truth=truth, index=index)
        text = json.dumps(metrics, indent=2, allow_nan=False)
        (run_dir / "metrics.json").write_text(text + "\n", encoding="utf-8")
    return metrics


def summary(metrics: dict[str, Any], run_dir: Path, checkpoint: Path | None) -> str:
    """The metrics beside the floor, where the run lies, and the command that uses what it learned."""
    names = [name.removeprefix("floor/") for name in metrics if name.startswith("floor/")]
    title = f"test, {metrics['n_images']} pictures"
    lines = [f"{title:<24}{'model':>10}{'floor':>10}"]
    for name in names:
        model, floor = metrics[f"test/{name}"], metrics[f"floor/{name}"]
        lines.append(f"  {name:<22}{_number(model):>10}{_number(floor):>10}")
    lines.append(f"run: {run_dir}")
    if checkpoint is not None:
        word = shlex.quote(f"checkpoint={checkpoint}")
        lines.append(f"use: python predict.py {word} input=PHOTO_OR_FOLDER output=FOLDER")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
