"""Tasks of bins: their loss against the dense formula, and the histogram that goes along in the checkpoint."""

import math
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor

from colorize.color import rgb_to_lab, to_float
from colorize.color.bins import bin_centers
from colorize.data.scenes import SceneData
from colorize.errors import ColorizeError
from colorize.tasks import LabBinsTask, LabHybridTask, LabTask
from colorize.tasks.base import Task
from colorize.training.callbacks import EMA
from colorize.training.initialize import start_from
from colorize.training.restore import check_loads_back, load_task
from colorize.weights.checkpoint import read_checkpoint
from colorize.weights.exported import write_exported
from colorize.weights.model import Model
from tests.training.small import make_data, make_trainer

pytestmark = pytest.mark.filterwarnings("ignore")
KINDS = [LabBinsTask, LabHybridTask]


def make_task(kind: type[LabBinsTask] = LabBinsTask, **changes: Any) -> LabBinsTask:
    torch.manual_seed(0)
    plain: dict[str, Any] = {
        "network": {"name": "UNet", "width": 4, "depth": 1},
        "loss": {"name": "soft_cross_entropy"},
        "optimizer": {"name": "Adam", "lr": 1e-2},
        "grid": 20,
    }
    if kind is LabHybridTask:
        plain |= {"loss": {"name": "smooth_l1"}, "cross_entropy_loss": {"name": "soft_cross_entropy"}}
    return kind(**{**plain, **changes})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"name": "soft_cross_entropy", "grid": 10}, "multiple values for argument 'grid'"),
        ({"name": "soft_cross_entropy", "neighbors": 0}, "neighbors is 0, but must be from 1"),
        ({"name": "soft_cross_entropy", "sigma": 0}, "sigma is 0, but must be at least 0.1"),
        ({"name": "soft_cross_entropy", "uniform_share": 2}, "uniform_share is 2, but must be above 0"),
        ({"name": "mse"}, "'mse' is unknown. Known: soft_cross_entropy"),
    ],
)
def test_a_loss_that_cannot_be_is_refused(kind: type[LabBinsTask], spec: dict[str, Any], words: str) -> None:
    key = "loss" if kind is LabBinsTask else "cross_entropy_loss"
    with pytest.raises(ColorizeError, match=rf"^model\.{key}\S* .*{words}"):
        make_task(kind, **{key: spec})


def test_the_loss_of_a_hybrid_is_the_sum_of_both() -> None:
    batch = {"rgb": torch.randint(256, (2, 3, 9, 11), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))}
    hybrid = make_task(LabHybridTask, cross_entropy_weight=0.25).eval()
    bins = make_task().eval()
    x, y = hybrid.target.see(to_float(batch["rgb"])), hybrid.answer(batch)
    with torch.no_grad():
        prediction = hybrid(x)
        assert prediction.shape == (2, 2 + len(bin_centers(20)), 5, 6)
        padded = torch.nn.functional.pad(y, (0, 1, 0, 1), mode="replicate")
        cells = torch.nn.functional.avg_pool2d(padded, 2)
        regression = torch.nn.functional.smooth_l1_loss(prediction[:, :2].tanh(), cells)
        classification = bins.compare(x, prediction[:, 2:], y)
        expected = regression + 0.25 * classification
    assert hybrid.compare(x, prediction, y).item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_it_loads_back_and_holds_nothing_but_its_network(kind: type[LabBinsTask]) -> None:
    task = make_task(kind)
    assert {name.split(".")[0] for name in task.state_dict()} == {"network"}
    assert not list(task.loss.buffers()) + list(task.cross_entropy.buffers())
    with torch.device("meta"):
        check_loads_back(make_task(kind))


class Counted(SceneData):
    """Scenes that know how often they were asked for the loader of training pictures."""

    asked = 0

    def train_dataloader(self) -> Any:
        self.asked += 1
        return super().train_dataloader()


def counted(**arguments: Any) -> Counted:
    sizes = {"image_size": 16, "batch_size": 4, "train_size": 8, "val_size": 4, "test_size": 4}
    return Counted(**{**sizes, **arguments})


@pytest.mark.parametrize("kind", KINDS)
def test_colours_are_counted_once_and_kept_in_the_checkpoint(kind: type[LabBinsTask], tmp_path: Path) -> None:
    task, data = make_task(kind), counted()
    make_trainer(tmp_path, [EMA(0.9)], max_epochs=1).fit(task, datamodule=data)
    assert data.asked == 2  # to count and to train
    pictures = torch.cat([batch["rgb"] for batch in data.train_dataloader()])
    counts = task.cross_entropy.count(rgb_to_lab(to_float(pictures))[:, 1:])
    assert task.histogram is not None
    torch.testing.assert_close(task.histogram, counts / counts.sum())
    weights = task.cross_entropy.weights
    assert weights.std() > 0.1
    assert torch.equal(read_checkpoint(tmp_path / "best.ckpt")["ab_histogram"], task.histogram)

    loaded = load_task(tmp_path / "best.ckpt")
    assert isinstance(loaded, kind)
    assert torch.equal(loaded.cross_entropy.weights, weights)

    resumed, more = make_task(kind), counted(train_size=16)  # of other pictures too
    trainer = make_trainer(tmp_path, [EMA(0.9)], max_epochs=2)
    trainer.fit(resumed, datamodule=more, ckpt_path=str(tmp_path / "best.ckpt"), weights_only=True)
    assert more.asked == 1
    assert torch.equal(resumed.cross_entropy.weights, weights)


