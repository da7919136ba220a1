"""One sentence when a process of a training ends before the others."""

import os
import shlex
import subprocess
import sys
import threading

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from colorize.cli.quoting import quote_if_needed

SECONDS = 5  # to wait: an error that all processes share ends this one too, with its own message


def how_to_go_on(run_dir: str) -> str:
    """What to do after a training that lost one of its processes."""
    word = shlex.quote(f"ckpt_path={quote_if_needed(f'{run_dir}/checkpoints/last.ckpt')}")
    return f"{word} goes on from the last checkpoint."


class WatchRanks(Callback):
    """Ends the first process of a machine, and those that it has started, when one of those ended with an error.

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
        threading.Thread(target=self._watch, args=(self._ended, trainer.default_root_dir), daemon=True).start()

    def teardown(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:
        if self._ended is not None:
            self._ended.set()

    def on_exception(self, trainer: pl.Trainer, module: pl.LightningModule, exception: BaseException) -> None:
        """A process that was killed may be the reason: `_watch` then ends this one within the second."""
        if self._ended is None:
            return
        self._ended.wait(1)
        self._ended.set()
        for process in self._others:
            process.terminate()

    def _watch(self, ended: threading.Event, run_dir: str) -> None:
        while not ended.wait(0.1):
            for number, process in enumerate(self._others, 2):
                code = process.poll()
                if code is not None and (code < 0 or (code > 0 and not ended.wait(SECONDS))):
                    self._end(number, code, run_dir)

    def _end(self, number: int, code: int, run_dir: str) -> None:
        for process in self._others:
            process.kill()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        sys.stderr.write(
            f"error: process {number} of {len(self._others) + 1} {how}, which ends the training: "
            f"{how_to_go_on(run_dir)}\n"
        )
        sys.stderr.flush()
        os._exit(1)
