"""Whether a training goes on from a checkpoint as the one that wrote it would: resume=true asks more than ckpt_path."""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from pytorch_lightning.utilities import rank_zero_only

from colorize.errors import ColorizeError
from colorize.tasks.base import Task
from colorize.tasks.optim import SCHEDULES_BY_STEP
from colorize.training.config import flatten, plain, resolve_precision
from colorize.weights.checkpoint import read_checkpoint

warn = rank_zero_only(logging.getLogger(__name__).warning)
HARMLESS = (  # beginnings of keys that do not change what is learned
    "callbacks.architecture.",
    "callbacks.checkpoint.dirpath",
    "callbacks.curves.",
    "callbacks.last.",
    "callbacks.lr_monitor.",
    "callbacks.perceptual.",
    "callbacks.samples.",
    "logger.",
    "cache_dir",
    "ckpt_path",
    "data.cache_dir",
    "data.cache_gb",
    "data.num_workers",
    "data.storage_options",
    "debug",
    "resume",
    "run_dir",
    "trainer.default_root_dir",
    "trainer.enable_",
    "trainer.limit_test_batches",
    "trainer.log_every_n_steps",
)
ENDS = ("trainer.max_epochs",)  # may be raised
OPTIMIZATION = ("model.optimizer.", "model.scheduler.")  # which a checkpoint restores, whatever is given
NOT_SET = "not set"


def check_same_run(path: Path, theirs: Mapping[str, Any], cfg: DictConfig) -> None:
    """For resume=true: no setting that changes what is learned may differ.

    Args:
        path: of the checkpoint.
        theirs: the configuration in it.
        cfg: that of this run.

    Raises:
        ColorizeError: names the settings that differ.
    """
    ours = plain(cfg)
    ours["trainer"]["precision"] = resolve_precision(cfg.trainer.precision, cfg.trainer.accelerator)
    before = {"compile": False, **_movable(flatten(theirs))}  # a key that older runs lack
    now = _movable(flatten(ours))
    changed = [
        key
        for key in sorted({*before, *now})
        if before.get(key) != now.get(key)
        and not key.startswith(HARMLESS)
        and not (key in ENDS and _is_later(before.get(key), now.get(key)))
    ]
    if changed:
        raise ColorizeError(
            f"resume=true cannot go on exactly: {path} was trained with {_listed(before, changed)}, but this run has "
            f"{_listed(now, changed)}; give the former, or ckpt_path for a training that may differ."
        )


def _movable(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with places in the run's folder relative to it."""
    folder = f"{settings.get('run_dir')}/"
    return {key: item.removeprefix(folder) if isinstance(item, str) else item for key, item in settings.items()}


def _is_later(before: Any, now: Any) -> bool:
    return now == -1 or (isinstance(before, int) and isinstance(now, int) and now > before)


def check_resume(path: Path, task: Task) -> None:
    """For ckpt_path: the task must be the checkpoint's; settings of the optimization that it restores are warned of.

    Raises:
        ColorizeError: as `read_checkpoint` and `check_kept_files`, or names the settings that differ.
    """
    checkpoint = read_checkpoint(path)
    check_kept_files(path, checkpoint)
    if checkpoint["task"] != type(task).__name__:
        raise ColorizeError(
            f"ckpt_path={path} is a {checkpoint['task']}, but model= describes a {type(task).__name__}: "
            "give the model of that run."
        )
    theirs, ours = flatten(checkpoint["hyper_parameters"], "model"), flatten(task.hparams, "model")
    changed = [key for key in sorted({*theirs, *ours}) if theirs.get(key, NOT_SET) != ours.get(key, NOT_SET)]
    refused = [key for key in changed if key.endswith(".name") or not key.startswith(OPTIMIZATION)]
    if refused:
        raise ColorizeError(
            f"ckpt_path={path} was trained with {_listed(theirs, refused)}, but this run has "
            f"{_listed(ours, refused)}: give the former, or start a new training from its weights with "
            f"model.init_from={path}."
        )
    if ours.get("model.scheduler.name") in SCHEDULES_BY_STEP:  # which restores no setting: those given here hold
        changed = [key for key in changed if not key.startswith("model.scheduler.")]
    if changed:
        restored, given = _listed(theirs, changed), _listed(ours, changed)
        warn(f"ckpt_path={path} restores {restored}; what is given here has no effect: {given}.")


def check_kept_files(path: Path, checkpoint: Mapping[str, Any]) -> None:
    """Lightning removes files that the checkpoint says it has kept: no address of a file system, no way upwards."""
    states = checkpoint.get("callbacks")
    if not isinstance(states, Mapping):
        return
    for state in states.values():
        if not isinstance(state, Mapping) or "best_k_models" not in state:
            continue
        paths = (state.get(key, "") for key in ("kth_best_model_path", "last_model_path", "best_model_path"))
        for file in (*state["best_k_models"], *paths):
            if not isinstance(file, str) or "::" in file or "://" in file or ".." in Path(file).parts:
                raise ColorizeError(
                    f"ckpt_path={path} is refused: it says that it has kept {file!r}, which its run cannot have "
                    f"written; take its weights with model.init_from={path}."
                )


def _listed(settings: Mapping[str, Any], keys: Iterable[str]) -> str:
    return ", ".join(f"{key}={settings.get(key, NOT_SET)}" for key in keys)
