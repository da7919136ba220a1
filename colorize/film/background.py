"""Iterators that work ahead in threads of their own, in bounded memory."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from typing import TypeVar

from colorize.album.stop import StoppedError

S = TypeVar("S")
T = TypeVar("T")
PATIENCE = 0.1  # seconds between two looks at whether the user wants to stop


def work_ahead(
    source: Iterable[T], most: int, stopping: Callable[[], bool] = lambda: False
) -> Generator[T, None, None]:
    """The items of `source`, at most `most` of which a thread has ready; what `source` raises is raised here.

    When this iterator is closed, the thread has ended; what `source` raises of being closed is dropped.

    Raises:
        StoppedError: `stopping` became true.
    """
    ready: queue.Queue[tuple[T | None, BaseException | None, bool]] = queue.Queue(most)
    closed = threading.Event()

    def work() -> None:
        error: BaseException | None = None
        try:
            items = iter(source)
            for item in items:
                if closed.is_set():
                    break
                ready.put((item, None, False))
            if hasattr(items, "close"):
                items.close()
        except BaseException as raised:
            error = raised
        ready.put((None, error, True))

    thread = threading.Thread(target=work, name="work_ahead", daemon=True)
    thread.start()
    last = False
    try:
        while not last:
            if stopping():
                raise StoppedError
            with suppress(queue.Empty):
                item, error, last = ready.get(timeout=PATIENCE)
                if error is not None:
                    raise error
                if not last:
                    yield item  # type: ignore[misc] # an item is there unless it is the last
    finally:
        closed.set()
        while not last:
            last = ready.get()[2]
        thread.join()


def map_ahead(function: Callable[[S], T], source: Generator[S, None, None], threads: int) -> Generator[T, None, None]:
    """`function` of each item, in their order, in so many threads, which work a few items ahead.

    When this iterator has ended, by an error too, `source` is closed.
    """
    waiting: deque[Future[T]] = deque()
    with closing(source), ThreadPoolExecutor(threads) as pool:
        try:
            for item in source:
                waiting.append(pool.submit(function, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
