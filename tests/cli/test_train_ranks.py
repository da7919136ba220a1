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


@pytest.mark.parametrize("first", [False, True])
def test_a_process_that_is_killed_ends_the_training_in_one_sentence(first: bool, tmp_path: Path) -> None:
    command = [sys.executable, "train.py", *TWO, *ENDLESS, "model.network.width=4", f"hydra.run.dir={tmp_path}/run"]
    process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 300
    while not (tmp_path / "run/checkpoints/last.ckpt").is_file() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(process.pid if first else other_rank(process), signal.SIGKILL)
    _, err = process.communicate(timeout=120)  # until the other one has closed its standard error too
    assert process.returncode == (-signal.SIGKILL if first else 1)
    assert err.count("error: ") == 1
    who = "Another process of this training has died" if first else "process 2 of 2 was killed by signal 9"
    assert f"error: {who}" in err
    assert f"ckpt_path={tmp_path}/run/checkpoints/last.ckpt goes on" in err
    assert "Traceback" not in err
