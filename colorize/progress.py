"""Bars of progress that can be read in a log, too."""

import time
from typing import TypeVar

from tqdm import tqdm

Bar = TypeVar("Bar", bound=tqdm)
SECONDS = 30
"""Between two lines of a log."""


def in_lines(bar: Bar) -> Bar:
    """The same bar; where it is on no terminal, it is written as lines: one each half a minute, and its last."""
    if bar.disable or bar.fp.isatty():
        return bar
    file = bar.fp
    shown = time.monotonic()

    def show(text: str) -> None:
        nonlocal shown
        now, is_last = time.monotonic(), bar.disable
        if text and (is_last or now >= shown + SECONDS):
            shown = now
            file.write(text if is_last else f"{text}\n")  # tqdm ends the last
            file.flush()

    file.write("\n")  # after the state that tqdm has begun with
    bar.sp = show
    return bar
