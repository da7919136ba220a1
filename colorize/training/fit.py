"""One training, from new weights or from where another stopped, to its best checkpoint."""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytorch_lightning as pl
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from pytorch_lightning.loggers import Logger

from colorize.data.base import ImageData
from colorize.errors import ColorizeError, first_line
from colorize.tasks import Task
from colorize.training.callbacks import FinalTest, FitResult, SaveConfig, WatchRanks
from colorize.training.callbacks.watch_ranks import how_to_go_on
from colorize.training.compiling import is_of_the_compiler
from colorize.training.config import plain, progress_bars
from colorize.training.initialize import initialize
from colorize.training.resume import LastCheckpoint, Stopped
from colorize.training.resume.command import command_to_go_on
from colorize.training.resume.stop import ended_by_sigterm
from colorize.weights.checkpoint import read_checkpoint


@dataclass(frozen=True)
class Training:
    """The result of a training.

    Attributes:
        checkpoint: the file of its best weights, without a validation of its last; None if it wrote neither.
        objective: their value of the monitored metric, which a sweeper optimises.
        facts: `epochs`, with the share of one that was cut short, and `seconds`.
    """

    checkpoint: str | None
    objective: float | None = None
    facts: dict[str, float] = field(default_factory=dict)


def fit(
    cfg: DictConfig, task: Task, data: ImageData, callbacks: Mapping[str, Callback], loggers: list[Logger]
) -> Training | None:
    """Train `task`, which has its best weights afterwards; None on a rank whose work is done.

    Raises:
        ColorizeError: as `best_checkpoint`, or another process of the training has died.
        SystemExit: 130 after Ctrl-C, 143 after SIGTERM; the checkpoint is written and the command that goes on printed.
    """
    if cfg.ckpt_path is None:
        initialize(task, cfg.model)
    ours = [SaveConfig(plain(cfg)), FinalTest(), FitResult(), WatchRanks()]
    watching = [*callbacks.values(), *progress_bars(cfg), *ours]
    trainer = instantiate(cfg.trainer, callbacks=watching, logger=loggers)
    started = time.perf_counter()
    with explain_end(trainer, cfg.run_dir), ended_by_sigterm(trainer):
        trainer.fit(task, datamodule=data, ckpt_path=cfg.ckpt_path, weights_only=True)
    seconds = round(time.perf_counter() - started, 1)
    if not end_distributed(trainer):
        return None
    checkpoint, objective = best_checkpoint(trainer, ended_before=cfg.resume and cfg.ckpt_path is not None)
    if checkpoint is not None:
        best = read_checkpoint(Path(checkpoint))
        task.load_state_dict(best["state_dict"])
        task.on_load_checkpoint(best)  # which other processes may have trained
    epochs = round(float(trainer.callback_metrics["fit/epochs"]), 2)
    facts = {"epochs": int(epochs) if epochs.is_integer() else epochs, "seconds": seconds}
    return Training(checkpoint, objective, facts)


@contextmanager
def explain_end(trainer: pl.Trainer, run_dir: str) -> Iterator[None]:
    """Turn what ends the training within before its end into an exit code or a sentence, where that says it all."""
    try:
        yield
    except Stopped as stop:
        _exit(trainer, f"after step {stop.step}", stop.signal_number, run_dir)
    except ValueError as error:
        if "`val_check_interval` (" not in str(error):
            raise
        raise ColorizeError(f"trainer: {' '.join(str(error).split())}") from error
    except RuntimeError as error:
        last = last_checkpoint(trainer)
        if is_of_the_compiler(error) and last is not None and last.stop.received is not None:  # the compiler got it too
            _exit(trainer, "while compiling", last.stop.received, run_dir)
        if not _lost_a_process(error):
            raise
        raise ColorizeError(
            f"Another process of this training has died ({first_line(error)}): {how_to_go_on(run_dir)}"
        ) from error


def _exit(trainer: pl.Trainer, when: str, signal_number: int, run_dir: str) -> NoReturn:
    if trainer.is_global_zero:
        print(f"stopped {when}; go on with: {command_to_go_on(run_dir)}", flush=True)
    raise SystemExit(128 + signal_number) from None


def last_checkpoint(trainer: pl.Trainer) -> LastCheckpoint | None:
    """The callback that writes last.ckpt, if the training has it."""
    callbacks = trainer.callbacks  # type: ignore[attr-defined]
    return next((callback for callback in callbacks if isinstance(callback, LastCheckpoint)), None)


def _lost_a_process(error: RuntimeError) -> bool:
    """Whether a process got this error because another one ended in the middle of their exchange."""
    if not torch.distributed.is_available():
        return False
    gloo = ("Connection closed by peer", "Connection reset by peer")  # which raises no class of its own
    return isinstance(error, torch.distributed.DistError) or any(words in str(error) for words in gloo)


def end_distributed(trainer: pl.Trainer) -> bool:
    """Ends a multi-process run after training; True on the one process that goes on to test."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        trainer.strategy.barrier()
        torch.distributed.destroy_process_group()
    return trainer.is_global_zero


def best_checkpoint(trainer: pl.Trainer, ended_before: bool = False) -> tuple[str | None, float | None]:
    """The best checkpoint of a training and its value of the monitored metric, which a sweeper optimises.

    Where none was validated in this training it is the last one, without a value; None if there is none either.

    The trainer must have the callback `FitResult`. `ended_before`: the training may have come to its end in an earlier
    start of the run, so that there was nothing left of it.

    Raises:
        ColorizeError: the training made no step, or that value was never a finite number.
    """
    result, saver = trainer.callback_metrics, trainer.checkpoint_callback
    if not result["fit/steps"] and not ended_before:
        raise ColorizeError(
            "The training made no optimizer step: raise trainer.max_epochs (of a resumed run, above the epochs that it "
            "has done), trainer.max_steps, trainer.max_time or trainer.limit_train_batches, whichever ended it."
        )
    if isinstance(saver, ModelCheckpoint) and saver.best_model_path:
        score = result["fit/best_score"].item() if "fit/best_score" in result else None
        if score is not None and not math.isfinite(score):
            raise ColorizeError(f"The training diverged: {saver.monitor} was never finite; lower model.optimizer.lr.")
        best = Path(saver.best_model_path)
        folder = Path(saver.dirpath or best.parent)
        if not best.is_relative_to(folder):  # but to the folder of the run it goes on from, or where this run was
            best = folder / best.name
        if best.is_file():
            return str(best), score
    last = last_checkpoint(trainer)
    if last is None or not last.path.is_file() or trainer.fast_dev_run:  # type: ignore[attr-defined]
        return None, None
    return str(last.path), None
