"""What can be wrong in a composed configuration, found before anything is built."""

from pathlib import Path

import torch
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from colorize.cli import check_missing
from colorize.errors import ColorizeError
from colorize.tasks.base import Task
from colorize.tasks.optim import build_optimizer, build_schedule
from colorize.training.config import build_task
from colorize.weights.checkpoint import read_checkpoint


def check(cfg: DictConfig) -> None:
    """Raises a ColorizeError that names the key, its value and the mend; returns if the run can start."""
    check_missing(cfg)
    check_paths(cfg)
    check_strategy(cfg)
    check_precision(cfg)
    if cfg.fit:
        with torch.device("meta"):
            task = build_task(cfg)
            optimizer = build_optimizer(task.hparams["optimizer"], task.parameters())
            if task.hparams["scheduler"] is not None:
                build_schedule(task.hparams["scheduler"], optimizer, lambda: 1)
        check_image_size(cfg, task)
        check_monitors(cfg, task)
        if cfg.ckpt_path is not None:
            check_resume(Path(cfg.ckpt_path), task)


def check_paths(cfg: DictConfig) -> None:
    root = cfg.data.get("root")
    if root is not None and not Path(root).expanduser().is_dir():
        raise ColorizeError(f"data.root={root} is not a folder: give the folder that holds the pictures.")
    if cfg.ckpt_path is not None and not Path(cfg.ckpt_path).is_file():
        raise ColorizeError(f"ckpt_path={cfg.ckpt_path} does not exist: give RUN/checkpoints/last.ckpt or best.ckpt.")
    init_from = cfg.model.init_from
    if init_from is not None and not Path(init_from).is_file():
        raise ColorizeError(f"model.init_from={init_from} does not exist: give RUN/checkpoints/best.ckpt, or null.")
    if not cfg.fit and cfg.ckpt_path is None:
        raise ColorizeError(
            "fit=false evaluates a checkpoint, but none is given: add ckpt_path=RUN/checkpoints/best.ckpt."
        )


def check_strategy(cfg: DictConfig) -> None:
    """Lightning's ddp starts its other ranks by running the command again: in a sweep, each would run the sweep.

    Slurm starts the ranks itself, if it is asked for one per device.
    """
    if not HydraConfig.initialized() or HydraConfig.get().mode != RunMode.MULTIRUN:
        return
    strategy, devices, hydra = str(cfg.trainer.strategy), cfg.trainer.devices, HydraConfig.get()
    slurm = hydra.runtime.choices.get("hydra/launcher") == "submitit_slurm"
    if slurm and hydra.launcher.tasks_per_node == devices:
        return
    subprocesses = strategy.startswith("ddp") and not strategy.startswith(("ddp_spawn", "ddp_fork", "ddp_notebook"))
    gpus = 1 if cfg.trainer.accelerator == "cpu" else torch.cuda.device_count()
    one_device = str(devices) in ("1", "[0]") or (devices == "auto" and gpus <= 1)
    if subprocesses or (strategy == "auto" and not one_device):
        raise ColorizeError(
            f"trainer.strategy={strategy} with trainer.devices={devices} cannot run in a multirun, whose every rank "
            "would start the whole sweep again: use trainer.devices=1, or trainer.strategy=ddp_spawn."
        )


def check_precision(cfg: DictConfig) -> None:
    """The "true" half precisions turn the metrics' sums and the colour maths into halves too."""
    precision = str(cfg.trainer.precision)
    if precision.endswith("16-true") or precision.startswith("transformer-engine"):
        mixed = "16-mixed" if precision == "16-true" else "bf16-mixed"
        raise ColorizeError(
            f"trainer.precision={precision} would spoil colours and metrics, which need float32: use {mixed}."
        )


def check_image_size(cfg: DictConfig, task: Task) -> None:
    size, multiple = cfg.data.image_size, task.network.multiple
    if size < multiple:
        raise ColorizeError(
            f"data.image_size={size} is too small for {cfg.model.network.name}, which needs at least {multiple}: "
            "raise it, or lower model.network.depth."
        )


def check_monitors(cfg: DictConfig, task: Task) -> None:
    known = ["train/loss", "val/loss", *map(str, task.val_metrics.keys(keep_base=False))]
    for name, callback in cfg.callbacks.items():
        monitor = callback.get("monitor") if callback else None
        if monitor is not None and monitor not in known:
            raise ColorizeError(
                f"callbacks.{name}.monitor={monitor} is never logged by this model: choose one of {', '.join(known)}."
            )


def check_resume(path: Path, task: Task) -> None:
    """Only a run of the same model can go on; other optimizer settings would be lost to the checkpoint's."""
    checkpoint = read_checkpoint(path)
    name, network = checkpoint["task"], checkpoint["hyper_parameters"].get("network")
    if name != type(task).__name__ or network != task.hparams["network"]:
        raise ColorizeError(
            f"ckpt_path={path} is a {name} with network {network}, but model= describes a {type(task).__name__} with "
            f"network {dict(task.hparams['network'])}: give the model of that run."
        )
