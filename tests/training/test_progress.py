"""The progress of a training on a terminal of 80 columns."""

import fcntl
import os
import pty
import re
import struct
import sys
import termios
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytorch_lightning as pl
from omegaconf import OmegaConf
from pytorch_lightning.trainer.states import TrainerFn

from colorize.training import progress
from colorize.training.config import progress_bars
from tests.training.small import make_data, make_task


def test_it_stays_one_line_that_tells_both_losses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    received: list[bytes] = []

    def read() -> None:
        try:
            while True:
                received.append(os.read(ours, 4096))
        except OSError:  # the other end is closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=2,
        logger=False,
        callbacks=progress_bars(OmegaConf.create({"trainer": {"enable_progress_bar": True}})),
        enable_checkpointing=False,
        num_sanity_val_steps=0,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    with open(terminal, "w", encoding="utf-8") as screen, monkeypatch.context() as patch:  # noqa: PTH123 # a descriptor
        patch.setattr(sys, "stdout", screen)
        patch.setattr(sys, "stderr", screen)
        trainer.fit(make_task(), datamodule=make_data(train_size=24))
    reader.join(timeout=60)
    os.close(ours)
    text = b"".join(received).decode()
    frames = [frame for frame in re.split(r"[\r\n]", text) if frame.strip()]
    assert max(map(len, frames)) <= 80
    assert {frame.split()[0] for frame in frames} == {"Training:", "Epoch"}  # validations have no bar of their own
    assert re.search(r"^Epoch 1: 100%.* 3/3 .*loss=[\d.e-]+, val_loss=[\d.e-]+\]", frames[-1])
    assert "\x1b[A" not in text  # no line is returned to, for there is one


@pytest.mark.parametrize(("seconds", "shown"), [(0.0, [1, 2, 3]), (1e9, [3])])
def test_the_loss_is_asked_for_a_few_times_a_second(
    seconds: float, shown: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time the CPU waits for the GPU."""
    monkeypatch.setattr(progress, "LEAST_SECONDS", seconds)
    asked: list[int] = []

    class Asked(progress.ProgressBar):
        def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
            asked.append(trainer.fit_loop.batch_idx + 1)
            return super().get_metrics(trainer, pl_module)

    options: dict[str, Any] = {"limit_val_batches": 0, "logger": False, "enable_checkpointing": False}
    bar = Asked()
    bar._shown = time.monotonic()
    trainer = pl.Trainer(
        accelerator="cpu", devices=1, max_epochs=1, callbacks=bar, default_root_dir=tmp_path,
        enable_model_summary=False, **options,
    )  # fmt: skip
    trainer.fit(make_task(), datamodule=make_data(train_size=24))
    *steps, end = asked  # the epoch's end asks once more
    assert steps == shown
    assert end == 3


def test_a_step_is_shown_some_time_after_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    bar, shown = progress.ProgressBar(), []
    for step, clock[0] in enumerate((100.0, 100.05, 100.11, 100.19, 100.22, 100.23), 1):
        if bar._should_update(step, 6):
            shown.append(step)
    assert shown == [1, 3, 5, 6]  # the last, whenever it comes
    bar.disable()
    clock[0] = 200
    assert not bar._should_update(1, 6)
    assert not bar._should_update(6, 6)


def test_a_validation_has_a_bar_where_it_is_all_that_runs() -> None:
    state = SimpleNamespace(fn=TrainerFn.VALIDATING)
    trainer: Any = SimpleNamespace(state=state, sanity_checking=False, is_global_zero=True)
    bar = progress.ProgressBar()
    bar.setup(trainer, None, "validate")  # type: ignore[arg-type]
    assert not bar.init_validation_tqdm().disable
    trainer.state.fn = TrainerFn.FITTING
    assert bar.init_validation_tqdm().disable


def test_in_a_log_it_is_a_line_for_half_a_minute(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options: dict[str, Any] = {"logger": False, "enable_checkpointing": False, "enable_model_summary": False}
    trainer = pl.Trainer(
        accelerator="cpu", devices=1, max_epochs=2, callbacks=progress.ProgressBar(), default_root_dir=tmp_path,
        num_sanity_val_steps=0, **options,
    )  # fmt: skip
    trainer.fit(make_task(), datamodule=make_data(train_size=24))
    begin, last, _ = capsys.readouterr().out.split("\n")
    assert begin.startswith("\rTraining:")
    assert re.search(r"^Epoch 1: 100%.* 3/3 .*loss=[\d.e-]+, val_loss=[\d.e-]+\]$", last)
