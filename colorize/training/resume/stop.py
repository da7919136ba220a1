"""SIGTERM and Ctrl-C while training: kept until the step that runs is done."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import pytorch_lightning as pl
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from pytorch_lightning.utilities.exceptions import SIGTERMException


class Stopped(Exception):  # noqa: N818 # no error
    """A training that ended because it was asked to, after its checkpoint was written.

    Args:
        signal_number: what asked it to; SIGTERM on a rank that was told by another.
        step: how many steps of the optimizer it has made.
    """

    def __init__(self, signal_number: int, step: int) -> None:
        super().__init__(signal_number, step)
        self.signal_number, self.step = signal_number, step


@contextmanager
def ended_by_sigterm(trainer: pl.Trainer) -> Iterator[None]:
    """A SIGTERM that `trainer` keeps until its batch is done ends the process, with one line and exit code 143.

    (Lightning itself ends with exit code 0, or forgets one that came in the last batch.)
    """
    with suppress(SIGTERMException):
        yield
    if trainer.received_sigterm:
        if trainer.is_global_zero:
            sys.stderr.write("stopped.\n")
        raise SystemExit(128 + signal.SIGTERM)


class StopRequest:
    """Catches SIGINT, SIGTERM and, in a job that Slurm may requeue, the signal by which it says so.

    A second Ctrl-C is not kept, but stops at once, without a checkpoint.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._before: dict[int, Any] = {}
        self._requeue: int | None = None

    def listen(self, trainer: pl.Trainer) -> None:
        """Begin, once Lightning has set its own handlers."""
        self.received = None
        environment = trainer._accelerator_connector.cluster_environment
        if isinstance(environment, SLURMEnvironment) and environment.auto_requeue:
            self._requeue = int(environment.requeue_signal or signal.SIGUSR1)
        if threading.current_thread() is threading.main_thread():
            for number in filter(None, (signal.SIGINT, signal.SIGTERM, self._requeue)):
                if signal.getsignal(number) != signal.SIG_IGN:  # as behind nohup
                    self._before[number] = signal.signal(number, self._keep)

    def end(self) -> None:
        """Give the signals back to those who had them."""
        while self._before:
            signal.signal(*self._before.popitem())

    @property
    def by_slurm(self) -> bool:
        """Whether Slurm is about to take the machine, and the job is to be queued again."""
        return self.received is not None and self.received == self._requeue

    def requeue(self) -> None:
        """Let Lightning do what it does at Slurm's signal: save a checkpoint of its own, and queue the job again."""
        handler = self._before.get(self._requeue or 0)
        if callable(handler):
            handler(self._requeue, None)

    def _keep(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and self.received is not None:
            raise KeyboardInterrupt
        self.received = number
