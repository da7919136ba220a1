"""Tasks: what they show the network, and the picture they make of what it says."""

import math

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from colorize.color import in_gamut, rgb_to_lab, to_float
from colorize.errors import ColorizeError
from colorize.tasks import GrayscaleTask, LabTask, Loss, ReconstructionTask, RGBTask
from colorize.tasks.base import Task
from colorize.tasks.losses import LOSSES
from colorize.tasks.optim import build_optimizer, build_schedule, cosine

TASKS = [GrayscaleTask, LabTask, RGBTask, ReconstructionTask]


def make(task: type[Task], loss: str = "mse", **fields: str) -> Task:
    torch.manual_seed(0)
    network = {"name": "UNet", "width": 4, "depth": 1}
    return task(network=network, loss={"name": loss}, optimizer={"name": "Adam", "lr": 1e-3}, **fields).eval()


def pair(task: Task, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    return task.target.see(to_float(batch["rgb"])), task.answer(batch)


@pytest.fixture
def batch() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {"rgb": torch.randint(256, (3, 3, 33, 47), dtype=torch.uint8, generator=generator)}


@pytest.mark.parametrize("kind", TASKS)
def test_a_perfect_prediction_is_the_truth(kind: type[Task], batch: dict[str, Tensor]) -> None:
    task = make(kind, luminance="lab") if kind is LabTask else make(kind)
    x, y = pair(task, batch)
    assert x.shape == (3, task.target.in_channels, 33, 47)
    assert y.shape == (3, task.target.out_channels, 33, 47)
    assert -1 <= x.min() <= x.max() <= 1
    assert -1 <= y.min() <= y.max() <= 1
    torch.testing.assert_close(task.target.to_rgb(x, y), task.target.truth(batch), atol=2e-4, rtol=0)


@pytest.mark.parametrize("kind", TASKS)
def test_pictures_of_any_size_come_back_at_their_size(kind: type[Task], batch: dict[str, Tensor]) -> None:
    task = make(kind)
    x, _ = pair(task, batch)
    picture = task.target.to_rgb(x, task(x))
    assert picture.shape == batch["rgb"].shape
    assert 0 <= picture.min() <= picture.max() <= 1
    assert all(shown.shape == batch["rgb"].shape for shown in (*task.pictures(batch), task.floor(batch)))


def test_the_gray_target_is_opencvs_and_the_floor_is_the_mean(batch: dict[str, Tensor]) -> None:
    task = make(GrayscaleTask)
    rgb = batch["rgb"][0].permute(1, 2, 0).numpy().astype(np.float32) / 255
    np.testing.assert_allclose(pair(task, batch)[1][0, 0], cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), atol=1e-6)
    np.testing.assert_allclose(task.floor(batch)[0, 1], rgb.mean(axis=2), atol=1e-6)


def test_a_pairs_own_gray_is_the_target(batch: dict[str, Tensor]) -> None:
    gray = torch.full((3, 1, 33, 47), 51, dtype=torch.uint8)
    assert (pair(make(GrayscaleTask), {**batch, "gray": gray})[1] == 0.2).all()


PLAIN = {"network": {"name": "UNet", "width": 4, "depth": 1}, "loss": {"name": "mse"}, "optimizer": {"name": "Adam"}}


def test_a_loss_in_rgb_is_that_of_the_pictures(batch: dict[str, Tensor]) -> None:
    in_ab, in_rgb = (LabTask(**PLAIN, loss_space=space, luminance="lab") for space in ("ab", "rgb"))
    x, ab = pair(in_ab, batch)
    near = ab + 0.01 * torch.randn(ab.shape, generator=torch.Generator().manual_seed(1))
    assert in_ab.compare(x, near, ab).item() == pytest.approx((near - ab).square().mean().item())
    x, rgb = pair(in_rgb, batch)
    assert torch.equal(rgb, in_rgb.target.truth(batch))
    gray = torch.zeros_like(ab)
    expected = (in_rgb.target.to_rgb(x, gray) - rgb).square().mean().item()
    assert in_rgb.compare(x, gray, rgb).item() == pytest.approx(expected, rel=1e-3)  # gray is inside of sRGB
    assert in_rgb.compare(x, ab, rgb).item() == pytest.approx(0, abs=1e-9)


def test_a_loss_of_chroma_forgives_the_luminance_that_is_kept(batch: dict[str, Tensor]) -> None:
    in_rgb, in_chroma = (LabTask(**PLAIN, loss_space=space, luminance="lab") for space in ("rgb", "chroma"))
    x, rgb = pair(in_rgb, batch)
    chroma = in_chroma.answer(batch)
    weights = torch.tensor([0.299, 0.587, 0.114])
    torch.testing.assert_close(chroma, rgb - torch.einsum("c,bchw->bhw", weights, rgb)[:, None])
    ab = in_rgb.target.target(batch)
    assert in_chroma.compare(x, ab, chroma).item() == pytest.approx(0, abs=1e-9)
    no_color = torch.zeros_like(ab)
    assert in_chroma.compare(x, no_color, chroma).item() == pytest.approx(chroma.square().mean().item(), rel=1e-3)
    darker = x - 0.04
    assert in_chroma.compare(darker, no_color, chroma).item() == pytest.approx(chroma.square().mean().item(), rel=1e-3)
    assert in_rgb.compare(darker, no_color, rgb).item() != pytest.approx(
        in_rgb.compare(x, no_color, rgb).item(), rel=1e-2
    )


