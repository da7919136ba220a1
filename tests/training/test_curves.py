"""The curves of a run, from its metrics.csv."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import pytorch_lightning as pl
from matplotlib.figure import Figure
from pytorch_lightning.loggers import CSVLogger
from pytorch_lightning.utilities import rank_zero_only

from colorize.data.scenes import SceneData
from colorize.images import read_rgb
from colorize.tasks import LabTask
from colorize.training.callbacks.curves import (
    Curve,
    Curves,
    plot_curves,
    plot_loss,
    plot_metric,
    plot_rate,
    read_curves,
)

BLUE, ORANGE, GRAY = (31, 119, 180), (255, 127, 14), (128, 128, 128)  # training, validation, floor
LOSSES: dict[str, Curve] = {"train/loss_epoch": [(1, 0.5), (2, 0.2)], "val/loss": [(1, 0.4), (2, 0.3)]}
RATE: dict[str, Curve] = {"lr-AdamW": [(0.5, 1e-3), (2, 1e-4)]}


def metric(name: str) -> dict[str, Curve]:
    return {f"val/{name}": [(1, 1.0), (2, 2.0)], f"val_floor/{name}": [(1, 1.5), (2, 1.5)]}


def has(panel: np.ndarray, color: tuple[int, int, int]) -> bool:
    return int((panel == color).all(axis=-1).sum()) > 20


def panels(picture: np.ndarray, rows: int, columns: int) -> list[np.ndarray]:
    """The panels of a picture, row by row."""
    return [panel for row in np.array_split(picture, rows) for panel in np.array_split(row, columns, axis=1)]


def test_curves_are_read_over_the_epochs_trained(tmp_path: Path) -> None:
    metrics = tmp_path / "metrics.csv"
    metrics.write_text(
        "epoch,lr-Adam,step,test/psnr,train/loss_epoch,train/loss_step,val/loss\n"
        ",0.1,4,,,,\n"  # ten batches an epoch
        "0,,4,,,0.9,\n"
        "0,,9,,,,0.5\n"
        "0,,9,,0.7,,\n"
        "1,,14,,,0.8,\n"
        "1,,19,,,,0.25\n"
        "1,,19,,0.3,,\n"
        "2,,22,,,0.1,\n"  # stopped in the third epoch
        "0,,0,21.0,,,\n"
    )
    assert read_curves(metrics) == {
        "lr-Adam": [(0.5, 0.1)],
        "train/loss_step": [(0.5, 0.9), (1.5, 0.8), (2.3, 0.1)],
        "val/loss": [(1.0, 0.5), (2.0, 0.25)],
        "train/loss_epoch": [(1.0, 0.7), (2.0, 0.3)],
        "test/psnr": [(0.1, 21.0)],
    }


def test_rows_without_a_step_are_left_out_and_without_an_epoch_counted_in_steps(tmp_path: Path) -> None:
    metrics = tmp_path / "metrics.csv"
    metrics.write_text("lr-Adam,step,epoch\n0.1,4,\n0.2,,\n0.3,6,\n")
    assert read_curves(metrics) == {"lr-Adam": [(5.0, 0.1), (7.0, 0.3)]}


def test_a_resumed_run_begins_where_the_first_ended(tmp_path: Path) -> None:
    metrics = tmp_path / "metrics.csv"
    metrics.write_text("epoch,step,val/loss\n5,23,0.5\n6,27,0.4\n")
    assert read_curves(metrics) == {"val/loss": [(6.0, 0.5), (7.0, 0.4)]}


def test_colour_has_six_panels_with_their_floors() -> None:
    curves = LOSSES | RATE | metric("psnr") | metric("mse_ratio") | metric("delta_e") | metric("colorfulness_ratio")
    loss, rate, *metrics = panels(plot_curves(curves | metric("ssim")), 2, 3)
    assert has(loss, BLUE)
    assert has(loss, ORANGE)
    assert not has(loss, GRAY)
    assert has(rate, BLUE)
    assert not has(rate, ORANGE)
    assert len(metrics) == 4
    assert all(has(panel, ORANGE) and has(panel, GRAY) for panel in metrics)


def test_grayscaling_has_four_panels() -> None:
    loss, rate, *metrics = panels(plot_curves(LOSSES | RATE | metric("psnr") | metric("ssim")), 2, 2)
    assert has(loss, ORANGE)
    assert has(rate, BLUE)
    assert all(has(panel, ORANGE) and has(panel, GRAY) for panel in metrics)


def test_what_is_not_in_the_file_leaves_its_panel_empty() -> None:
    loss, rate = panels(plot_curves(LOSSES), 1, 2)
    assert loss.std() > 5
    assert (rate == 255).all()
    _, _, psnr, _ = panels(plot_curves({"val/psnr": [(1, 20.0), (2, 21.0)]}), 2, 2)
    assert has(psnr, ORANGE)
    assert not has(psnr, GRAY)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, -1.0])
def test_a_run_without_a_usable_loss_is_drawn_all_the_same(value: float) -> None:
    picture = plot_curves({"train/loss_step": [(0.5, value)], "val/loss": [(1, value)]} | RATE)
    assert has(panels(picture, 1, 2)[1], BLUE)


def axes() -> Any:
    return Figure().subplots()


def test_the_loss_is_on_a_logarithm_where_it_can_be() -> None:
    panel = axes()
    plot_loss(panel, LOSSES)
    assert panel.get_yscale() == "log"
    assert not panel.yaxis.get_minorticklocs().size
    assert [line.get_label() for line in panel.lines] == ["train/loss_epoch", "val/loss"]
    panel = axes()
    plot_loss(panel, {"val/loss": [(1, -0.5), (2, -0.7)]})
    assert panel.get_yscale() == "linear"


def test_a_rate_begins_at_zero_and_one_alone_is_a_point() -> None:
    panel = axes()
    plot_rate(panel, {"lr-AdamW": [(1, 1e-3), (2, 1e-4)], "lr-Muon": [(1, 0.02)], "val/loss": [(1, 1.0)]})
    assert panel.get_ylim()[0] == 0
    assert [(line.get_label(), line.get_marker()) for line in panel.lines] == [("lr-AdamW", ""), ("lr-Muon", ".")]


def test_the_floor_is_the_latest() -> None:
    panel = axes()
    plot_metric(panel, {**metric("psnr"), "val_floor/psnr": [(1, 1.5), (2, 1.75)]}, "psnr")
    assert list(panel.lines[-1].get_ydata()) == [1.75, 1.75]


def test_a_drawing_is_due_some_time_after_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, drawn = [1000.0], []
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    curves, module = Curves(str(tmp_path / "curves.png"), every_n_seconds=10), cast("pl.LightningModule", None)
    monkeypatch.setattr(curves, "_draw", lambda trainer: drawn.append((clock[0], trainer.state.fn)))
    fitting, validating = (
        cast("pl.Trainer", SimpleNamespace(state=SimpleNamespace(fn=fn))) for fn in ("fit", "validate")
    )
    curves.on_fit_start(fitting, module)
    for clock[0] in (1009, 1010, 1015, 1019, 1020, 1099):
        curves.on_validation_end(validating, module)
        curves.on_validation_end(fitting, module)
    assert drawn == [(1010, "fit"), (1020, "fit"), (1099, "fit")]


@pytest.mark.parametrize("rank", [0, 1])
def test_one_process_draws_what_its_loggers_have_kept(
    rank: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late:
        def save(self) -> None:
            (tmp_path / "metrics.csv").write_text("epoch,step,val/loss\n0,4,0.5\n")

    monkeypatch.setattr(rank_zero_only, "rank", rank)
    trainer, module = cast("pl.Trainer", SimpleNamespace(loggers=[Late()])), cast("pl.LightningModule", None)
    Curves(str(tmp_path / "curves.png")).on_fit_end(trainer, module)
    assert (tmp_path / "curves.png").is_file() == (rank == 0)


class Stop(pl.Callback):
    """Fails in the second epoch."""

    def on_train_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.current_epoch == 1:
            raise RuntimeError("the power is gone")


def fit(folder: Path, callbacks: list[pl.Callback], logged: bool = True) -> None:
    task = LabTask(
        network={"name": "UNet", "width": 4, "depth": 1}, loss={"name": "mse"}, optimizer={"name": "SGD", "lr": 0.01}
    )
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=2,
        log_every_n_steps=1,
        logger=CSVLogger(str(folder), name="", version="") if logged else False,
        callbacks=callbacks,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )
    trainer.fit(task, datamodule=SceneData(image_size=16, batch_size=4, train_size=8, val_size=4, test_size=4))


def test_a_run_that_fails_keeps_what_it_drew(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="the power is gone"):
        fit(tmp_path, [Curves(str(tmp_path / "curves.png")), Stop()])
    loss, _, psnr, *_ = panels(read_rgb(tmp_path / "curves.png"), 2, 3)
    assert has(loss, BLUE)
    assert has(psnr, ORANGE)
    assert {path.name for path in tmp_path.iterdir()} == {"curves.png", "metrics.csv"}


@pytest.mark.parametrize(("seconds", "drawings"), [(0, 3), (3600, 1)])
def test_curves_are_drawn_while_training_but_not_too_often(
    seconds: float, drawings: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epochs = []

    def draw(curves: dict[str, Curve]) -> np.ndarray:
        epochs.append(len(curves["val/loss"]))
        return np.zeros((1, 1, 3), np.uint8)

    monkeypatch.setattr("colorize.training.callbacks.curves.plot_curves", draw)
    fit(tmp_path, [Curves(str(tmp_path / "curves.png"), every_n_seconds=seconds)])
    assert epochs == [1, 2, 2][-drawings:]


def test_without_a_csv_there_is_nothing_to_draw(tmp_path: Path) -> None:
    fit(tmp_path, [Curves(str(tmp_path / "curves.png"))], logged=False)
    assert list(tmp_path.iterdir()) == []
