"""A run that goes on after its folder was moved."""

from pathlib import Path

import pytest
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint

from colorize.training.fit import Training, fit
from colorize.training.resume import LastCheckpoint
from tests.training.small import config, make_data, make_task


def train(folder: Path, epochs: int, filename: str = "best", ckpt_path: Path | None = None) -> Training:
    """With a rate at which the first epochs are the best."""
    torch.manual_seed(0)
    saver = ModelCheckpoint(folder, filename, "val/loss", enable_version_counter=False)
    callbacks: dict[str, Callback] = {"checkpoint": saver, "last": LastCheckpoint(str(folder))}
    cfg = config(folder, trainer={"max_epochs": epochs, "logger": False})
    cfg.ckpt_path = str(ckpt_path) if ckpt_path else None
    task = make_task(optimizer={"name": "SGD", "lr": 50.0, "momentum": 0.9})
    training = fit(cfg, task, make_data(), callbacks, [])
    assert training is not None
    return training


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("filename", ["best", "{epoch}-{val/loss:.3f}"])
def test_its_best_checkpoint_stays_until_there_is_a_better_one(filename: str, tmp_path: Path) -> None:
    before = train(tmp_path / "before", 3, filename)
    assert before.checkpoint is not None
    expected = torch.load(before.checkpoint, weights_only=True)["global_step"]
    (tmp_path / "before").rename(tmp_path / "moved")
    moved = train(tmp_path / "moved", 4, filename, tmp_path / "moved/last.ckpt")
    assert moved.checkpoint == before.checkpoint.replace("/before/", "/moved/")
    assert torch.load(moved.checkpoint, weights_only=True)["global_step"] == expected
    assert moved.objective == before.objective
