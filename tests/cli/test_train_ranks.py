"""A training in two processes, one of which is killed."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.starts import other_rank

pytestmark = pytest.mark.slow
ENDLESS = ["trainer.max_epochs=100000", "data.image_size=32", "data.train_size=32", "data.val_size=8"]
TWO = ["trainer.accelerator=cpu", "trainer.devices=2", "trainer.strategy=ddp", "trainer.enable_progress_bar=false"]


@pytest.mark.parametrize("first", [False, True])
def test_a_process_that_is_killed_ends_the_training_in_one_sentence(first: bool, commands: Any, tmp_path: Path) -> None:
    process = commands.start("train.py", *TWO, *ENDLESS, "model.network.width=4", f"hydra.run.dir={tmp_path}/run")
    deadline = time.monotonic() + 300
    while not (tmp_path / "run/checkpoints/last.ckpt").is_file() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(process.pid if first else other_rank(process), signal.SIGKILL)
    code, _, err = process.end_all()
    assert code == (-signal.SIGKILL if first else 1)
    assert err.count("error: ") == 1
    who = "Another process of this training has died" if first else "process 2 of 2 was killed by signal 9"
    assert f"error: {who}" in err
    assert f"ckpt_path={tmp_path}/run/checkpoints/last.ckpt goes on" in err
    assert "Traceback" not in err
