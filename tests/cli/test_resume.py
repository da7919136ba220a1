"""Trainings that are killed or stopped, and go on by resume=true: real processes."""

import json
import re
import shlex
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.kills import differences
from tests.cli.conftest import TINY
from tests.cli.starts import run_until

pytestmark = pytest.mark.slow


def killed(commands: Any, folder: Path, *words: str) -> dict[str, Any]:
    """What a training that was killed several times came to, beside the same one in one go."""
    finished = commands("-m", "tests.benchmarks.kills", folder, *words, timeout=600)
    assert finished.code == 0, finished.err
    result: dict[str, Any] = json.loads(finished.out.splitlines()[-1])
    return result


def test_five_kills_leave_the_run_as_it_would_have_been(commands: Any, tmp_path: Path) -> None:
    result = killed(commands, tmp_path / "kills", "--kills=5", "trainer.max_epochs=6")
    assert result["differences"] == []
    assert len(result["moments"]) == 5


def test_two_processes_go_on_exactly(commands: Any, tmp_path: Path) -> None:
    two = ("trainer.devices=2", "trainer.strategy=ddp", "data.batch_size=4", "trainer.max_epochs=2")
    result = killed(commands, tmp_path / "kills", "--kills=1", "--writing=1", *two)
    assert result["differences"] == []
    (moment,) = result["moments"]
    assert "of step" in moment


def test_the_command_that_is_printed_goes_on(commands: Any, tmp_path: Path) -> None:
    words = ["train.py", *TINY, "trainer.max_epochs=12", "callbacks.curves=null"]
    whole, run = tmp_path / "whole", tmp_path / "run"
    commands.succeed(*words, f"hydra.run.dir={run}")
    run.rename(whole)
    process = commands.start(*words, f"hydra.run.dir={run}", "resume=true")
    code, out, err = run_until(
        (run / "checkpoints/last.ckpt").is_file, lambda started: started.send_signal(signal.SIGTERM), process
    )
    assert code == 128 + signal.SIGTERM, err
    assert "holds no checkpoint yet, so the training starts from the beginning" in out + err
    assert "Traceback" not in err
    found = re.fullmatch(r"stopped after step (\d+); go on with: python (.*)", out.splitlines()[-1])
    assert found is not None
    assert 4 <= int(found[1]) < 48
    finished = commands.succeed(*shlex.split(found[2]))
    assert f"step {found[1]} of epoch" in finished.out
    assert differences(run, whole) == []
