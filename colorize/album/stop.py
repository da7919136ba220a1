"""Ctrl-C and SIGTERM."""

import os
import signal
import sys
from types import FrameType, TracebackType


class StoppedError(Exception):
    """The user has stopped, and what is not finished is dropped."""


class Stop:
    """Before the first photograph, Ctrl-C and SIGTERM end the process; once `gentle`, they only set `asked`.

    One that is ignored stays so, as Ctrl-C is in the background of a script.

    Raises:
        SystemExit: 130, when the block was left because of them before the first photograph.
    """

    def __init__(self) -> None:
        self.asked = False
        self.gentle = False

    def __enter__(self) -> "Stop":
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        self._before = {number: handler for number, handler in handlers.items() if handler is not signal.SIG_IGN}
        for number in self._before:
            signal.signal(number, self._ask)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self.asked and not self.gentle:
            if os.environ.get("LOCAL_RANK", "0") == "0":  # one rank says it for all
                print("stopped before the first photograph.", file=sys.stderr)
            raise SystemExit(130) from None

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        if not self.gentle:
            raise KeyboardInterrupt
