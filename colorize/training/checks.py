"""What can be wrong in a composed configuration, found before anything is built."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, ListConfig
from pytorch_lightning.utilities import rank_zero_only
from torch import nn

from colorize.cli.config import check_missing
from colorize.errors import ColorizeError
from colorize.files import expand_home, is_file
from colorize.hub.download import SCHEME
from colorize.tasks.base import Task
from colorize.tasks.optim import SCHEDULES_BY_STEP, build_optimizer, build_schedule, parameter_groups
from colorize.training.check_trainer import check_clipping, check_frozen, check_numbers, check_precision
from colorize.training.config import build_task
from colorize.training.devices import device_ids
from colorize.training.restore import check_loads_back
from colorize.training.resume.find import flatten
from colorize.weights.checkpoint import read_checkpoint
from colorize.weights.shipped import shipped

warn = rank_zero_only(logging.getLogger(__name__).warning)
OPTIMIZATION = ("model.optimizer.", "model.scheduler.")


def check(cfg: DictConfig) -> None:
    """Raises a ColorizeError that names the key, its value and the fix; returns if the run can start."""
    check_missing(cfg)
    check_groups(cfg)
    check_paths(cfg)
    check_numbers(cfg)
    check_precision(cfg)
    if cfg.fit:
        check_strategy(cfg)
        check_best(cfg)
        with torch.device("meta"):
            task = build_task(cfg)
            check_loads_back(task)
            spec = task.hparams["optimizer"]
            optimizer = build_optimizer(spec, parameter_groups(spec, task.network, task.parameters()))
            if task.hparams["scheduler"] is not None:
                build_schedule(task.hparams["scheduler"], optimizer, lambda: 1)
        check_frozen(cfg)
        check_clipping(cfg, optimizer)
        check_image_size(cfg, task)
        check_norms(cfg, task)
        check_ageing(cfg, task)
        check_monitors(cfg, task)
        check_length(cfg, task)
        check_plateau(cfg, task)
        if cfg.ckpt_path is not None:
            check_resume(Path(cfg.ckpt_path), task)


def check_groups(cfg: DictConfig) -> None:
    """Hydra's ~GROUP leaves a group out, also where a run has a use for it."""
    for group in ("model", "data", "trainer", "callbacks", "logger"):
        if cfg.get(group) is None:
            raise ColorizeError(f"A run needs {group}: leave ~{group} out, or give {group}=NAME.")


