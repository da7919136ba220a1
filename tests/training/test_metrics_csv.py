"""metrics.csv of a run that resumes in its own folder, is evaluated there, or begins anew."""

import csv
import logging
import os
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
from omegaconf import OmegaConf

from colorize.data.scenes import SceneData
from colorize.errors import ColorizeError
from colorize.tasks import LabTask
from colorize.training.callbacks import Curves
from colorize.training.callbacks.curves import read_curves
from colorize.training.loggers import MetricsCSV, open_loggers
from colorize.training.loggers.metrics_csv import keep_rows_before

CONF = Path(__file__).resolve().parents[2] / "conf"


def run(folder: Path, epochs: int, ckpt_path: Path | None = None, fit: bool = True) -> None:
    """Two steps an epoch, logged as conf/logger/csv.yaml says, saved after every epoch; then the test."""
    pl.seed_everything(0, verbose=False)
    settings = {"run_dir": str(folder), "fit": fit, "ckpt_path": str(ckpt_path) if ckpt_path else None}
    cfg = OmegaConf.create({**settings, "logger": OmegaConf.load(CONF / "logger/csv.yaml")})
    task = LabTask(
        network={"name": "UNet", "width": 4, "depth": 1}, loss={"name": "mse"}, optimizer={"name": "SGD", "lr": 0.01}
    )
    data = SceneData(image_size=16, batch_size=4, train_size=8, val_size=4, test_size=4, augment={"flip": False})
    savers = [
        pl.callbacks.ModelCheckpoint(folder / "checkpoints", "{epoch}", save_top_k=-1),
        pl.callbacks.ModelCheckpoint(folder / "checkpoints", "validated_{epoch}", monitor="val/loss", save_top_k=-1),
    ]
    quiet: dict[str, Any] = {"accelerator": "cpu", "enable_progress_bar": False, "enable_model_summary": False}
    with open_loggers(cfg) as loggers:
        if fit:
            callbacks = [*savers, pl.callbacks.LearningRateMonitor(), Curves(str(folder / "curves.png"))]
            trainer = pl.Trainer(max_epochs=epochs, log_every_n_steps=1, logger=loggers, callbacks=callbacks, **quiet)
            trainer.fit(task, datamodule=data, ckpt_path=ckpt_path, weights_only=True)
        pl.Trainer(logger=loggers, enable_checkpointing=False, **quiet).test(task, datamodule=data, verbose=False)