@pytest.mark.parametrize("level", [0, 255])
def test_a_loss_in_rgb_has_a_gradient_where_the_picture_is_clipped(level: int) -> None:
    task = LabTask(**PLAIN, loss_space="rgb")
    x, y = pair(task, {"rgb": torch.full((1, 3, 4, 4), level, dtype=torch.uint8)})
    prediction = torch.full((1, 2, 4, 4), 0.3, requires_grad=True)
    task.compare(x, prediction, y).backward()
    assert prediction.grad is not None
    assert prediction.grad.isfinite().all()
    assert (prediction.grad[:, 0] != 0).all()  # kornia keeps b of black from becoming negative light


@pytest.mark.parametrize("loss_space", ["ab", "rgb", "chroma"])
def test_the_luminance_of_gray_is_what_a_gray_photograph_has(batch: dict[str, Tensor], loss_space: str) -> None:
    task = LabTask(**PLAIN, loss_space=loss_space, luminance="gray")
    gray = cv2.cvtColor(task.target.truth(batch)[0].permute(1, 2, 0).numpy(), cv2.COLOR_RGB2GRAY)
    expected = rgb_to_lab(torch.from_numpy(gray).expand(1, 3, -1, -1))[:, :1]
    x, y = pair(task, batch)
    torch.testing.assert_close((x[:1] + 1) * 50, expected, atol=1e-2, rtol=0)
    assert torch.equal(y, pair(LabTask(**PLAIN, loss_space=loss_space, luminance="lab"), batch)[1])
    picture = task.target.to_rgb(x, torch.zeros(len(x), 2, *x.shape[2:]))
    torch.testing.assert_close(picture, task.floor(batch), atol=1e-4, rtol=0)  # no colour is the gray floor


@pytest.mark.parametrize(("name", "value"), [("loss_space", "hsv"), ("luminance", "value")])
def test_an_unknown_choice_is_refused(name: str, value: str) -> None:
    with pytest.raises(ColorizeError, match=rf"model\.{name} is '{value}'"):
        LabTask(**PLAIN, **{name: value})


def test_ab_is_bounded_whatever_the_network_says() -> None:
    ab = make(LabTask).target.bound(torch.tensor([-1e6, -1.0, 0.0, 1.0, 1e6]))
    assert ab.abs().max() <= 1
    assert ab[2] == 0


@pytest.mark.parametrize("kind", TASKS)
def test_the_target_is_the_same_under_autocast(kind: type[Task], batch: dict[str, Tensor]) -> None:
    task = make(kind)
    x, y = pair(task, batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        x_mixed, y_mixed = pair(task, batch)
        picture = task.target.to_rgb(x_mixed, y_mixed)
    assert torch.equal(x, x_mixed)
    assert torch.equal(y, y_mixed)
    torch.testing.assert_close(picture, task.target.to_rgb(x, y), atol=1e-6, rtol=0)


def test_cosine_warms_up_and_comes_down() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = cosine(optimizer, total_steps=100, warmup_fraction=0.1, final_fraction=0.02)
    rates = []
    for _ in range(131):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == pytest.approx(1)
    assert rates[55] == pytest.approx(0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi / 2)))
    assert rates[100:] == pytest.approx([0.02] * 31)  # nor does it rise again


def test_a_schedule_by_epochs_asks_for_no_steps() -> None:
    optimizer = build_optimizer({"name": "SGD", "lr": 1.0}, [torch.nn.Parameter(torch.zeros(1))])

    def no_steps() -> int:
        raise AssertionError

    assert build_schedule({"name": "step", "step_size": 3}, optimizer, no_steps)["interval"] == "epoch"


def test_a_loss_of_chroma_is_refused_elsewhere() -> None:
    make(LabTask, "worse_than_gray", loss_space="chroma")
    for task, fields in ((LabTask, {}), (LabTask, {"loss_space": "rgb"}), (RGBTask, {})):
        with pytest.raises(ColorizeError, match=r"worse_than_gray compares chroma: add model\.loss_space=chroma"):
            make(task, "worse_than_gray", **fields)


def test_a_loss_and_a_task_of_ones_own_say_what_they_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    class _OfChroma(Loss):
        loss_space = "chroma"

        def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
            return (prediction - target).abs().mean()

    class _ChromaTask(RGBTask):
        loss_space = "chroma"

    monkeypatch.setitem(LOSSES, "of_chroma", _OfChroma)
    make(LabTask, "of_chroma", loss_space="chroma")
    for loss in ("of_chroma", "worse_than_gray"):
        make(_ChromaTask, loss)
    with pytest.raises(ColorizeError, match="of_chroma compares chroma"):
        make(LabTask, "of_chroma")


def test_a_lab_task_measures_its_prediction_before_it_is_clipped(batch: dict[str, Tensor]) -> None:
    task = make(LabTask)
    x = task.target.see(to_float(batch["rgb"]))
    with torch.no_grad():
        prediction = task(x)
        prediction[0] = 0
        prediction[1] = 0.99
        task.log_dict = lambda *args, **kwargs: None  # type: ignore[method-assign]
        task._step = lambda batch, stage: (x, prediction, torch.tensor(0.0))  # type: ignore[method-assign]
        task.test_step(batch, 0)
    outside = ~in_gamut(task.target.to_lab(x, prediction))  # type: ignore[attr-defined]
    share = task.test_metrics.compute()["test/out_of_gamut"].item()
    assert share == pytest.approx(outside.float().mean().item())
    assert 1 / 3 <= share < 1
    assert not outside[0].any()
    assert task.test_floors.compute()["floor/out_of_gamut"] == 0