def check_paths(cfg: DictConfig) -> None:
    """Folders and checkpoints that the configuration names must be there; addresses of stores are asked later."""
    root = cfg.data.get("root")
    for folder in root if isinstance(root, ListConfig) else [root]:
        if folder is not None and "://" not in str(folder) and not expand_home(str(folder)).is_dir():
            raise ColorizeError(f"data.root={folder} is not a folder: give the folder that holds the pictures.")
    if cfg.ckpt_path is not None and not is_file(Path(str(cfg.ckpt_path))):
        raise ColorizeError(f"ckpt_path={cfg.ckpt_path} does not exist: give RUN/checkpoints/last.ckpt or best.ckpt.")
    init_from = cfg.model.init_from if cfg.ckpt_path is None else None  # has no use beside it
    is_named = init_from in shipped() or str(init_from).startswith(SCHEME)
    if init_from is not None and not is_named and not is_file(Path(str(init_from))):
        raise ColorizeError(
            f"model.init_from={init_from} does not exist: give RUN/checkpoints/best.ckpt, a .safetensors file, "
            f"{SCHEME}USER/NAME, {', '.join(shipped())}, or null."
        )
    if not cfg.fit and cfg.ckpt_path is None and init_from is None:
        raise ColorizeError(
            "fit=false evaluates a checkpoint, but none is given: add ckpt_path=RUN/checkpoints/best.ckpt, or other "
            "weights for this model by model.init_from."
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
    several = len(device_ids(cfg.trainer.accelerator, devices)) > 1
    if several and not strategy.startswith(("ddp_spawn", "ddp_fork", "ddp_notebook")):
        raise ColorizeError(
            f"trainer.strategy={strategy} with trainer.devices={devices} cannot run in a multirun, whose every rank "
            "would start the whole sweep again: use trainer.devices=1, or trainer.strategy=ddp_spawn."
        )


def check_length(cfg: DictConfig, task: Task) -> None:
    """A schedule by steps is stretched over the whole training, whose length must be known."""
    trainer, schedule = cfg.trainer, (task.hparams["scheduler"] or {}).get("name")
    endless = trainer.max_epochs == -1 or (trainer.max_epochs is None and trainer.max_time is not None)
    if schedule in SCHEDULES_BY_STEP and endless and trainer.max_steps == -1 and not trainer.fast_dev_run:
        raise ColorizeError(
            f"model.scheduler.name={schedule} goes by the steps of the whole training, but trainer.max_epochs="
            f"{trainer.max_epochs} and trainer.max_steps=-1 set no end: give one of them (trainer.max_time may still "
            "end it sooner), or model.scheduler=null for a constant rate."
        )


def check_plateau(cfg: DictConfig, task: Task) -> None:
    """plateau moves at the end of an epoch, by the validation that it had."""
    trainer = cfg.trainer
    at_ends = trainer.check_val_every_n_epoch is not None and trainer.limit_val_batches != 0
    if (task.hparams["scheduler"] or {}).get("name") == "plateau" and not at_ends:
        raise ColorizeError(
            "model.scheduler.name=plateau goes by the validation of each epoch, but trainer.check_val_every_n_epoch="
            f"{trainer.check_val_every_n_epoch} and trainer.limit_val_batches={trainer.limit_val_batches} leave epochs "
            "without one: use trainer.check_val_every_n_epoch=1, or another schedule."
        )


def check_best(cfg: DictConfig) -> None:
    """Several checkpoints of one name would be one file, which holds the last of them."""
    best = cfg.callbacks.get("checkpoint") or {}
    if best.get("save_last") and cfg.callbacks.get("last"):
        raise ColorizeError(
            "callbacks.checkpoint.save_last writes to last.ckpt, which callbacks.last writes: leave it out."
        )
    name, count = best.get("filename"), best.get("save_top_k", 1)
    if count not in (0, 1) and name and "{" not in name and not best.get("enable_version_counter", True):
        raise ColorizeError(
            f"callbacks.checkpoint.save_top_k={count} would write all its checkpoints to {name}.ckpt: add "
            f"\"callbacks.checkpoint.filename='{name}-{{epoch}}'\", or use callbacks.checkpoint.save_top_k=1."
        )


def check_image_size(cfg: DictConfig, task: Task) -> None:
    """A picture must be at least as large as the multiple that the network pads to."""
    size, multiple = cfg.data.image_size, task.network.multiple
    if type(size) is not int:
        raise ColorizeError(f"data.image_size={size} is not possible: give a whole number of pixels.")
    if size < multiple:
        raise ColorizeError(
            f"data.image_size={size} is too small for {cfg.model.network.name}, which needs at least {multiple}: "
            "raise it, or lower model.network.depth."
        )


def check_norms(cfg: DictConfig, task: Task) -> None:
    """BatchNorm and InstanceNorm take statistics over pixels, also where the network has the fewest of them.

    InstanceNorm does so in validation too, whose pictures are not cropped.
    """
    crop = (cfg.data.get("augment") or {}).get("crop_size")
    size = crop if type(crop) is int else cfg.data.image_size
    kind = nn.BatchNorm2d if cfg.data.batch_size == 1 else nn.InstanceNorm2d
    if any(isinstance(module, nn.InstanceNorm2d) for module in task.network.modules()):
        kind, size = nn.InstanceNorm2d, min(cfg.data.image_size, size)
    norms = [module for module in task.network.modules() if isinstance(module, kind)]
    if size <= task.network.multiple and norms and all(norm.training for norm in norms):  # else an encoder is frozen
        raise ColorizeError(
            f"Pictures of {size} pixels leave {type(norms[0]).__name__} a single pixel inside of "
            f"{cfg.model.network.name} (data.batch_size={cfg.data.batch_size}), and it needs several: raise "
            "data.image_size, or use model.network.norm=group."
        )


def check_ageing(cfg: DictConfig, task: Task) -> None:
    """Aged pictures are gray."""
    ageing = (cfg.data.get("augment") or {}).get("ageing")
    if ageing and task.target.in_channels != 1:
        raise ColorizeError(
            f"data.augment.ageing={ageing} ages the gray picture that a network sees, but {type(task).__name__} shows "
            "it the colour picture: use data.augment.ageing=0, or a model that sees gray."
        )


def check_monitors(cfg: DictConfig, task: Task) -> None:
    """A callback can only monitor what is known when a validation ends."""
    known = ["train/loss", "val/loss", *map(str, task.val_metrics.keys(keep_base=False))]
    for name, callback in cfg.callbacks.items():
        monitor = callback.get("monitor") if callback else None
        if monitor is not None and monitor not in known:
            raise ColorizeError(
                f"callbacks.{name}.monitor={monitor} is not known when a validation ends: known are {', '.join(known)}."
            )


def check_resume(path: Path, task: Task) -> None:
    """Only the same training can go on; settings given here that the checkpoint's replace are logged."""
    checkpoint = read_checkpoint(path)
    check_kept_files(path, checkpoint)
    if checkpoint["task"] != type(task).__name__:
        raise ColorizeError(
            f"ckpt_path={path} is a {checkpoint['task']}, but model= describes a {type(task).__name__}: "
            "give the model of that run."
        )
    theirs, ours = flatten(checkpoint["hyper_parameters"]), flatten(task.hparams)
    changed = {
        f"model.{key}": (theirs.get(key, "not set"), ours.get(key, "not set"))
        for key in sorted({*theirs, *ours})
        if theirs.get(key, "not set") != ours.get(key, "not set")
    }
    # A schedule by steps restores no setting: those given here hold from now on.
    refused = [key for key in changed if key.endswith(".name") or not key.startswith(OPTIMIZATION)]
    if refused:
        raise ColorizeError(
            f"ckpt_path={path} was trained with {_settings(changed, refused, 0)}, but this run has "
            f"{_settings(changed, refused, 1)}: give the former, or start a new training from its weights with "
            f"model.init_from={path}."
        )
    by_step = ours.get("scheduler.name") in SCHEDULES_BY_STEP
    lost = [key for key in changed if not (by_step and key.startswith("model.scheduler."))]
    if lost:
        restored, given = _settings(changed, lost, 0), _settings(changed, lost, 1)
        warn(f"ckpt_path={path} restores {restored}; what is given here has no effect: {given}.")


def check_kept_files(path: Path, checkpoint: Mapping[str, Any]) -> None:
    """Lightning removes files that the checkpoint says it has kept: no address of a file system, no way upwards."""
    states = checkpoint.get("callbacks")
    for state in states.values() if isinstance(states, Mapping) else []:
        if not isinstance(state, Mapping) or "best_k_models" not in state:
            continue
        files = [
            *state["best_k_models"],
            *(state.get(f"{name}_model_path", "") for name in ("kth_best", "last", "best")),
        ]
        for file in files:
            if not isinstance(file, str) or "::" in file or "://" in file or ".." in Path(file).parts:
                raise ColorizeError(
                    f"ckpt_path={path} is refused: it says that it has kept {file!r}, which its run cannot have "
                    f"written; take its weights with model.init_from={path}."
                )


def _settings(changed: Mapping[str, tuple[Any, Any]], keys: list[str], which: int) -> str:
    return ", ".join(f"{key}={changed[key][which]}" for key in keys)
