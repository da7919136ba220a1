"""One album on one or several devices: Lightning's predict, where each process has its share of the photographs."""

import os
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from types import FrameType, TracebackType
from typing import Any

import pytorch_lightning as pl
import torch.distributed as dist
from PIL import Image
from torch.utils.data import DataLoader, IterableDataset
from tqdm import tqdm

from colorize.album.ledger import Report, Result
from colorize.album.pipeline import Album
from colorize.album.plan import Job, Plan
from colorize.album.settings import Settings
from colorize.errors import ColorizeError
from colorize.inference.colorizer import Colorizer

KEPT = "the output exists; overwrite=true replaces it"
AS_LONG_AS_IT_TAKES = timedelta(days=365)  # shares end at different times


class Stop:
    """Ctrl-C and SIGTERM: before the first photograph they end the process, then they are a wish that is asked for."""

    def __init__(self) -> None:
        self.asked = False
        self.gentle = False
        self._parent = os.getppid()

    def __enter__(self) -> "Stop":
        self._before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        self.listen()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self.asked and not self.gentle:
            print("stopped before the first photograph.", file=sys.stderr)
            raise SystemExit(130) from None

    def listen(self) -> None:
        for number in self._before:
            signal.signal(number, self._ask)

    def orphaned(self) -> bool:
        """Whether the process that started this one has been killed."""
        return os.getppid() != self._parent

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        if not self.gentle:
            raise KeyboardInterrupt


@dataclass
class Outcome:
    """What became of the photographs: how many have which status, and the messages of those that failed."""

    total: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    stopped: bool = False
    disk_full: str | None = None

    def add(self, result: Result) -> None:
        self.counts[result.status] += 1
        if result.status == "failed":
            self.failed.append(result.message)

    @property
    def left(self) -> int:
        """How many are neither made nor failed."""
        return self.total - self.counts.total()

    def summary(self) -> str:
        colored = f"{self.counts['colored']} in colour already, " if self.counts["colored"] else ""
        return f"{self.counts['done']} written, {colored}{self.counts['kept']} kept, {self.counts['failed']} failed"

    def join(self, other: "Outcome") -> None:
        self.counts += other.counts
        self.failed += other.failed
        self.stopped |= other.stopped
        self.disk_full = self.disk_full or other.disk_full


class AlbumModule(pl.LightningModule):
    """Makes the pictures of a plan. The first process finds out what is to be done and hands it to the others.

    Args:
        colorizer: on the device of this process.
        plan: of the first process; None on the others.
        settings: how.
        stop: whether the user wants it to end.
    """

    def __init__(self, colorizer: Colorizer, plan: Plan | None, settings: Settings, stop: Stop) -> None:
        super().__init__()
        if settings.keep_color and colorizer.at_full_size:
            raise ColorizeError("keep_color=true has no use with weights that take colour away: leave it out.")
        self.colorizer = colorizer
        self.plan = plan
        self.settings = settings
        self.stop = stop
        self.outcome = Outcome()
        self.report: Report | None = None

    def setup(self, stage: str) -> None:
        """After the processes have been started: share the work out."""
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # max_megapixels decides
        jobs = self._todo() if self.plan is not None else []
        folder = self.plan.folder if self.plan is not None else None
        if self._world > 1:
            group: Any = dist.new_group(backend="gloo", timeout=AS_LONG_AS_IT_TAKES)
            self._group = group
            box = [(jobs, folder)]
            dist.broadcast_object_list(box, src=0, group=self._group)
            jobs, folder = box[0]
        if folder is not None and self.report is None:
            self.report = Report(folder)
        self._share = jobs[self.global_rank :: self._world]
        threads = self.settings.threads(self.trainer.num_devices)
        self.album = Album(self.colorizer, self.settings, self._record, threads, self._stopping)
        self._bar = tqdm(
            total=len(self._share),
            desc=f"process 1 of {self._world}" if self._world > 1 else None,
            unit=" photographs",
            mininterval=0.1 if sys.stderr.isatty() else 30,
            disable=self.global_rank != 0 or not self._share,
        )

    def predict_dataloader(self) -> Any:
        return DataLoader(_Numbers(len(self._share), lambda: self.album.stopped), batch_size=None)

    def on_predict_start(self) -> None:
        self.stop.listen()  # Lightning has set handlers of its own
        self.stop.gentle = True

    def predict_step(self, number: int) -> int:
        self.album.add(self._share[number])
        return number

    def on_predict_end(self) -> None:
        self.album.finish()
        self._bar.close()
        self.outcome.stopped = self.stop.asked
        self.outcome.disk_full = self.album.disk_full
        if self.stop.asked:  # by a signal that may have reached this process alone
            for process in getattr(self.trainer.strategy.launcher, "procs", []):
                process.send_signal(signal.SIGTERM)
        if self._world > 1:
            outcomes = [Outcome()] * self._world
            dist.all_gather_object(outcomes, self.outcome, group=self._group)
            for other in outcomes[1:]:
                self.outcome.join(other)
        if self.report is not None and self.global_rank == 0:
            self.report.close()

    def _todo(self) -> list[Job]:
        """What is not there yet; the others get a row in the report, unless an earlier start has told of them."""
        assert self.plan is not None
        self.outcome.total = len(self.plan.jobs)
        if self.plan.folder is not None:
            self.report = Report(self.plan.folder)
        todo = []
        for job in self.plan.jobs:
            status = self.report.status(job.file) if self.report is not None else None
            if self.settings.overwrite or not _is_there(job, status):
                todo.append(job)
            elif status in (None, "failed"):
                self._record(Result(str(job.file), "kept", str(job.output), 0.0, KEPT))
            else:
                self.outcome.counts["kept"] += 1
        return todo

    def _record(self, result: Result) -> None:
        if self.report is not None:
            self.report.add(result)
        self.outcome.add(result)
        if result.status != "kept":
            self._bar.update()

    def _stopping(self) -> bool:
        return self.stop.asked or (self.trainer.local_rank > 0 and self.stop.orphaned())

    @property
    def _world(self) -> int:
        return self.trainer.world_size


class _Numbers(IterableDataset[int]):
    """Of the photographs of a share, until the end is wished for."""

    def __init__(self, count: int, stopping: Callable[[], bool]) -> None:
        self.count = count
        self.stopping = stopping

    def __iter__(self) -> Iterator[int]:
        for number in range(self.count):
            if self.stopping():
                return
            yield number


def _is_there(job: Job, status: str | None) -> bool:
    """Whether every picture is; photographs already in colour have none side by side."""
    return job.output.exists() and (status == "colored" or all(picture.exists() for picture in job.pictures))
