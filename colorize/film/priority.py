"""The priority of threads, which an encoder does not change."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def same_priority() -> Iterator[None]:
    """While an encoder is opened: afterwards this thread, and each that was started within, is scheduled as before.

    Where it may (as root, in a container say), SVT-AV1 makes itself and the thread that opens it real-time threads,
    before which nothing else on the machine gets a core, and child processes inherit that.
    """
    if sys.platform != "linux":
        yield
        return
    own, before = _scheduling(0), _threads()
    try:
        yield
    finally:
        for thread in (0, *_threads() - before):
            with suppress(ProcessLookupError):  # it has ended
                if _scheduling(thread) != own:
                    os.sched_setscheduler(thread, own[0], os.sched_param(own[1]))


def _threads() -> set[int]:
    """Those of this process, as Linux numbers them."""
    return {int(thread.name) for thread in Path("/proc/self/task").iterdir()}


def _scheduling(thread: int) -> tuple[int, int]:
    """The policy of a thread, and its priority within that; 0 is this thread."""
    return os.sched_getscheduler(thread), os.sched_getparam(thread).sched_priority
