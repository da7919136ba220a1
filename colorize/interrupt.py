"""Importing this first makes Ctrl-C end the imports that follow without a traceback: nothing has been begun yet."""

import os
import signal
import sys
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


if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, end_now)
