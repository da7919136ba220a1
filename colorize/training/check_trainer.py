"""What can be wrong in the settings of the Trainer and in the numbers of a run."""

import math

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from torch.optim import Optimizer

from colorize.cli.config import in_multirun
from colorize.errors import ColorizeError
from colorize.tasks.base import Task
from colorize.tasks.optim import SCHEDULES_BY_STEP
from colorize.training.config import flatten, resolve_precision
from colorize.training.devices import device_ids

LEAST: dict[str, tuple[int, bool]] = {  # of whole numbers of the Trainer, and whether they may be null
    "max_epochs": (-1, True),
    "max_steps": (-1, False),
    "accumulate_grad_batches": (1, False),
    "check_val_every_n_epoch": (1, True),
    "num_nodes": (1, False),
    "log_every_n_steps": (0, True),
    "num_sanity_val_steps": (-1, True),
}
SWITCHES = (
    "fit",
    "resume",
    "compile",
    "trainer.fast_dev_run",
    "trainer.deterministic",
    "trainer.benchmark",
    "trainer.enable_progress_bar",
    "trainer.enable_model_summary",
)


def check_switches(cfg: DictConfig) -> None:
    """Hydra reads yes, no, on and off as text, and any text would count as true.

    Raises:
        ColorizeError: a switch that is a text.
    """
    for key in SWITCHES:
        value = OmegaConf.select(cfg, key)
        if isinstance(value, str) and not (key == "trainer.deterministic" and value == "warn"):
            raise ColorizeError(f"{key}={value} is a text: give true or false.")


def check_numbers(cfg: DictConfig) -> None:
    """Numbers that NumPy, Lightning or torch would refuse late, or take for something else.

    Raises:
        ColorizeError: a number that cannot be, or a time that is none.
    """
    if type(cfg.seed) is not int or not 0 <= cfg.seed < 2**32:
        raise ColorizeError(f"seed={cfg.seed} must be a whole number from 0 to {2**32 - 1}.")
    for key, (least, optional) in LEAST.items():
        value = cfg.trainer.get(key, least)
        if not (optional and value is None) and (type(value) is not int or value < least):
            raise ColorizeError(f"trainer.{key}={value} must be a whole number of at least {least}.")
    for key, value in flatten(OmegaConf.to_container(cfg.model)).items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ColorizeError(f"model.{key}={value} must be a number that is finite.")
    rate = OmegaConf.select(cfg, "model.optimizer.lr")
    if isinstance(rate, str):
        raise ColorizeError(f"model.optimizer.lr={rate} must be a number, such as 3e-4.")
    clip, interval = cfg.trainer.get("gradient_clip_val"), cfg.trainer.get("val_check_interval")
    if isinstance(clip, int | float) and not clip >= 0:
        raise ColorizeError(f"trainer.gradient_clip_val={clip} must be a number of at least 0, or null for no limit.")
    if isinstance(interval, int | float) and not interval > 0:
        raise ColorizeError(
            f"trainer.val_check_interval={interval} must be a number of batches, or a share such as 0.5 of the epoch."
        )
    if cfg.fit and isinstance(interval, str) and _in_several_processes(cfg):
        raise ColorizeError(
            f"trainer.val_check_interval={interval} goes by the clock of each process, which would not agree when to "
            "validate: give several of them a number of batches, or a share such as 0.5 of the epoch."
        )
    time = cfg.trainer.get("max_time")
    if isinstance(time, int | float):
        raise ColorizeError(
            f"trainer.max_time={time} must be DAYS:HOURS:MINUTES:SECONDS, e.g. 00:01:00:00 for an hour."
        )


def _in_several_processes(cfg: DictConfig) -> bool:
    trainer = cfg.trainer
    return trainer.get("num_nodes", 1) > 1 or len(device_ids(trainer.accelerator, trainer.devices)) > 1


def check_precision(cfg: DictConfig) -> None:
    """The "true" half precisions would compute colours and the sums of metrics in them too, which need float32."""
    precision = str(cfg.trainer.precision)
    if precision in ("64", "64-true"):
        raise ColorizeError(f"trainer.precision={precision} cannot be used, as pictures are float32: use 32-true.")
    if precision.endswith("16-true") or precision.startswith("transformer-engine"):
        mixed = "16-mixed" if precision == "16-true" else "bf16-mixed"
        raise ColorizeError(
            f"trainer.precision={precision} would spoil colours and metrics, which need float32: use {mixed}."
        )


def check_clipping(cfg: DictConfig, optimizer: Optimizer) -> None:
    """A fused optimizer unscales gradients within its own step: there is no moment before it to clip them in."""
    precision = str(resolve_precision(cfg.trainer.precision, cfg.trainer.accelerator))
    if cfg.trainer.gradient_clip_val and "16" in precision and getattr(optimizer, "_step_supports_amp_scaling", False):
        raise ColorizeError(
            f"trainer.gradient_clip_val={cfg.trainer.gradient_clip_val} cannot be used with a fused optimizer in "
            f"trainer.precision={precision}: leave out model.optimizer.fused, or use trainer.gradient_clip_val=null."
        )


def check_strategy(cfg: DictConfig) -> None:
    """Lightning's ddp starts its other ranks by running the command again: in a sweep, each would run the sweep.

    Slurm starts the ranks itself, if it is asked for one per device.
    """
    if not in_multirun():
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
