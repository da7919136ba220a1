"""The pictures and curves that a run leaves."""

from pathlib import Path

import numpy as np
import pytest
import torch

from colorize.callbacks import plot_curves, read_curves, sample_panel, with_labels
from colorize.images import read_rgb
from colorize.tasks import ReconstructionTask, RGBTask


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


def test_curves_are_read_by_epoch_and_drawn(tmp_path: Path) -> None:
    metrics = tmp_path / "metrics.csv"
    metrics.write_text("epoch,step,train/loss_epoch,val/loss\n0,9,,0.5\n0,9,0.7,\n1,19,,0.25\n1,19,0.3,\n")
    curves = read_curves(metrics, ("train/loss_epoch", "val/loss", "val/none"))
    assert curves == {"val/loss": [(0, 0.5), (1, 0.25)], "train/loss_epoch": [(0, 0.7), (1, 0.3)]}
    plot_curves(metrics, tmp_path / "curves.png")
    assert read_rgb(tmp_path / "curves.png").std() > 5