def test_a_damaged_histogram_is_refused(tmp_path: Path) -> None:
    make_trainer(tmp_path, max_epochs=1).fit(make_task(), datamodule=make_data())
    checkpoint = read_checkpoint(tmp_path / "best.ckpt")
    torch.save({**checkpoint, "ab_histogram": torch.ones(3)}, tmp_path / "other.ckpt")
    with pytest.raises(ColorizeError, match="does not fit its own description: a histogram of colours must hold"):
        load_task(tmp_path / "other.ckpt")


def test_ranks_take_the_histogram_of_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = torch.rand(len(bin_centers(20)), dtype=torch.float64)
    monkeypatch.setattr(pl.strategies.SingleDeviceStrategy, "broadcast", lambda self, obj, src=0: theirs)
    task = make_task()
    task.trainer = make_trainer(tmp_path)
    data = make_data()
    data.setup("fit")
    task.trainer.datamodule = data  # type: ignore[attr-defined]
    task.on_fit_start()
    assert torch.equal(task.histogram, theirs)  # type: ignore[arg-type]
    assert (task.cross_entropy.weights.argmax() == theirs.argmin()).item()


class Painted(SceneData):
    """One colour at each luminance: what is dark is blue, what is light is orange."""

    def on_after_batch_transfer(self, batch: dict[str, Tensor], dataloader_idx: int) -> dict[str, Tensor]:
        return batch | {"rgb": paint(len(batch["rgb"]))}


DARK, LIGHT = (30, 60, 150), (240, 170, 80)


def paint(count: int) -> Tensor:
    squares = torch.rand(count, 1, 4, 4, generator=torch.Generator().manual_seed(count)) > 0.5
    light = squares.repeat_interleave(4, 2).repeat_interleave(4, 3)
    colors = torch.tensor([DARK, LIGHT], dtype=torch.uint8).view(2, 3, 1, 1)
    return torch.where(light, colors[1], colors[0])


@pytest.mark.parametrize("kind", [*KINDS, LabTask])
def test_it_learns_the_right_colours(kind: type[Task], tmp_path: Path) -> None:
    """Not gray, nor the mean of both: each pixel gets the colour that its luminance stands for."""
    data = Painted(image_size=16, batch_size=8, train_size=8, val_size=4, test_size=4)
    changes: dict[str, Any] = {"network": {"name": "UNet", "width": 16, "depth": 1}, "scheduler": {"name": "cosine"}}
    if kind is LabTask:
        task: Task = LabTask(
            loss={"name": "smooth_l1", "beta": 0.05}, optimizer={"name": "Adam", "lr": 1e-2}, **changes
        )
    else:
        task = make_task(kind, **changes, grid=10)  # type: ignore[arg-type]
    trainer = make_trainer(tmp_path, max_epochs=120, limit_val_batches=0)
    trainer.fit(task, datamodule=data)
    rgb = to_float(paint(3))
    x = task.target.see(rgb)
    with torch.no_grad():
        ab = task.target.to_ab(x, task.eval()(x))
    error = (ab - rgb_to_lab(rgb)[:, 1:]).norm(dim=1)
    assert error[..., 1::4, 1::4].mean() < 8  # away from edges; gray is 55 off
    assert error.mean() < 15


@pytest.mark.parametrize(
    "weights",
    [
        {"loss_weight": -1},
        {"loss_weight": math.nan},
        {"cross_entropy_weight": math.inf},
        {"cross_entropy_weight": "much"},
        {"loss_weight": 0, "cross_entropy_weight": 0},
    ],
)
def test_weights_of_losses_that_cannot_be_are_refused(weights: dict[str, Any]) -> None:
    with pytest.raises(ColorizeError, match="must be numbers of at least 0, and not both 0"):
        make_task(LabHybridTask, **weights)


def test_bins_are_learned_beside_a_trained_regression(tmp_path: Path) -> None:
    """From the checkpoint of a regression, its trunk frozen: a wider head begins with that, which stays as it is."""
    network = {"name": "UNet", "width": 4, "depth": 1}
    regression = LabTask(network, {"name": "mse"}, {"name": "Adam", "lr": 1e-2})
    model = Model(regression.target, regression.network)
    write_exported(tmp_path / "best.safetensors", model, {"image_size": 32}, torch.float32)
    frozen = {"name": "AdamW", "lr": 1e-2, "weight_decay": 0, "lr_factors": {"encoder": 0, "up": 0, "decoder": 0}}
    hybrid = make_task(LabHybridTask, optimizer=frozen, loss_weight=0.0, cross_entropy_weight=1.0)
    start_from(hybrid, str(tmp_path / "best.safetensors"))
    before = {name: value.clone() for name, value in hybrid.network.state_dict().items()}
    make_trainer(tmp_path, max_epochs=1).fit(hybrid, datamodule=make_data())
    x = hybrid.target.see(torch.rand(2, 3, 32, 32))
    with torch.no_grad():
        expected, found = regression.eval()(x), hybrid.eval()(x)  # bounded before, or after, it is enlarged
    torch.testing.assert_close(hybrid.target.to_ab(x, found), regression.target.to_ab(x, expected), atol=0.01, rtol=0)
    changed = [name for name, value in hybrid.network.state_dict().items() if not torch.equal(value, before[name])]
    assert changed == ["head.weight", "head.bias"]
