"""A picture that cannot be drawn never ends a training, nor hides what did."""

import errno
import logging
from pathlib import Path
from subprocess import SubprocessError
from typing import Any, NoReturn

import numpy as np
import pytest
import pytorch_lightning as pl
from pytorch_lightning.loggers import CSVLogger

from colorize.data.scenes import SceneData
from colorize.errors import ColorizeError
from colorize.tasks import LabTask
from colorize.training.callbacks import Architecture, Curves, SamplePictures
from colorize.training.callbacks.drawing import DrawingCallback


def callbacks(folder: Path) -> list[pl.Callback]:
    return [
        Architecture(str(folder)),
        Curves(str(folder / "curves.png"), every_n_seconds=0),
        SamplePictures(str(folder / "samples.png"), count=2),
    ]


class Fail(pl.Callback):
    """Fails when there is something to draw."""

    def on_train_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.current_epoch == 1:
            raise ValueError("the first error")


def fit(folder: Path, *others: pl.Callback) -> pl.Trainer:
    task = LabTask(
        network={"name": "UNet", "width": 4, "depth": 1}, loss={"name": "mse"}, optimizer={"name": "SGD", "lr": 0.01}
    )
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=2,
        log_every_n_steps=1,
        logger=CSVLogger(str(folder), name="", version=""),
        callbacks=[*callbacks(folder), *others],
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )
    trainer.fit(task, datamodule=SceneData(image_size=16, batch_size=4, train_size=4, val_size=4, test_size=4))
    return trainer


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, data: bytes) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    for place in ("images.write", "training.callbacks.architecture"):
        monkeypatch.setattr(f"colorize.{place}.write_whole", refuse)
    monkeypatch.setattr("colorize.training.callbacks.architecture.missing_tools", list)
    monkeypatch.setattr("graphviz.Digraph.pipe", lambda *_, **__: b"<svg/>")


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("colorize.") and record.levelno >= logging.WARNING
    ]


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_ends_no_training(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    trainer = fit(tmp_path)
    assert trainer.current_epoch == 2
    told = warnings(caplog)
    assert [message.partition(" is not drawn: ")[0] for message in told] == [
        "architecture.txt",
        "samples.png",
        "curves.png",
    ]  # once each, though both epochs draw
    assert all("No space left on device" in message for message in told)


@pytest.mark.usefixtures("full_disk")
def test_the_first_error_is_the_one_that_is_raised(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the first error"):
        fit(tmp_path, Fail())


def test_a_fault_of_ours_is_warned_of_with_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> np.ndarray:
        raise IndexError("list index out of range")

    monkeypatch.setattr("colorize.training.callbacks.curves.plot_curves", broken)
    fit(tmp_path)
    (record,) = [record for record in caplog.records if "curves.png" in record.getMessage()]
    assert record.getMessage() == "curves.png is not drawn: list index out of range"
    assert record.exc_info is not None
    assert (tmp_path / "samples.png").is_file()


@pytest.mark.parametrize("error", [OSError("x"), ColorizeError("x"), SubprocessError("x"), IndexError("x")], ids=repr)
def test_what_is_no_fault_of_ours_has_no_traceback(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with DrawingCallback().drawing(Path("curves.png")):
        raise error
    (record,) = caplog.records
    assert bool(record.exc_info) == isinstance(error, IndexError)


def test_a_picture_that_fails_again_after_a_success_is_told_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    callback = DrawingCallback()
    for fails in (True, True, False, True):
        with callback.drawing(tmp_path / "curves.png"):
            if fails:
                raise OSError("disk full")
    assert warnings(caplog) == ["curves.png is not drawn: disk full"] * 2


def test_a_user_who_stops_a_drawing_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), DrawingCallback().drawing(tmp_path / "curves.png"):
        raise KeyboardInterrupt
