"""The sample pictures that a run leaves."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_lightning.loggers import TensorBoardLogger, WandbLogger
from pytorch_lightning.utilities import rank_zero_only

from colorize.errors import ColorizeError
from colorize.images import read_rgb
from colorize.tasks import ReconstructionTask, RGBTask
from colorize.training.callbacks import SamplePictures
from colorize.training.callbacks.samples import sample_panel, to_uint8, with_labels
from tests.training.small import make_data


def make_task(kind: type[RGBTask]) -> RGBTask:
    return kind(
        network={"name": "UNet", "width": 4, "depth": 1}, loss={"name": "mse"}, optimizer={"name": "Adam"}
    ).eval()


@pytest.mark.parametrize(("size", "times"), [(16, 8), (100, 2), (130, 1)])
def test_a_panel_has_input_prediction_and_truth_in_rows(size: int, times: int) -> None:
    rgb = torch.randint(256, (2, 3, size, size), dtype=torch.uint8)
    panel = sample_panel(make_task(RGBTask), {"rgb": rgb})
    side = size * times
    assert panel.shape == (2 * side + 4, 3 * side + 8, 3)
    truth = panel[:side:times, -side::times]
    np.testing.assert_array_equal(truth, rgb[0].permute(1, 2, 0))
    seen = panel[-side::times, :side:times]
    assert (seen.max(axis=2) == seen.min(axis=2)).all()


def test_the_input_of_a_reconstruction_is_in_colour() -> None:
    rgb = torch.randint(256, (1, 3, 128, 128), dtype=torch.uint8)
    panel = sample_panel(make_task(ReconstructionTask), {"rgb": rgb})
    np.testing.assert_array_equal(panel[:, :128], rgb[0].permute(1, 2, 0))


def test_labels_stand_above_the_panel() -> None:
    panel = np.full((50, 300, 3), 99, np.uint8)
    labelled = with_labels(panel, ("input", "prediction", "truth"))
    np.testing.assert_array_equal(labelled[-50:], panel)
    header = labelled[:-50]
    for column in range(3):
        assert header[:, 100 * column : 100 * (column + 1)].min() < 100
    assert header[:, :20].min() == 255


def test_the_gap_between_pictures_is_white() -> None:
    panel = sample_panel(make_task(RGBTask), {"rgb": torch.zeros(2, 3, 128, 128, dtype=torch.uint8)})
    assert (panel[128:132] == 255).all()
    assert (panel[:, 128:132] == 255).all()
    assert (panel[:128, :128] == 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_floats_are_clipped_and_rounded(dtype: torch.dtype) -> None:
    rgb = torch.tensor([-0.5, 0.0, 0.25, 0.75, 1.0, 1.5], dtype=dtype).reshape(1, 1, 1, 6).expand(1, 3, 1, 6)
    assert to_uint8(rgb).tolist() == [[[[value] * 3 for value in (0, 0, 64, 191, 255, 255)]]]


class Tensorboard(TensorBoardLogger):
    def __init__(self) -> None:
        self.shown: list[tuple[Any, ...]] = []

    @property
    def experiment(self) -> Any:  # type: ignore[override]
        return SimpleNamespace(add_image=lambda *arguments, dataformats: self.shown.append((*arguments, dataformats)))


class Wandb(WandbLogger):
    def __init__(self) -> None:
        self.shown: list[tuple[Any, ...]] = []

    def log_image(self, *arguments: Any, **facts: Any) -> None:  # type: ignore[override]
        self.shown.append((*arguments, facts))


def make_trainer(doing: str = "fit", epoch: int = 0, *loggers: Any, **sizes: int) -> Any:
    data = make_data(**{"val_size": 5, "test_size": 6, **sizes})
    data.setup("fit")
    data.setup("test")
    return SimpleNamespace(
        state=SimpleNamespace(fn=doing),
        sanity_checking=False,
        current_epoch=epoch,
        global_step=7,
        loggers=loggers,
        datamodule=data,
    )


def test_they_are_drawn_every_so_many_epochs_and_by_the_test(tmp_path: Path) -> None:
    path = tmp_path / "samples.png"
    callback, task = SamplePictures(str(path), count=2, every_n_epochs=3), make_task(RGBTask)
    drawn = []
    for epoch in range(7):
        callback.on_validation_epoch_end(make_trainer(epoch=epoch), task)
        drawn += [epoch] * path.exists()
        path.unlink(missing_ok=True)
    assert drawn == [2, 5]
    callback.on_validation_epoch_end(make_trainer("validate", 2), task)
    trainer = make_trainer(epoch=2)
    trainer.sanity_checking = True
    callback.on_validation_epoch_end(trainer, task)
    assert not path.exists()
    callback.on_test_epoch_end(make_trainer("test", 0), task)
    assert path.exists()


@pytest.mark.parametrize(("val_size", "split", "rows"), [(5, "val", 3), (2, "val", 2), (0, "test", 3)])
def test_they_are_of_the_validation_or_else_of_the_test(val_size: int, split: Any, rows: int, tmp_path: Path) -> None:
    trainer, task = make_trainer("test", val_size=val_size), make_task(RGBTask)
    SamplePictures(str(tmp_path / "samples.png"), count=3).on_test_epoch_end(trainer, task)
    batch = trainer.datamodule.sample(split, 3)
    assert len(batch["rgb"]) == rows
    expected = with_labels(sample_panel(task, batch), ("input", "prediction", "truth"))
    np.testing.assert_array_equal(read_rgb(tmp_path / "samples.png"), expected)


@pytest.mark.parametrize(("doing", "step"), [("fit", 6), ("test", None)])
def test_loggers_show_them(doing: str, step: int | None, tmp_path: Path) -> None:
    """W&B's steps only rise: what is drawn while training belongs to the step before."""
    tensorboard, wandb = Tensorboard(), Wandb()
    callback = SamplePictures(str(tmp_path / "samples.png"), count=1)
    trainer = make_trainer(doing, 0, tensorboard, wandb)
    (callback.on_validation_epoch_end if doing == "fit" else callback.on_test_epoch_end)(trainer, make_task(RGBTask))
    panel = read_rgb(tmp_path / "samples.png")
    ((name, shown, at, layout),) = tensorboard.shown
    assert (name, at, layout) == ("samples", 7, "HWC")
    np.testing.assert_array_equal(shown, panel)
    ((name, (shown,), at, facts),) = wandb.shown
    assert (name, at, facts) == ("samples", step, {"caption": ["input | prediction | truth"]})
    np.testing.assert_array_equal(shown, panel)


def test_one_process_of_several_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    callback = SamplePictures(str(tmp_path / "samples.png"), count=1)
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    callback.on_validation_epoch_end(make_trainer(), make_task(RGBTask))
    callback.on_test_epoch_end(make_trainer("test"), make_task(RGBTask))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("setting", ["count", "every_n_epochs"])
def test_samples_of_nothing_are_refused(setting: str, tmp_path: Path) -> None:
    with pytest.raises(
        ColorizeError, match=rf"callbacks\.samples\.{setting} is 0, but must be a whole number of at least 1\."
    ):
        SamplePictures(str(tmp_path / "samples.png"), **{setting: 0})
