"""Many photographs through one colorizer: reading, the network and writing at the same time, in bounded memory."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from colorize.album.coloring import color
from colorize.album.faults import full_disk, is_full, reason
from colorize.album.ledger import LedgerRow
from colorize.album.output import Made, write_pictures
from colorize.album.pages import make_pages
from colorize.album.plan import Job
from colorize.album.settings import Settings
from colorize.album.stop import StoppedError
from colorize.color.tone import is_colored
from colorize.errors import ColorizeError, ImageError
from colorize.images import Header, Photograph, read_header, read_photograph
from colorize.inference.colorizer import Colorizer
from colorize.inference.renderer import MOST_ON_A_CPU

MEGAPIXELS_IN_FLIGHT = 200  # of all photographs that are in memory, unless a single one has more


@dataclass
class _Item:
    """A photograph on its way; `photograph` and `small` are there once it is read."""

    job: Job
    megapixels: float
    photograph: Photograph | None = None
    small: Tensor | None = None
    is_colored: bool = False
    seconds: float = 0.0


@dataclass
class Pipeline:
    """The pipeline: threads read photographs, merge and write them, and on a CPU run the network too.

    Photographs whose small pictures have the same shape share a batch. What goes wrong with a photograph becomes its
    result, and the others go on; only a full disk ends everything (`disk_full`).

    Args:
        colorizer: gives the colours.
        settings: how.
        record: called in the calling thread with the result of each photograph, as they are finished.
        threads: how many compute at the same time; there is one more, for when one of them waits for the disk.
        stopping: once it is true, nothing more is begun.
    """

    colorizer: Colorizer
    settings: Settings
    record: Callable[[LedgerRow], None]
    threads: int = 1
    stopping: Callable[[], bool] = lambda: False
    disk_full: str | None = field(default=None, init=False)
    _reading: dict[Future[None], _Item] = field(default_factory=dict, init=False)
    _groups: dict[torch.Size, list[_Item]] = field(default_factory=dict, init=False)
    _predicting: dict[Future[Sequence[Made]], list[_Item]] = field(default_factory=dict, init=False)
    _writing: dict[Future[None], _Item] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        torch.get_num_threads()  # settles the calling thread's number, before other threads set theirs
        self._workers = ThreadPoolExecutor(self.threads + 1, "worker")
        is_cpu = self.colorizer.device.type == "cpu"
        self._predictor = self._workers if is_cpu else ThreadPoolExecutor(1, "predictor")
        self._batch_size = min(self.settings.batch_size, MOST_ON_A_CPU) if is_cpu else self.settings.batch_size
        self._most = 2 * (self._batch_size + self.threads)

    def run(self, jobs: Iterable[Job]) -> None:
        """Make the pictures of photographs, until all are finished or it is stopped."""
        for job in jobs:
            self.add(job)
            if self.stopped:
                break
        self.finish()

    def add(self, job: Job) -> None:
        """Begin a photograph; waits for others to be finished when too many are in memory.

        A file of several pages is finished, too: they are read, coloured and written here, one after another.
        """
        header = _header(job.file)
        item = _Item(job, _megapixels(header))
        if header is not None and header.pages > 1:
            self._make_pages(item, header.pages)
        elif self._wait_for_room(header):
            self._reading[self._workers.submit(self._read, item, self._torch_threads())] = item
            self._collect()

    def _wait_for_room(self, header: Header | None) -> bool:
        """Wait until one more photograph may be in memory; False when it is not to be begun."""
        while (others := self._in_flight()) and not self.stopped:
            megapixels = _megapixels(header) + sum(other.megapixels for other in others)
            if len(others) < self._most and megapixels <= MEGAPIXELS_IN_FLIGHT:
                break
            self._advance()
        return not self.stopped

    def finish(self) -> None:
        """Finish all that was begun; when stopping, only what is being written."""
        while self._in_flight() and not self.stopped:
            self._advance()
        self._workers.shutdown(cancel_futures=True)
        self._predictor.shutdown(cancel_futures=True)
        self._writing = {future: item for future, item in self._writing.items() if not future.cancelled()}
        self._reading.clear()
        self._predicting.clear()
        self._collect()

    @property
    def stopped(self) -> bool:
        """Whether nothing more is begun."""
        return self.disk_full is not None or self.stopping()

    def _in_flight(self) -> list[_Item]:
        together = [*self._groups.values(), *self._predicting.values()]
        return [*self._reading.values(), *self._writing.values(), *(item for items in together for item in items)]

    def _torch_threads(self) -> int:
        """The threads that torch may use for one more photograph, beside those in memory."""
        return max(1, self.threads // (1 + len(self._in_flight())))

    def _advance(self) -> None:
        """Wait until one of the threads has done something; if none is reading, show the network the largest group."""
        if not self._reading and self._groups:
            self._predict(self._groups.pop(max(self._groups, key=lambda shape: len(self._groups[shape]))))
        running: list[Future[Any]] = [*self._reading, *self._predicting, *self._writing]
        wait(running, return_when=FIRST_COMPLETED)
        self._collect()

    def _collect(self) -> None:
        """Take what the threads have finished, without waiting, and show the network the groups that are full."""
        for future in [future for future in self._writing if future.done()]:
            self._end(self._writing.pop(future), future.exception())
        for made in [made for made in self._predicting if made.done()]:
            self._take(self._predicting.pop(made), made)
        for future in [future for future in self._reading if future.done()]:
            item = self._reading.pop(future)
            error = future.exception()
            if error is not None:
                self._end(item, error)
            elif item.is_colored:
                self._write(item, None)
            elif item.small is None:
                self._predict([item])
            else:
                group = self._groups.setdefault(item.small.shape, [])
                group.append(item)
                if len(group) >= self._batch_size:
                    self._predict(self._groups.pop(item.small.shape))

    def _take(self, items: list[_Item], made: Future[Sequence[Made]]) -> None:
        """Have what the network said written; photograph by photograph again if it failed on all of them together."""
        error = made.exception()
        if error is None:
            for item, picture in zip(items, made.result(), strict=True):
                self._write(item, picture)
        elif len(items) == 1:
            self._end(items[0], error)
        else:
            for item in items:
                self._predict([item])

    def _read(self, item: _Item, torch_threads: int) -> None:
        started = time.perf_counter()
        torch.set_num_threads(torch_threads)
        if not item.job.file.is_file():
            raise ImageError(f"{item.job.file}: is no longer there, or is not a file")
        gray = not (self.colorizer.needs_color or self.settings.keep_color or self.settings.side_by_side)
        item.photograph = read_photograph(item.job.file, self.settings.max_megapixels, gray=gray)
        if not self.colorizer.at_full_size:
            item.small = self.colorizer.shrink(item.photograph.pixels)
            item.is_colored = self.settings.keep_color and is_colored(item.small)
        item.seconds += time.perf_counter() - started

    def _make_pages(self, item: _Item, count: int) -> None:
        started, failure = time.perf_counter(), None
        try:
            item.is_colored = make_pages(item.job, count, self.colorizer, self.settings, self._wait_for_room)
        except StoppedError:
            return
        except Exception as error:
            failure = error
        item.seconds += time.perf_counter() - started
        self._end(item, failure)

    def _predict(self, items: list[_Item]) -> None:
        """Have a thread show them to the network."""
        self._predicting[self._predictor.submit(self._make, items, self._torch_threads())] = items

    def _make(self, items: list[_Item], torch_threads: int) -> Sequence[Made]:
        started = time.perf_counter()
        torch.set_num_threads(torch_threads)
        made: Sequence[Made]
        if self.colorizer.at_full_size:
            made = [self.colorizer.render(item.photograph.pixels) for item in items if item.photograph]
        else:
            seen = [(item.photograph, item.small) for item in items if item.photograph and item.small is not None]
            made = color(self.colorizer, seen, self.settings)
        for item in items:
            item.seconds += (time.perf_counter() - started) / len(items)
        return made

    def _write(self, item: _Item, made: Made) -> None:
        """Have a thread merge and write it."""
        self._writing[self._workers.submit(self._merge_and_write, item, made, self._torch_threads())] = item

    def _merge_and_write(self, item: _Item, made: Made, torch_threads: int) -> None:
        started = time.perf_counter()
        torch.set_num_threads(torch_threads)
        assert item.photograph is not None
        write_pictures(item.job, item.photograph, made, self.settings)
        item.seconds += time.perf_counter() - started

    def _end(self, item: _Item, error: BaseException | None) -> None:
        job = item.job
        if is_full(error):
            self.disk_full = full_disk(job.output.parent)
            return
        status, message = ("colored", "already in colour: copied") if item.is_colored else ("done", "")
        if error is not None:
            status, message = "failed", reason(job.file, error)
        try:
            self.record(LedgerRow(str(job.file), status, str(job.output), round(item.seconds, 3), message))
        except ColorizeError as failure:
            if not is_full(failure):
                raise
            self.disk_full = full_disk(job.output.parent)


def _header(file: Path) -> Header | None:
    """None for a file that cannot be read: reading its pixels then gives the reason."""
    try:
        return read_header(file)
    except ImageError:
        return None


def _megapixels(header: Header | None) -> float:
    """Those of a photograph's memory: 16 bits count twice, a file that cannot be read counts 0."""
    return 0.0 if header is None else header.bit_depth / 8 * header.width * header.height / 1e6
