"""The step that training and evaluation share: its loss is float32, a mean over pictures, and NaN stays NaN."""

from typing import Any

import pytest
import torch
from torch import Tensor

from colorize.tasks import LabTask
from tests.training.small import make_task


@pytest.fixture
def task(monkeypatch: pytest.MonkeyPatch) -> LabTask:
    task = make_task().eval()
    monkeypatch.setattr(task, "log", lambda *_, **__: None)
    return task


def batch(count: int, seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {"rgb": torch.randint(256, (count, 3, 16, 16), dtype=torch.uint8, generator=generator)}


def test_the_loss_of_an_evaluation_counts_each_picture_once(task: LabTask) -> None:
    parts = [batch(5, 0), {"rgb": batch(1, 1)["rgb"] // 8}]
    for part in parts:
        task._step(part, "val")
    together = task._step({"rgb": torch.cat([part["rgb"] for part in parts])}, "train")[2]
    assert task.eval_losses["val"].compute().item() == pytest.approx(together.item(), rel=1e-5)


@pytest.mark.filterwarnings("error")
def test_a_loss_that_is_no_number_stays_none(task: LabTask, monkeypatch: pytest.MonkeyPatch) -> None:
    task._step(batch(2, 0), "test")
    monkeypatch.setattr(task, "compare", lambda *_: torch.tensor(torch.nan))
    task._step(batch(2, 1), "test")
    assert task.eval_losses["test"].compute().isnan()


def test_a_loss_in_mixed_precision_is_of_float32(task: LabTask, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[torch.dtype] = []

    def compare(*tensors: Tensor) -> Any:
        compared.extend(tensor.dtype for tensor in tensors)
        return LabTask.compare(task, *tensors)

    monkeypatch.setattr(task, "compare", compare)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert task(torch.zeros(1, 1, 16, 16)).dtype == torch.bfloat16
        task._step(batch(2, 0), "train")
    assert compared == [torch.float32] * 3
