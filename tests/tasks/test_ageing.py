"""Tasks on aged pictures: the network sees them, the loss and the metrics are those of the truth."""

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from colorize.data.ageing import age
from colorize.tasks import LabTask, RGBTask
from colorize.tasks.base import Task
from tests.training.small import make_data, make_trainer

PLAIN: dict[str, Any] = {
    "network": {"name": "UNet", "width": 4, "depth": 1},
    "loss": {"name": "mse"},
    "optimizer": {"name": "SGD", "lr": 0.05},
}
KINDS = [(RGBTask, {}), (LabTask, {}), (LabTask, {"luminance": "lab"}), (LabTask, {"loss_space": "rgb"})]


class Oracle(torch.nn.Module):
    """Says what the task is to say, whatever it is shown, and keeps that."""

    def __init__(self, answer: Tensor) -> None:
        super().__init__()
        self.answer = answer

    def forward_any_size(self, x: Tensor) -> Tensor:
        self.seen = x
        return self.answer


class SeenKeys(pl.Callback):
    """Keeps what is in a batch of training and of validation."""

    def __init__(self) -> None:
        self.of: dict[str, set[str]] = {}

    def on_train_batch_start(self, trainer: Any, module: Any, batch: dict[str, Tensor], batch_idx: int) -> None:
        self.of["train"] = set(batch)

    def on_validation_batch_start(self, trainer: Any, module: Any, batch: dict[str, Tensor], *args: Any) -> None:
        self.of["val"] = set(batch)


@pytest.fixture
def batch() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    rgb = torch.randint(60, 200, (3, 3, 16, 16), dtype=torch.uint8, generator=generator)
    return {"rgb": rgb, "index": torch.arange(3), "seen": torch.rand(3, 1, 16, 16, generator=generator)}


@pytest.mark.parametrize(("kind", "fields"), KINDS)
def test_the_network_sees_the_aged_picture_and_is_to_say_the_truth(
    kind: type[Task], fields: dict[str, str], batch: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = kind(**PLAIN, **fields)
    monkeypatch.setattr(task, "log", lambda *args, **kwargs: None)
    clean = {name: value for name, value in batch.items() if name != "seen"}
    assert torch.equal(task.answer(batch), task.answer(clean))
    said = task.target.target(clean)
    oracle = Oracle(torch.atanh(said) if kind is LabTask else said)
    task.network = oracle  # type: ignore[assignment]
    clean_loss = task.training_step(clean, 0)
    clean_input = oracle.seen
    aged_loss = task.training_step(batch, 0)
    torch.testing.assert_close(oracle.seen, task.target.see(batch["seen"].expand(-1, 3, -1, -1)))
    assert (oracle.seen - clean_input).abs().mean() > 0.1
    assert torch.equal(aged_loss, clean_loss)  # also in RGB, on the luminance of the truth


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("kind", "fields"), KINDS)
def test_training_alone_is_on_aged_pictures(kind: type[Task], fields: dict[str, str], tmp_path: Path) -> None:
    keys = SeenKeys()
    trainer = make_trainer(tmp_path, [keys], fast_dev_run=True)
    trainer.fit(kind(**PLAIN, **fields), datamodule=make_data(augment={"ageing": 0.5}))
    assert trainer.callback_metrics["val/loss"].isfinite()
    assert keys.of == {"train": {"rgb", "index", "seen"}, "val": {"rgb", "index"}}


@pytest.mark.filterwarnings("ignore")
def test_a_test_on_aged_pictures_judges_the_colours_against_the_same_floor(tmp_path: Path) -> None:
    torch.manual_seed(0)
    task, data, trainer = LabTask(**PLAIN), make_data(), make_trainer(tmp_path)
    data.setup("test")
    clean = list(data.test_dataloader())
    (of_clean,) = trainer.test(task, DataLoader(clean, batch_size=None), verbose=False)

    def aged() -> dict[str, float]:
        generator = torch.Generator().manual_seed(0)
        batches = [batch | {"seen": age(batch["rgb"], generator)} for batch in clean]
        return dict(trainer.test(task, DataLoader(batches, batch_size=None), verbose=False)[0])

    of_aged = aged()
    assert of_aged == aged()
    assert of_aged["floor/mse"] == of_clean["floor/mse"]
    assert of_aged["test/mse"] != of_clean["test/mse"]
    task.network = Oracle(torch.zeros(4, 2, 16, 16))  # type: ignore[assignment]
    assert aged()["test/mse"] == pytest.approx(of_clean["floor/mse"], rel=1e-3)  # on the luminance of the truth
