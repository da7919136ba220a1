"""Bars of progress in a log, and on a terminal."""

import io
from typing import Any

import pytest
from tqdm import tqdm

from colorize import progress
from colorize.progress import in_lines


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def bar_of(file: io.StringIO, **options: Any) -> Any:
    return in_lines(tqdm(total=100, file=file, mininterval=0, miniters=1, ascii=True, ncols=80, **options))


def test_a_log_has_a_line_each_half_a_minute_and_the_last(clock: list[float]) -> None:
    log = io.StringIO()
    with bar_of(log, unit=" photographs") as bar:
        for _ in range(100):
            clock[0] += 1
            bar.update()
    begin, *lines, end = log.getvalue().split("\n")
    assert begin.startswith("\r  0%|")
    assert end == ""
    assert [line.split("|")[0] for line in lines] == [" 30%", " 60%", " 90%", "100%"]
    assert all("\r" not in line and " photographs/s" in line for line in lines)


def test_what_is_left_early_says_how_far_it_came() -> None:
    log = io.StringIO()
    with bar_of(log) as bar:
        bar.update(7)
    assert [line.split("|")[0] for line in log.getvalue().split("\n")] == ["\r  0%", "  7%", ""]


def test_a_terminal_has_one_line_that_moves() -> None:
    terminal = Terminal()
    with bar_of(terminal) as bar:
        bar.update(50)
    assert " 50%" in terminal.getvalue()
    assert terminal.getvalue().count("\n") == 1


def test_no_bar_writes_nothing() -> None:
    log = io.StringIO()
    with bar_of(log, disable=True) as bar:
        bar.update()
    assert log.getvalue() == ""
