"""Two ranks share 200 photographs: one is killed, then the other, then one is asked to end; the last start finishes."""

import itertools
import os
import signal
from typing import Any

import pytest

from tests.cli.starts import PHOTOGRAPHS, Start, other_rank, paint_album, start

pytestmark = pytest.mark.slow
AGAIN = "the others have ended, the same command goes on with the photographs that are left.\n"


@pytest.fixture(scope="module")
def starts(commands: Any, trained: Any, tmp_path_factory: pytest.TempPathFactory) -> list[Start]:
    folder = tmp_path_factory.mktemp("ranks")
    album, output = paint_album(folder / "album"), folder / "colour"
    command = ["predict.py", f"checkpoint={trained.best}", f"input={album}", f"output={output}", "batch_size=2"]
    command += ["num_threads=1", "trainer.accelerator=cpu"]
    two = [*command, "trainer.devices=2", "trainer.strategy=ddp"]
    return [
        start(commands.start(*two), output, lambda process: os.kill(other_rank(process), signal.SIGKILL), 20),
        start(commands.start(*two), output, lambda process: process.send_signal(signal.SIGKILL), 20),
        start(commands.start(*two), output, lambda process: os.kill(other_rank(process), signal.SIGTERM), 20),
        start(commands.start(*command), output, lambda process: None, PHOTOGRAPHS),
    ]


def test_a_rank_that_is_killed_ends_the_first_in_one_sentence(starts: list[Start]) -> None:
    killed = starts[0]
    assert killed.code == 1
    assert killed.err.count("error: ") == 1
    assert f"error: process 2 of 2 was killed by signal 9: {AGAIN}" in killed.err
    assert "Traceback" not in killed.err
    assert 20 <= len(killed.pictures) < PHOTOGRAPHS


def test_the_first_that_is_killed_ends_the_others_in_one_sentence(starts: list[Start]) -> None:
    killed = starts[1]
    assert killed.code == -signal.SIGKILL
    assert killed.err.count("error: ") == 1
    assert f"error: the first of 2 processes was killed by signal 9: {AGAIN}" in killed.err
    assert "Traceback" not in killed.err
    assert len(killed.pictures) < PHOTOGRAPHS


def test_a_wish_to_end_that_reaches_one_rank_ends_all(starts: list[Start]) -> None:
    stopped = starts[2]
    assert stopped.code == 130, stopped.err
    left = PHOTOGRAPHS - len(stopped.pictures)
    assert left > 0
    assert stopped.err.endswith(f"stopped: {left} of 200 photographs are left; the same command goes on with them.\n")
    assert "error" not in stopped.err
    assert stopped.others == ["report.csv"]
    assert len(stopped.rows) == len(stopped.pictures)


def test_nothing_is_lost_or_made_twice(starts: list[Start]) -> None:
    for earlier, later in itertools.pairwise(starts):
        assert earlier.pictures.items() <= later.pictures.items()
    finished = starts[-1]
    assert finished.code == 0, finished.err
    assert len(finished.pictures) == len(finished.rows) == PHOTOGRAPHS
    assert finished.others == ["report.csv"]
