"""One sentence when a process of a training is killed."""

import os
import subprocess
import sys
import threading

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback


class WatchRanks(Callback):
    """Ends the first process of a machine, and those that it has started, when one of those was killed.

    Takes the place of Lightning's own watcher, which kills all of them without a word.
    """

    def __init__(self) -> None:
        self._others: list[subprocess.Popen[bytes]] = []
        self._ended: threading.Event | None = None  # made in the process that watches: it cannot be pickled

    def setup(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:
        started = getattr(trainer.strategy.launcher, "procs", [])
        if stage != "fit" or not started or not isinstance(started[0], subprocess.Popen):
            return
        self._others, self._ended = [*started], threading.Event()
        started.clear()  # which Lightning's watcher looks at
        last = f"{trainer.default_root_dir}/checkpoints/last.ckpt"
        threading.Thread(target=self._watch, args=(self._ended, last), daemon=True).start()

    def teardown(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:
        if self._ended is not None:
            self._ended.set()

    def on_exception(self, trainer: pl.Trainer, module: pl.LightningModule, exception: BaseException) -> None:
        """A lost process may be the reason: `_watch` then ends this one within the second."""
        if self._ended is None:
            return
        self._ended.wait(1)
        self._ended.set()
        for process in self._others:
            process.terminate()

    def _watch(self, ended: threading.Event, last: str) -> None:
        while not ended.wait(0.1):
            for number, process in enumerate(self._others, 2):
                if (process.poll() or 0) < 0:
                    self._end(number, -process.returncode, last)

    def _end(self, number: int, killer: int, last: str) -> None:
        for process in self._others:
            process.kill()
        sys.stderr.write(
            f"error: process {number} of {len(self._others) + 1} was killed by signal {killer}, which ends the "
            f"training: ckpt_path={last} goes on from the last epoch that was completed.\n"
        )
        sys.stderr.flush()
        os._exit(1)
