"""A folder of 200 photographs, stopped by Ctrl-C, killed outright, and finished by the third start."""

import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.cli.starts import PHOTOGRAPHS, Start, paint_album, start

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return paint_album(tmp_path_factory.mktemp("album") / "album")


@pytest.fixture(scope="module")
def starts(commands: Any, trained: Any, album: Path) -> list[Start]:
    """Ctrl-C after 20 pictures, kill -9 after 20 more, and to the end."""
    output = album.parent / "colour"
    command = ["predict.py", f"checkpoint={trained.best}", f"input={album}", f"output={output}"]
    command += ["trainer.accelerator=cpu", "batch_size=2", "num_threads=1"]
    return [
        start(commands.start(*command), output, lambda process: process.send_signal(signal.SIGINT), 20),
        start(commands.start(*command), output, lambda process: os.killpg(process.pid, signal.SIGKILL), 20),
        start(commands.start(*command), output, lambda process: None, PHOTOGRAPHS),
    ]


def test_ctrl_c_ends_cleanly(starts: list[Start]) -> None:
    stopped = starts[0]
    assert stopped.code == 130, stopped.err
    assert "Traceback" not in stopped.err
    assert 20 <= len(stopped.pictures) < PHOTOGRAPHS
    assert stopped.others == ["report.csv"]
    left = PHOTOGRAPHS - len(stopped.pictures)
    assert stopped.err.endswith(f"stopped: {left} of 200 photographs are left; the same command goes on with them.\n")
    assert {row["status"] for row in stopped.rows} == {"done"}
    assert len(stopped.rows) == len(stopped.pictures)


def test_what_is_there_stays_as_it_is(starts: list[Start]) -> None:
    stopped, killed, finished = starts
    assert killed.code == -signal.SIGKILL
    assert len(stopped.pictures) + 20 <= len(killed.pictures) < PHOTOGRAPHS
    assert stopped.pictures.items() <= killed.pictures.items()
    assert killed.pictures.items() <= finished.pictures.items()


def test_the_next_start_goes_on_to_the_end(starts: list[Start], album: Path) -> None:
    _, killed, finished = starts
    assert finished.code == 0, finished.err
    assert finished.others == ["report.csv"]
    photographs = {str(path.relative_to(album)) for path in album.rglob("*.jpg")}
    assert set(finished.pictures) == photographs
    for name in photographs:
        with Image.open(album.parent / "colour" / name) as picture, Image.open(album / name) as photograph:
            picture.load()
            assert (picture.mode, picture.size) == ("RGB", photograph.size)
    counts = re.fullmatch(r"(\d+) written, (\d+) kept, 0 failed: .*\n", finished.out)
    assert counts is not None, finished.out
    assert int(counts[2]) == len(killed.pictures)
    assert int(counts[1]) == PHOTOGRAPHS - len(killed.pictures)


def test_the_report_has_one_row_for_each(starts: list[Start], album: Path) -> None:
    _, killed, finished = starts
    assert sorted(row["file"] for row in finished.rows) == sorted(str(path) for path in album.rglob("*.jpg"))
    assert {row["status"] for row in finished.rows} <= {"done", "kept"}
    earlier = {row["file"]: row for row in killed.rows if row["message"] is not None}
    now = {row["file"]: row for row in finished.rows}
    assert all(now[file] == row for file, row in earlier.items())
