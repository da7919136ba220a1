"""What can be wrong in a composed configuration, found before anything is built."""

from pathlib import Path

import torch
from omegaconf import DictConfig, ListConfig, OmegaConf
from torch import nn

from colorize.cli.config import check_missing
from colorize.errors import ColorizeError
from colorize.files import expand_home, is_file
from colorize.hub.download import SCHEME
from colorize.tasks.base import Task
from colorize.tasks.optim import LR_FACTORS, build_optimizer, build_schedule, parameter_groups
from colorize.training.check_trainer import (
    check_clipping,
    check_length,
    check_numbers,
    check_plateau,
    check_precision,
    check_strategy,
)
from colorize.training.config import build_task
from colorize.training.restore import check_loads_back
from colorize.training.resume.same_run import check_resume
from colorize.weights.shipped import shipped


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
    """Hydra lets ~GROUP leave a group out that a run has a use for, and a value stand in place of settings."""
    for group in ("model", "data", "trainer", "callbacks", "logger"):
        chosen = cfg.get(group)
        if chosen is None or (group == "model" and "_target_" not in chosen):  # conf/train.yaml's own model keys stay
            raise ColorizeError(f"A run needs {group}: leave ~{group} out, or give {group}=NAME.")
    for group in ("callbacks", "logger"):
        for name, settings in cfg[group].items():
            if settings and not OmegaConf.is_dict(settings):
                raise ColorizeError(f"{group}.{name}={settings} holds no settings: {group}.{name}=null leaves it out.")


def check_paths(cfg: DictConfig) -> None:
    """Folders and checkpoints that the configuration names must be there; addresses of stores are asked later."""
    root = cfg.data.get("root")
    folders = root if isinstance(root, ListConfig) else [root]
    for folder in folders:
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


def check_frozen(cfg: DictConfig) -> None:
    """What is not trained must have learned something before.

    Raises:
        ColorizeError: the rate of a module is 0, and its weights would be random.
    """
    model = cfg.model
    factors = model.optimizer.get(LR_FACTORS) or {}
    frozen = [name for name, factor in factors.items() if factor == 0]
    if model.get("encoder_weights") is not None:
        frozen = [name for name in frozen if name != "encoder"]
    if frozen and model.get("init_from") is None and cfg.ckpt_path is None:
        raise ColorizeError(
            f"model.optimizer.{LR_FACTORS}.{frozen[0]}=0 would leave {frozen[0]} at random weights: give those it "
            "starts from, model.init_from=photographs or RUN/checkpoints/best.ckpt, or a factor above 0."
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
    crop = OmegaConf.select(cfg, "data.augment.crop_size")
    size = crop if type(crop) is int else cfg.data.image_size
    norms: list[nn.Module] = [module for module in task.network.modules() if isinstance(module, nn.InstanceNorm2d)]
    if norms:
        size = min(size, cfg.data.image_size)
    elif cfg.data.batch_size == 1:
        norms = [module for module in task.network.modules() if isinstance(module, nn.BatchNorm2d)]
    if size <= task.network.multiple and norms and all(norm.training for norm in norms):  # else an encoder is frozen
        raise ColorizeError(
            f"Pictures of {size} pixels leave {type(norms[0]).__name__} a single pixel inside of "
            f"{cfg.model.network.name} (data.batch_size={cfg.data.batch_size}), and it needs several: raise "
            "data.image_size, or use model.network.norm=group."
        )


def check_ageing(cfg: DictConfig, task: Task) -> None:
    """Aged pictures are gray."""
    ageing = OmegaConf.select(cfg, "data.augment.ageing")
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
