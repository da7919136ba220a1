"""Real starts of predict.py, ended in the middle."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image

REPO = Path(__file__).resolve().parents[2]
PHOTOGRAPHS = 200
Process: TypeAlias = "subprocess.Popen[str]"


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


def run_until(reached: Callable[[], bool], end: Callable[[Process], None], command: list[str]) -> tuple[int, str, str]:
    """Run `python COMMAND` and end it once something is reached; its exit code, stdout and stderr."""
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=REPO,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            deadline = time.monotonic() + 300
            while process.poll() is None and not reached():
                assert time.monotonic() < deadline
                time.sleep(0.002)
            end(process)
            out, err = process.communicate(timeout=300)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, out, err


def start(command: list[str], output: Path, end: Callable[[Process], None], at_least: int) -> Start:
    """Run predict.py and end it once `at_least` more pictures are there."""
    before = len(pictures(output))
    code, out, err = run_until(lambda: len(pictures(output)) >= before + at_least, end, command)
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


def other_rank(process: Process) -> int:
    """The id of the process that the first rank has started."""
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    (found,) = [int(line.split()[0]) for line in table.splitlines() if line.split()[1] == str(process.pid)]
    return found
