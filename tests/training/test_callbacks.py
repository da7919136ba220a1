"""Averaged weights, and which checkpoints a training leaves."""

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

from colorize.data.scenes import SceneData
from colorize.errors import ColorizeError
from colorize.tasks import LabTask
from colorize.training.callbacks import EMA
from colorize.training.restore import load_task

CONF = Path(__file__).resolve().parents[2] / "conf"


def make_data(**sizes: int) -> SceneData:
    return SceneData(
        image_size=16, batch_size=8, train_size=8, val_size=4, test_size=4, augment={"flip": False}, **sizes
    )


def fit(epochs: int, callbacks: list[pl.Callback], lr: float = 0.05, ckpt_path: Path | None = None) -> pl.Trainer:
    """Train a small model for one step an epoch."""
    pl.seed_everything(0, verbose=False)
    task = LabTask(
        network={"name": "UNet", "width": 4, "depth": 1},
        loss={"name": "mse"},
        optimizer={"name": "SGD", "lr": lr, "momentum": 0.9},
    )
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=False,
        callbacks=callbacks,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(task, datamodule=make_data(), ckpt_path=ckpt_path, weights_only=True)
    return trainer


def savers(run_dir: Path) -> list[pl.Callback]:
    """The callbacks that save best.ckpt and last.ckpt into RUN_DIR/checkpoints."""
    settings = {"run_dir": str(run_dir), "resume": False}
    cfg = OmegaConf.create({**settings, "callbacks": OmegaConf.load(CONF / "callbacks/default.yaml")})
    return [instantiate(cfg.callbacks[name]) for name in ("checkpoint", "last")]


def load(path: Path) -> dict[str, Any]:
    checkpoint: dict[str, Any] = torch.load(path, weights_only=True)
    return checkpoint


def assert_close(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> None:
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


class Weight(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.999])
def test_ema_follows_its_formula(decay: float) -> None:
    module, ema = Weight(), EMA(decay)
    cpu = SimpleNamespace(strategy=SimpleNamespace(root_device=torch.device("cpu")))
    ema.setup(cpu, module, "fit")  # type: ignore[arg-type]
    expected = 0.0
    for step in range(20):
        value = (-1.0) ** step * step**2
        module.weight.data.fill_(value)
        trainer = SimpleNamespace(global_step=step + 1)
        ema.on_train_batch_end(trainer, module, None, None, step)  # type: ignore[arg-type]
        expected = value if step == 0 else value + (expected - value) * min(decay, (1 + step) / (10 + step))
        checkpoint: dict[str, Any] = {"state_dict": module.state_dict()}
        ema.on_save_checkpoint(trainer, module, checkpoint)  # type: ignore[arg-type]
        assert checkpoint["state_dict"]["weight"].item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("decay", [-0.1, 1.0])
def test_ema_refuses_a_decay_that_never_or_wrongly_learns(decay: float) -> None:
    with pytest.raises(ColorizeError, match=r"callbacks\.ema\.decay"):
        EMA(decay)


class Record(pl.Callback):
    """Keeps the raw weights after each step and, when training begins, those it begins with."""

    def __init__(self, ema: EMA) -> None:
        self.ema = ema
        self.steps: list[dict[str, torch.Tensor]] = []
        self.start: dict[str, Any] = {}

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.start = {"state_dict": module.state_dict()}
        self.ema.on_save_checkpoint(trainer, module, self.start)
        self.start = copy.deepcopy(self.start)

    def on_train_batch_end(self, trainer: pl.Trainer, module: pl.LightningModule, *_: Any) -> None:
        self.steps.append(copy.deepcopy(module.state_dict()))


def test_the_averaged_weights_are_what_is_validated_and_saved(tmp_path: Path) -> None:
    ema = EMA(0.9)
    record = Record(ema)
    trainer = fit(3, [record, ema, *savers(tmp_path)])
    best = load(tmp_path / "checkpoints/best.ckpt")
    assert best["global_step"] == len(record.steps) == 3  # it got better each time
    average = record.steps[0]
    for n, raw in enumerate(record.steps[1:], start=1):
        keep = (1 + n) / (10 + n)
        average = {name: raw[name] + (average[name] - raw[name]) * keep for name in raw}
    counts = {name: value for name, value in record.steps[-1].items() if not value.is_floating_point()}
    average |= counts  # BatchNorm's batches, which are not averaged
    task = load_task(tmp_path / "checkpoints/best.ckpt")
    assert_close(dict(task.state_dict()), average)
    assert_close(best["current_model_state"], record.steps[-1])

    fresh = pl.Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False)
    (metrics,) = fresh.validate(task, datamodule=make_data(), verbose=False)
    assert metrics["val/loss"] == pytest.approx(trainer.callback_metrics["val/loss"].item(), rel=1e-5)
    task.load_state_dict(best["current_model_state"])
    (raw_metrics,) = fresh.validate(task, datamodule=make_data(), verbose=False)
    assert raw_metrics["val/loss"] != pytest.approx(metrics["val/loss"], rel=1e-4)


def test_a_resumed_average_goes_on_as_if_never_stopped(tmp_path: Path) -> None:
    fit(4, [EMA(0.9), *savers(tmp_path / "whole")])
    fit(2, [EMA(0.9), *savers(tmp_path / "first")])
    first, ema = tmp_path / "first/checkpoints/last.ckpt", EMA(0.9)
    record = Record(ema)
    fit(4, [record, ema, *savers(tmp_path / "second")], ckpt_path=first)
    assert len(record.steps) == 2
    begun, ended = load(first), load(tmp_path / "second/checkpoints/last.ckpt")
    whole = load(tmp_path / "whole/checkpoints/last.ckpt")
    for name in ("state_dict", "current_model_state", "averaging_state"):
        assert_close(record.start[name], begun[name])
        assert_close(ended[name], whole[name])
    with pytest.raises(AssertionError):
        assert_close(begun["state_dict"], begun["current_model_state"])


def test_after_a_training_the_network_is_its_average(tmp_path: Path) -> None:
    """Also where no checkpoint is written that could be read back."""
    trainer = fit(2, [EMA(0.9), *savers(tmp_path)])
    assert_close(trainer.lightning_module.state_dict(), load(tmp_path / "checkpoints/last.ckpt")["state_dict"])


def test_the_last_checkpoint_is_of_the_last_epoch_even_when_it_is_worse(tmp_path: Path) -> None:
    fit(3, savers(tmp_path), lr=50)
    assert load(tmp_path / "checkpoints/best.ckpt")["epoch"] < 2
    assert load(tmp_path / "checkpoints/last.ckpt")["epoch"] == 3  # done
    assert {path.name for path in (tmp_path / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
