"""Ctrl-C without a traceback: importing this first makes it end the imports that follow, of a command that has begun
nothing; `stoppable` is for what a command does then."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


def end_now(number: int, frame: FrameType | None) -> None:
    """End the process with exit code 130. Libraries that are half imported may swallow a KeyboardInterrupt."""
    if os.environ.get("LOCAL_RANK", "0") == "0":  # the other ranks get the same Ctrl-C
        sys.stderr.write("stopped before anything was begun.\n")
        sys.stderr.flush()
    os._exit(130)


def restore() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again, where this module has changed that."""
    if signal.getsignal(signal.SIGINT) is end_now:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def stoppable() -> Iterator[None]:
    """Ctrl-C within raises KeyboardInterrupt and ends the process with one line and exit code 130, also where a library
    makes another error of it."""
    asked = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) in (end_now, signal.default_int_handler):  # not ignored, as behind nohup
        signal.signal(signal.SIGINT, stop)
    try:
        yield
    except BaseException as error:
        if not asked and not _follows_ctrl_c(error):
            raise
        sys.stderr.write("stopped.\n")
        raise SystemExit(130) from None


def _follows_ctrl_c(error: BaseException | None) -> bool:
    """Whether it is a KeyboardInterrupt, or was raised while one was handled."""
    return error is not None and (isinstance(error, KeyboardInterrupt) or _follows_ctrl_c(error.__context__))


if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, end_now)
