"""A training that goes on from any of its checkpoints comes to the same weights and rows, bit for bit."""

import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from colorize.tasks import LabTask
from colorize.training.callbacks import EMA
from colorize.training.loggers import MetricsCSV
from colorize.training.resume import LastCheckpoint
from tests.training.small import make_data, make_task

pytestmark = pytest.mark.filterwarnings("ignore")


PLATEAU = {"name": "plateau", "patience": 0, "factor": 0.5, "threshold": 10.0}  # nothing is better


class Noisy(LabTask):
    """Its steps draw from every global source of random numbers."""

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        noise = torch.rand(()) + random.random() + np.random.random()  # noqa: NPY002
        return super().training_step(batch, batch_idx) * (1 + noise)


class Keep(pl.Callback):
    """Keeps a copy of the run's folder as each checkpoint leaves it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.copies: list[Path] = []

    def copy(self) -> None:
        self.copies.append(self.folder.with_name(f"{self.folder.name}_copy{len(self.copies)}"))
        shutil.copytree(self.folder, self.copies[-1])


class KeepingLast(LastCheckpoint):
    keep: Keep

    def _save(self, trainer: pl.Trainer, ended: bool = False) -> None:
        super()._save(trainer, ended)
        if hasattr(self, "keep"):
            self.keep.copy()


def fit(folder: Path, keep: Keep | None = None, resume: bool = False, **options: Any) -> pl.Trainer:
    """Three epochs of five batches (the last of which is smaller or left out), or fewer by early stopping."""
    kind = options.pop("task", {})
    pl.seed_everything(1, verbose=False)
    task = Noisy(**{**make_task(scheduler={"name": "cosine"}).hparams, **kind})
    augment = {"crop_padding": 2}
    data = make_data(train_size=options.pop("train_size", 20), batch_size=4, augment=augment, **options.pop("data", {}))
    checkpoints = folder / "checkpoints"
    last = KeepingLast(str(checkpoints), every_n_train_steps=1, resume=resume)
    if keep is not None:
        last.keep = keep
    ckpt_path = str(checkpoints / "last.ckpt") if resume else None
    callbacks: list[pl.Callback] = [
        EMA(0.9),
        pl.callbacks.ModelCheckpoint(checkpoints, "best", "val/loss", enable_version_counter=False),
        last,
        pl.callbacks.EarlyStopping("val/loss", patience=options.pop("patience", 10), verbose=False),
        pl.callbacks.LearningRateMonitor(),
    ]
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=1,
        logger=MetricsCSV(str(folder), ckpt_path=ckpt_path),
        callbacks=callbacks,
        enable_progress_bar=False,
        enable_model_summary=False,
        **{"max_epochs": 3, "log_every_n_steps": 1, **options},
    )
    trainer.fit(task, datamodule=data, ckpt_path=ckpt_path, weights_only=True)
    return trainer


def differences(ours: Any, theirs: Any, key: str = "") -> list[str]:
    """The keys at which two checkpoints differ in a bit."""
    if isinstance(theirs, dict):
        if not isinstance(ours, dict) or ours.keys() != theirs.keys():
            return [key]
        return [name for k in theirs for name in differences(ours[k], theirs[k], f"{key}/{k}")]
    if isinstance(theirs, (list, tuple)):
        if len(ours) != len(theirs):
            return [key]
        return [
            name
            for k, (one, other) in enumerate(zip(ours, theirs, strict=True))
            for name in differences(one, other, f"{key}/{k}")
        ]
    same = torch.equal(ours, theirs) if isinstance(theirs, torch.Tensor) else ours == theirs
    return [] if same or "path" in key or "best_k_models" in key else [key]


def assert_same(folder: Path, whole: Path) -> None:
    for name in ("last.ckpt", "best.ckpt"):
        ours, theirs = (torch.load(path / "checkpoints" / name, weights_only=True) for path in (folder, whole))
        for part in ("state_dict", "current_model_state", "averaging_state", "optimizer_states", "lr_schedulers"):
            assert not differences(ours[part], theirs[part], part), name
    assert (folder / "metrics.csv").read_bytes() == (whole / "metrics.csv").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "checkpoints"),
    [
        ({}, 15),
        ({"accumulate_grad_batches": 2}, 9),
        ({"val_check_interval": 2, "train_size": 18}, 9),
        ({"patience": 1, "task": {"optimizer": {"name": "SGD", "lr": 50.0}}, "gradient_clip_val": 1e9}, 10),
        ({"task": {"scheduler": PLATEAU}}, 15),
        ({"check_val_every_n_epoch": 2, "max_epochs": 4}, 20),
        ({"limit_train_batches": 3}, 9),
        ({"max_steps": 15, "max_epochs": -1}, 15),
    ],
    ids=[
        "plain",
        "accumulate",
        "validate inside",
        "early stopping",
        "plateau",
        "every second epoch",
        "limited",
        "steps",
    ],
)
def test_it_goes_on_from_any_checkpoint(options: dict[str, Any], checkpoints: int, tmp_path: Path) -> None:
    run, whole = tmp_path / "run", tmp_path / "whole"
    keep = Keep(run)
    fit(run, keep, **options)
    run.rename(whole)
    for copy in {*keep.copies[1::3], keep.copies[-1]}:
        copy.rename(run)
        fit(run, resume=True, **options)
        assert_same(run, whole)
        shutil.rmtree(run)
    assert len(keep.copies) == checkpoints


@pytest.mark.parametrize(
    "options", [{"log_every_n_steps": 2}, {"task": {"scheduler": PLATEAU}}], ids=["logs", "plateau"]
)
def test_it_goes_on_from_the_middle_of_an_epoch(options: dict[str, Any], tmp_path: Path) -> None:
    """One of those above, which are many."""
    run, whole = tmp_path / "run", tmp_path / "whole"
    keep = Keep(run)
    fit(run, keep, max_epochs=2, **options)
    run.rename(whole)
    keep.copies[6].rename(run)
    fit(run, resume=True, max_epochs=2, **options)
    assert_same(run, whole)


@pytest.mark.parametrize(
    ("fewer", "more"), [({"max_epochs": 1}, {"max_epochs": 2}), ({"max_steps": 5}, {"max_steps": 10})]
)
def test_a_longer_training_goes_on_from_the_end_of_a_shorter(
    fewer: dict[str, Any], more: dict[str, Any], tmp_path: Path
) -> None:
    """The moving average, which the network has at the end, is not what the training goes on with."""
    constant: dict[str, Any] = {"task": {"scheduler": None}}
    run, whole = tmp_path / "run", tmp_path / "whole"
    fit(run, **more, **constant)
    run.rename(whole)
    fit(run, **fewer, **constant)
    fit(run, resume=True, **more, **constant)
    assert_same(run, whole)


def test_it_goes_on_from_the_begin_of_an_epoch_where_steps_are_limited(tmp_path: Path) -> None:
    limited: dict[str, Any] = {"max_steps": 10, "max_epochs": -1}
    run, whole = tmp_path / "run", tmp_path / "whole"
    keep = Keep(run)
    fit(run, keep, **limited)
    run.rename(whole)
    keep.copies[4].rename(run)
    fit(run, resume=True, **limited)
    assert_same(run, whole)


def test_a_limit_of_steps_that_is_not_reached_changes_nothing(tmp_path: Path) -> None:
    options: dict[str, Any] = {"task": {"scheduler": PLATEAU}, "max_epochs": 2}
    fit(tmp_path / "limited", max_steps=100, **options)
    fit(tmp_path / "whole", **options)
    assert_same(tmp_path / "limited", tmp_path / "whole")


def test_a_training_that_stopped_early_stays_stopped(tmp_path: Path) -> None:
    worse: dict[str, Any] = {
        "patience": 1,
        "task": {"optimizer": {"name": "SGD", "lr": 50.0}},
        "gradient_clip_val": 1e9,
    }
    steps = fit(tmp_path, **worse).global_step
    assert steps == 10
    assert fit(tmp_path, resume=True, **worse).global_step == steps
