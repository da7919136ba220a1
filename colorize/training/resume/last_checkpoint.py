"""last.ckpt: where a training goes on as if it had never been stopped."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.loops.loop import _Loop

from colorize.data.order import TrainLoader
from colorize.errors import ColorizeError
from colorize.tasks.base import Task
from colorize.training.loggers.metrics_csv import MetricsCSV
from colorize.training.resume.checkpoint_io import PREVIOUS, WholeCheckpointIO
from colorize.training.resume.moved import follow_move
from colorize.training.resume.process_state import add_sums, collect, restore
from colorize.training.resume.stop import Stopped, StopRequest


class LastCheckpoint(Checkpoint):
    """Writes last.ckpt at each epoch's end, in between as often as asked for, when the training ends or is stopped.

    It is written between two batches, where all that belongs to the one before is done and nothing of the next is
    begun: validation, logs, schedules, the moving average. Beside what Lightning saves it holds the random states of
    all processes, the sums behind the epoch's means, and how many rows metrics.csv has. The place in the epoch is in
    the state of the `TrainLoader`. A training that resumes from it on the CPU comes to the same weights, bit for bit.

    Inside of an accumulation of gradients, and where a validation inside of an epoch is just over, it waits for the
    next batch that is neither. The checkpoint before it is kept as previous.ckpt until the training ends.

    Args:
        dirpath: the folder to write to.
        every_n_train_steps: how often within an epoch, in steps of the optimizer; None for no such limit.
        every_n_minutes: the same in minutes.
        resume: whether a training that had ended before its last epoch stays ended, as it does with resume=true.

    Raises:
        ColorizeError: a number of steps or minutes that is not above 0.
    """

    def __init__(
        self,
        dirpath: str,
        every_n_train_steps: int | None = None,
        every_n_minutes: float | None = None,
        resume: bool = False,
    ) -> None:
        for key, value in (("every_n_train_steps", every_n_train_steps), ("every_n_minutes", every_n_minutes)):
            if value is not None and not (isinstance(value, int | float) and value > 0):
                raise ColorizeError(f"callbacks.last.{key} is {value}, but must be above 0, or null.")
        self.path = Path(dirpath).absolute() / "last.ckpt"
        self.every_n_train_steps, self.every_n_minutes, self.resume = every_n_train_steps, every_n_minutes, resume
        self.stop = StopRequest()
        self._saved_step, self._saved_time = 0, 0.0
        self._writing: dict[str, Any] | None = None
        self._restored: dict[str, Any] | None = None

    def setup(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:
        if stage == "fit" and type(trainer.strategy.checkpoint_io) is TorchCheckpointIO:
            trainer.strategy.checkpoint_io = WholeCheckpointIO()

    def on_save_checkpoint(self, trainer: pl.Trainer, module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        if self._writing is not None:
            checkpoint["resume"] = self._writing

    def on_load_checkpoint(self, trainer: pl.Trainer, module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        self._restored = checkpoint.get("resume")
        if self._is_of_this_run(trainer):
            follow_move(trainer, checkpoint)

    def on_fit_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if self._restored is None:
            return
        processes = len(self._restored["processes"])
        if processes != trainer.world_size:
            raise ColorizeError(
                f"The checkpoint is of a training in {processes} processes, but this one has {trainer.world_size}: "
                f"give trainer.devices={processes}, or start a new training from its weights with model.init_from."
            )
        trainer.should_stop = self.resume and self._restored["stopped_early"]

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._saved_step, self._saved_time = trainer.global_step, time.monotonic()
        if isinstance(trainer.train_dataloader, TrainLoader):
            trainer.train_dataloader.before_batch = partial(self._between_batches, trainer)
        # where a schedule asked for the length of the training, Lightning made the loader before it had its state
        trainer.fit_loop._load_combined_loader_states()
        if self._restored is not None:
            restore(trainer, self._restored["processes"][trainer.global_rank])
            if self._restored["ended"] or not trainer.fit_loop.epoch_loop.batch_progress.current.ready:
                end_restart(trainer.fit_loop)  # else Lightning takes an epoch's begin for its end
            if self._is_of_this_run(trainer):  # whose metrics.csv has the floor
                assert isinstance(module, Task)
                module._val_floor_is_logged = self._restored["val_floor_is_logged"]
        self.stop.listen(trainer)

    def on_train_batch_end(self, trainer: pl.Trainer, module: pl.LightningModule, *_: Any) -> None:
        if self._restored is not None:
            add_sums(trainer, self._restored["processes"][trainer.global_rank]["sums"])
            self._restored = None

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._save(trainer, ended=True)
        if trainer.is_global_zero and self.path.is_file():  # else the one before is all that there is
            self.path.with_name(PREVIOUS).unlink(missing_ok=True)
        self._stop_if_asked(trainer)
        self.stop.end()

    def on_exception(self, trainer: pl.Trainer, module: pl.LightningModule, exception: BaseException) -> None:
        self.stop.end()

    def _is_of_this_run(self, trainer: pl.Trainer) -> bool:
        """Whether the checkpoint that the training goes on from lies in its own folder."""
        return Path(str(trainer.ckpt_path)).absolute().parent == self.path.parent

    def _between_batches(self, trainer: pl.Trainer) -> None:
        end_restart(trainer.fit_loop)  # Lightning would hold back plateau for the whole epoch
        loop, fetcher = trainer.fit_loop.epoch_loop, trainer.fit_loop._data_fetcher
        assert fetcher is not None
        if loop.batch_progress.current.ready:  # else an epoch begins
            accumulates, validated = not loop._accumulated_batches_reached(), loop._should_check_val_fx(fetcher)
            if accumulates or validated or not self._any(trainer, self._due(trainer) or self.stop.received is not None):
                return
        if trainer.global_step > self._saved_step:
            self._save(trainer)
        self._stop_if_asked(trainer)

    def _due(self, trainer: pl.Trainer) -> bool:
        if self.every_n_train_steps and trainer.global_step - self._saved_step >= self.every_n_train_steps:
            return True
        return self.every_n_minutes is not None and time.monotonic() - self._saved_time >= 60 * self.every_n_minutes

    def _any(self, trainer: pl.Trainer, here: bool) -> bool:
        """Whether it is so in any of the processes."""
        return trainer.strategy.reduce_boolean_decision(here, all=False) if trainer.world_size > 1 else here

    def _stop_if_asked(self, trainer: pl.Trainer) -> None:
        if not self._any(trainer, self.stop.received is not None):
            return
        if self._any(trainer, self.stop.by_slurm):
            with self._describing(trainer, ended=False):
                self.stop.requeue()
        raise Stopped(self.stop.received or signal.SIGTERM, trainer.global_step)

    def _save(self, trainer: pl.Trainer, ended: bool = False) -> None:
        self._saved_step, self._saved_time = trainer.global_step, time.monotonic()
        if trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        ours = isinstance(trainer.strategy.checkpoint_io, WholeCheckpointIO)
        with self._describing(trainer, ended):
            trainer.save_checkpoint(self.path, weights_only=False, storage_options={"spare": True} if ours else None)

    @contextmanager
    def _describing(self, trainer: pl.Trainer, ended: bool) -> Iterator[None]:
        """Checkpoints that are written meanwhile get what it takes to go on exactly."""
        rows = [logger.sync() for logger in trainer.loggers if isinstance(logger, MetricsCSV)]
        self._writing = {
            "processes": collect(trainer),
            "metrics_rows": rows[0] if rows else None,
            "val_floor_is_logged": getattr(trainer.lightning_module, "_val_floor_is_logged", False),
            "ended": ended,
            "stopped_early": ended and trainer.should_stop,
        }
        try:
            yield
        finally:
            self._writing = None


def end_restart(loop: _Loop) -> None:
    """`restarting = False` for a loop and those within: with max_steps, FitLoop's own setter makes that True."""
    _Loop.restarting.fset(loop, False)  # type: ignore[attr-defined]
