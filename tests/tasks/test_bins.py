"""Tasks of bins: their loss against the dense formula, and the histogram that goes along in the checkpoint."""

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
from colorize.tasks.soft_cross_entropy import SoftCrossEntropy
from colorize.training.callbacks import EMA
from colorize.training.restore import check_loads_back, load_task, start_from
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


def dense_shares(ab: Tensor, grid: int, neighbors: int, sigma: float) -> Tensor:
    """(B, Q, H, W) of ab (B, 2, H, W): Zhang et al. 2016, section 2.2, without any look-up."""
    distances = (ab.round()[:, None] - bin_centers(grid)[:, :, None, None]).norm(dim=2)
    near = distances <= distances.kthvalue(neighbors, dim=1, keepdim=True).values
    shares = torch.exp(-distances.double().square() / (2 * sigma**2)) * near
    return shares / shares.sum(1, keepdim=True)


def example(bins: int, size: int = 6) -> tuple[Tensor, Tensor]:
    """Logits, and colours that are equally far from no two bins."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, bins, size, size, generator=generator)
    centers = bin_centers(20)
    near = centers[torch.randint(len(centers), (2, size, size), generator=generator)].movedim(-1, 1)
    return logits, near + torch.tensor([3.0, 1]).view(1, 2, 1, 1)


@pytest.mark.parametrize("rebalanced", [False, True])
def test_the_loss_and_its_gradient_are_the_dense_formulas(rebalanced: bool) -> None:
    loss = SoftCrossEntropy(20, neighbors=3, sigma=8.0)
    logits, ab = example(loss.bins)
    if rebalanced:
        loss.rebalance(torch.rand(loss.bins, generator=torch.Generator().manual_seed(1)))
    shares = dense_shares(ab, 20, 3, 8.0)
    exact = logits.double().requires_grad_()
    pixels = -(shares * exact.log_softmax(1)).sum(1) * loss.weights[shares.argmax(1)]
    expected = pixels.mean()
    expected.backward()
    logits.requires_grad_()
    found = loss(logits, ab)
    found.backward()
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    assert logits.grad is not None
    assert exact.grad is not None
    torch.testing.assert_close(logits.grad.double(), exact.grad, atol=1e-6, rtol=1e-4)
    for memory in (torch.channels_last, torch.contiguous_format):
        with torch.autocast("cpu", torch.bfloat16):
            assert loss(logits.to(memory_format=memory), ab).item() == pytest.approx(found.item(), rel=1e-6)


def test_the_best_distribution_is_that_of_the_shares() -> None:
    loss = SoftCrossEntropy(20, neighbors=3)
    logits, ab = example(loss.bins)
    shares = dense_shares(ab, 20, 3, 5.0)
    best = loss(shares.clamp_min(1e-9).log().float(), ab).item()
    assert best == pytest.approx(torch.special.entr(shares).sum(1).mean().item(), abs=1e-4)
    assert loss(logits, ab).item() > best + 1


@pytest.mark.parametrize("uniform_share", [0.01, 0.5, 1.0])
def test_weights_are_those_of_equation_4(uniform_share: float) -> None:
    loss = SoftCrossEntropy(20, uniform_share=uniform_share)
    counts = torch.rand(loss.bins, generator=torch.Generator().manual_seed(0)) ** 4
    counts[3] = 0
    loss.rebalance(1000 * counts)
    p = counts.double() / counts.double().sum()
    expected = 1 / ((1 - uniform_share) * p + uniform_share / loss.bins)
    torch.testing.assert_close(
        loss.weights.double() / loss.weights[0].double(), expected / expected[0], rtol=1e-5, atol=0
    )
    assert (loss.weights * p).sum().item() == pytest.approx(1, abs=1e-6)
    assert loss.weights[3] == loss.weights.max()
    assert bool((loss.weights == 1).all()) == (uniform_share == 1)


def test_counting_is_exact_however_many_pixels() -> None:
    """A sum of float32 stands still at 2 ** 21 shares of 0.1."""
    loss = SoftCrossEntropy(20)
    gray = torch.zeros(2, 2, 1500, 1000)
    shares = dense_shares(gray[:1, :, :1, :1], 20, 10, 5.0)[0, :, 0, 0]
    count = loss.count(gray)
    assert count.sum().item() == pytest.approx(3e6, rel=1e-6)
    torch.testing.assert_close(count[shares > 0.01] / 3e6, shares[shares > 0.01], rtol=1e-5, atol=1e-6)
    ab = torch.rand(2, 2, 30, 20) * 60
    indices, each = loss.encode(ab)
    expected = torch.zeros(loss.bins, dtype=torch.float64).index_add_(0, indices.flatten(), each.double().flatten())
    torch.testing.assert_close(loss.count(ab), expected)


@pytest.mark.parametrize(
    "histogram", [torch.ones(3), torch.zeros(99), -torch.ones(99), torch.full((99,), torch.nan), torch.ones(99, 1)]
)
def test_what_is_no_histogram_is_refused(histogram: Tensor) -> None:
    loss = SoftCrossEntropy(20)
    wrong = histogram if len(histogram) == 3 else histogram[:1].expand(loss.bins, *histogram.shape[1:])
    with pytest.raises(ColorizeError, match=f"must hold {loss.bins} counts"):
        loss.rebalance(wrong)


def test_what_inference_mode_made_serves_in_training() -> None:
    loss = SoftCrossEntropy(20)
    logits, ab = example(loss.bins)
    with torch.inference_mode():
        loss.indices, loss.shares = loss.indices.clone(), loss.shares.clone()  # as a move to a device makes them
        loss.rebalance(torch.rand(loss.bins))
        assert loss.weights.is_inference()
    loss(logits.requires_grad_(), ab).backward()
    assert logits.grad is not None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"name": "soft_cross_entropy", "grid": 10}, "multiple values for argument 'grid'"),
        ({"name": "soft_cross_entropy", "neighbors": 0}, "neighbors is 0, but must be from 1"),
        ({"name": "soft_cross_entropy", "sigma": 0}, "sigma is 0, but must be at least 0.1"),
        ({"name": "soft_cross_entropy", "uniform_share": 2}, "uniform_share is 2, but must be above 0"),
        ({"name": "mse"}, "'mse' is unknown: Known: soft_cross_entropy"),
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
