"""LPIPS and FID beside the floor in the final test, and nowhere else."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import Tensor, nn
from torchmetrics import Metric
from torchmetrics.image.fid import FrechetInceptionDistance

from colorize.errors import ColorizeError
from colorize.training.callbacks import PerceptualMetrics
from colorize.training.evaluate import evaluate
from tests.training.small import make_data, make_task, make_trainer
from tests.training.test_evaluate import config

pytestmark = pytest.mark.filterwarnings("ignore")
CONF = Path(__file__).parents[2] / "conf"


class MeanColor(nn.Module):
    num_features = 3

    def forward(self, rgb: Tensor) -> Tensor:
        return rgb.mean(dim=(2, 3))


class SmallFID(FrechetInceptionDistance):
    def __init__(self, weights: Path) -> None:
        super().__init__(feature=MeanColor())

    def update(self, prediction: Tensor, target: Tensor) -> None:  # type: ignore[override]
        super().update(prediction, real=False)
        super().update(target, real=True)


class Largest(Metric):
    """The largest distance of a prediction from twice its target, with weights that must not reach a checkpoint."""

    largest: Tensor

    def __init__(self, weights: Path) -> None:
        super().__init__()
        self.net = nn.Linear(3, 3)
        self.add_state("largest", torch.tensor(0.0), dist_reduce_fx="max")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        assert prediction.shape == target.shape
        self.largest = torch.maximum(self.largest, (prediction - 2 * target).abs().max())

    def compute(self) -> Tensor:
        return self.largest


@pytest.fixture
def perceptual(monkeypatch: pytest.MonkeyPatch) -> PerceptualMetrics:
    monkeypatch.setattr("colorize.metrics.perceptual.LPIPS", Largest)
    monkeypatch.setattr("colorize.metrics.perceptual.FID", SmallFID)
    return PerceptualMetrics("alexnet.pth", "inception.pth")


def test_they_stand_beside_the_floor(perceptual: PerceptualMetrics, tmp_path: Path) -> None:
    data, task = make_data(batch_size=4, test_size=11), make_task()
    data.setup("test")
    callbacks: dict[str, Any] = {"perceptual": perceptual}
    metrics = evaluate(config(tmp_path), task, data, callbacks, [], {})
    again = evaluate(config(tmp_path), task, data, callbacks, [], {})
    assert metrics == again
    written = json.loads((tmp_path / "metrics.json").read_text())
    assert {name: value for name, value in written.items() if name.endswith(("lpips", "fid"))} == {
        name: metrics[name] for name in ("test/lpips", "test/fid", "floor/lpips", "floor/fid")
    }
    batch = data.sample("test", 11)
    _, prediction, truth = task.pictures(batch)
    floor = task.floor(batch)
    assert metrics["test/lpips"] == pytest.approx((prediction - 2 * truth).abs().max().item())
    assert metrics["floor/lpips"] == pytest.approx((floor - 2 * truth).abs().max().item())
    for name, pictures in (("test/fid", prediction), ("floor/fid", floor)):
        expected = SmallFID(Path())
        expected.update(pictures, truth)
        assert metrics[name] == pytest.approx(expected.compute().item(), rel=1e-3)


def test_no_checkpoint_holds_them(perceptual: PerceptualMetrics, tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, [perceptual], max_epochs=1)
    task = make_task()
    before = set(task.state_dict())
    trainer.fit(task, datamodule=make_data())
    trainer.test(task, datamodule=make_data(), verbose=False)
    checkpoint = torch.load(tmp_path / "best.ckpt", weights_only=True)
    assert set(checkpoint["state_dict"]) == set(task.state_dict()) == before
    assert "PerceptualMetrics" not in str(list(checkpoint["callbacks"]))
    assert perceptual.metrics == {}


def test_by_default_there_are_none(tmp_path: Path) -> None:
    callback = instantiate(OmegaConf.load(CONF / "callbacks/default.yaml").perceptual)
    metrics = evaluate(config(tmp_path), make_task(), make_data(), {"perceptual": callback}, [], {})
    assert "test/psnr_ab" in metrics
    assert not [name for name in metrics if name.endswith(("lpips", "fid"))]


@pytest.mark.parametrize("file", ["/does/not/exist", "~nobody-here/lpips.pth"])
def test_a_missing_file_is_found_before_the_training(file: str) -> None:
    with pytest.raises(ColorizeError, match=rf"callbacks.perceptual.lpips={file} is not a file"):
        PerceptualMetrics(lpips=file)


def test_the_home_folder_is_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    with pytest.raises(ColorizeError, match=r"fid=/home/ada/fid\.pth is not a file"):
        PerceptualMetrics(fid="~/fid.pth")


def test_they_see_the_network_in_the_precision_of_the_test(
    perceptual: PerceptualMetrics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, task, seen = make_data(batch_size=4, test_size=8), make_task(), []
    data.setup("test")
    pictures = task.pictures

    def watched(batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        seen.append(torch.is_autocast_enabled("cpu"))
        return pictures(batch)

    monkeypatch.setattr(task, "pictures", watched)
    evaluate(config(tmp_path, precision="bf16-mixed"), task, data, {"perceptual": perceptual}, [], {})
    *tested, _ = seen  # the last are the samples of test_samples.npz
    assert tested == [True, True]
