"""Real starts of predict.py, ended in the middle."""

import csv
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tests.cli.conftest import Finished, Started

PHOTOGRAPHS = 200


@dataclass(frozen=True)
class Start:
    """One start of predict.py, and what lay in the folder of pictures when it had ended."""

    code: int
    out: str
    err: str
    pictures: dict[str, tuple[int, int]]
    others: list[str]
    rows: list[dict[str, str]]


def paint_album(folder: Path) -> Path:
    """200 small photographs of three sizes in seven folders."""
    rng = np.random.default_rng(0)
    for number in range(PHOTOGRAPHS):
        path = folder / f"{number % 7}" / f"{number:03}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (6, 9), dtype=np.uint8)).resize((240, 160 + number % 3)).save(path)
    return folder


def run_until(reached: Callable[[], bool], end: Callable[[Started], None], process: Started) -> Finished:
    """End a process once something is reached; what it and all that it has started came to."""
    asked = time.monotonic()
    deadline = asked + 300
    while not reached():
        now = time.monotonic()
        assert now < deadline
        if now > asked + 0.2:  # seldom, since the answer of another process takes its time where cores are busy
            if process.poll() is not None:
                break
            asked = now
        time.sleep(0.002)
    end(process)
    return process.end_all()


def start(process: Started, output: Path, end: Callable[[Started], None], at_least: int) -> Start:
    """End predict.py once `at_least` more pictures are there."""
    before = len(pictures(output))
    code, out, err = run_until(lambda: len(pictures(output)) >= before + at_least, end, process)
    files = {str(path.relative_to(output)) for path in output.rglob("*") if path.is_file()}
    found = pictures(output)
    return Start(code, out, err, found, sorted(files - set(found)), rows(output))


def pictures(output: Path) -> dict[str, tuple[int, int]]:
    """The (inode, modification time) of every picture."""
    found = {}
    for path in output.rglob("*.jpg"):
        status = path.stat()
        found[str(path.relative_to(output))] = (status.st_ino, status.st_mtime_ns)
    return found


def rows(output: Path) -> list[dict[str, str]]:
    with (output / "report.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def other_rank(process: Started) -> int:
    """The id of the process that the first rank has started."""
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    (found,) = [int(line.split()[0]) for line in table.splitlines() if line.split()[1] == str(process.pid)]
    return found