def read(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as file:
        return [{name: value for name, value in row.items() if value} for row in csv.DictReader(file)]


def trained_rows(folder: Path) -> list[dict[str, str]]:
    return [row for row in read(folder) if "test/psnr" not in row]


def places(folder: Path) -> list[list[str]]:
    """Step and columns of each row, without the floor, which is in one row of each start."""
    rows = trained_rows(folder)
    return [sorted((row["step"], *(name for name in row if not name.startswith("val_floor/")))) for row in rows]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four epochs in one go."""
    folder = tmp_path_factory.mktemp("whole")
    run(folder, 4)
    return folder


@pytest.mark.parametrize("checkpoint", ["epoch=1.ckpt", "validated_epoch=1.ckpt"])
def test_a_run_resumed_in_its_folder_has_each_row_once(checkpoint: str, tmp_path: Path, whole: Path) -> None:
    run(tmp_path, 2)
    before = read(tmp_path)
    run(tmp_path, 4, tmp_path / "checkpoints" / checkpoint)
    rows = read(tmp_path)
    assert rows[: len(before)] == before
    assert len([row for row in rows if "test/psnr" in row]) == 2
    assert places(tmp_path) == places(whole)
    assert [row["epoch"] for row in rows if "val_floor/psnr" in row] == ["0", "2"]  # each start computes it once
    assert [row["epoch"] for row in read(whole) if "val_floor/psnr" in row] == ["0"]
    curves = read_curves(tmp_path / "metrics.csv")
    assert (
        [epoch for epoch, _ in curves["val/psnr"]] == [epoch for epoch, _ in curves["train/loss_epoch"]] == [1, 2, 3, 4]
    )
    assert [epoch for epoch, _ in curves["train/loss_step"]] == [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]


def test_what_an_earlier_checkpoint_trains_again_is_dropped_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(tmp_path, 3)
    before = trained_rows(tmp_path)
    with caplog.at_level(logging.INFO, "colorize"):
        run(tmp_path, 2, tmp_path / "checkpoints/epoch=0.ckpt")
    (message,) = [record.getMessage() for record in caplog.records if "metrics.csv" in record.getMessage()]
    assert "rows from step 2 on are dropped" in message
    kept = [row for row in before if int(row["step"]) < 2]
    rows = trained_rows(tmp_path)
    assert rows[: len(kept)] == kept
    assert [row["epoch"] for row in rows if "val/loss" in row] == ["0", "1"]
    assert len([row for row in read(tmp_path) if "test/psnr" in row]) == 1


def test_an_evaluation_adds_its_row(tmp_path: Path) -> None:
    run(tmp_path, 1)
    before = read(tmp_path)
    run(tmp_path, 0, tmp_path / "checkpoints/epoch=0.ckpt", fit=False)
    *rows, last = read(tmp_path)
    assert rows == before
    assert "test/psnr" in last


def test_a_training_from_the_start_begins_its_own(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run(tmp_path, 2)
    run(tmp_path, 1)
    assert [row["epoch"] for row in read(tmp_path) if "val/loss" in row] == ["0"]
    assert "of an earlier training is replaced" in caplog.text


def test_a_last_row_that_was_cut_off_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(b"step,epoch,val/loss\r\n1,0,0.5\r\n3,1,0.2")
    keep_rows_before(path, 4)
    assert path.read_bytes() == b"epoch,step,val/loss\r\n0,1,0.5\r\n"


def test_an_evaluation_writes_no_row_into_one_that_was_cut_off(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_bytes(b"epoch,step,x\r\n0,1,0.5\r\n1,3,0.")
    logger = MetricsCSV(str(tmp_path), fit=False)
    logger.log_metrics({"test/x": 0.25}, 0)
    assert logger.sync() == 2
    assert read(tmp_path) == [{"epoch": "0", "step": "1", "x": "0.5"}, {"step": "0", "test/x": "0.25"}]


def test_a_checkpoint_may_lie_in_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "metrics.csv").write_bytes(b"epoch,step\r\n0,1\r\n")
    monkeypatch.setattr("colorize.training.loggers.metrics_csv.read_checkpoint", lambda path: {"global_step": 2})
    MetricsCSV(str(tmp_path), ckpt_path="/best.ckpt")
    assert read(tmp_path) == [{"epoch": "0", "step": "1"}]


@pytest.mark.parametrize(
    "content", [b"epoch,val/loss\r\n0,0.5\r\n", b"epoch,step\r\n0,one\r\n", b"\xff\xfe\r\n", b"step,x\r\n,1\r\n"]
)
def test_a_damaged_file_is_named_and_left(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(content)
    with pytest.raises(ColorizeError, match=r"metrics\.csv is damaged"):
        keep_rows_before(path, 4)
    assert path.read_bytes() == content


def test_only_rank_zero_touches_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "metrics.csv").write_text("epoch,step\r\n0,1\r\n")
    monkeypatch.setattr("colorize.training.loggers.metrics_csv.rank_zero_only.rank", 1)
    MetricsCSV(str(tmp_path)).log_metrics({"x": 1.0}, 0)
    assert (tmp_path / "metrics.csv").is_file()


def test_a_checkpoint_counts_the_rows_that_are_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logger, sizes = MetricsCSV(str(tmp_path)), list[int]()
    monkeypatch.setattr(os, "fsync", lambda file: sizes.append(os.fstat(file).st_size))
    for step in range(3):
        logger.log_metrics({"x": 1.0}, step)
    assert logger.sync() == len(read(tmp_path)) == 3
    assert sizes == [(tmp_path / "metrics.csv").stat().st_size]
