"""A training in two processes, one of which is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.starts import other_rank

REPO = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow
ENDLESS = ["trainer.max_epochs=100000", "data.image_size=32", "data.train_size=32", "data.val_size=8"]
TWO = ["trainer.accelerator=cpu", "trainer.devices=2", "trainer.strategy=ddp", "trainer.enable_progress_bar=false"]


def test_a_process_that_is_killed_ends_the_training_in_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "train.py", *TWO, *ENDLESS, "model.network.width=4", f"hydra.run.dir={tmp_path}/run"]
    process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 300
    while not (tmp_path / "run/checkpoints/last.ckpt").is_file() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(other_rank(process), signal.SIGKILL)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert err.count("error: ") == 1
    assert "error: process 2 of 2 was killed by signal 9, which ends the training: ckpt_path=" in err
    assert f"{tmp_path}/run/checkpoints/last.ckpt goes on" in err
    assert "Traceback" not in err
