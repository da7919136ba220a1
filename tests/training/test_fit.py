"""What a training comes to, and its parts that must agree: schedule and validation, batches and ranks."""

import time
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint

from colorize.errors import ColorizeError
from colorize.tasks import LabTask
from colorize.training.callbacks import FinalTest, FitResult, SaveConfig, WatchRanks
from colorize.training.config import plain
from colorize.training.fit import best_checkpoint, fit
from colorize.training.loggers import MetricsCSV
from colorize.training.progress import ProgressBar
from colorize.training.resume import LastCheckpoint
from tests.training.small import config, make_data, make_task, make_trainer

pytestmark = pytest.mark.filterwarnings("ignore")


def test_plateau_waits_for_the_epochs_that_validate(tmp_path: Path) -> None:
    scheduler = {"name": "plateau", "patience": 0, "factor": 0.5, "threshold": 1e9}  # nothing is better
    trainer = make_trainer(tmp_path, max_epochs=5, check_val_every_n_epoch=2)
    trainer.fit(make_task(scheduler=scheduler), datamodule=make_data())
    assert trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(0.05 / 4)  # two validations, each lowers it


@pytest.mark.parametrize(("pictures", "dropped"), [(12, False), (15, False), (16, True), (17, True)])
def test_a_rank_whose_share_is_below_a_batch_keeps_it(pictures: int, dropped: bool) -> None:
    """Of 12 pictures two ranks get 6 each, and of 15 they get 7: none comes twice."""
    data = make_data(train_size=pictures, batch_size=8)
    data.trainer = pl.Trainer(accelerator="cpu", devices=2, strategy="ddp", logger=False, enable_checkpointing=False)
    data.setup("fit")
    assert data.train_dataloader().drop_last is dropped


def test_the_best_checkpoint_of_the_run_gone_on_from_is_not_this_runs(tmp_path: Path) -> None:
    make_trainer(tmp_path / "first", max_epochs=1).fit(make_task(), datamodule=make_data())
    first = tmp_path / "first/best.ckpt"
    second = make_trainer(tmp_path / "second", [FitResult()], max_epochs=2, limit_val_batches=0)
    second.fit(make_task(), datamodule=make_data(), ckpt_path=first, weights_only=True)
    assert best_checkpoint(second) == (None, None)
    third = make_trainer(tmp_path / "third", [FitResult()], max_epochs=2)
    third.fit(make_task(), datamodule=make_data(), ckpt_path=first, weights_only=True)
    assert best_checkpoint(third)[0] == str(tmp_path / "third/best.ckpt")


@pytest.mark.parametrize("goes_on", [False, True])
def test_without_a_validation_of_its_own_a_training_has_its_last_checkpoint(goes_on: bool, tmp_path: Path) -> None:
    first = tmp_path / "first/best.ckpt" if goes_on else None
    if goes_on:
        make_trainer(tmp_path / "first", max_epochs=1).fit(make_task(), datamodule=make_data())
    folder = tmp_path / "second"
    for options, expected in (({"fast_dev_run": True}, None), ({"max_epochs": 2}, str(folder / "last.ckpt"))):
        trainer = make_trainer(folder, [FitResult()], limit_val_batches=0, **options)
        trainer.callbacks.append(LastCheckpoint(str(folder)))  # type: ignore[attr-defined] # after the other, as in conf/
        trainer.fit(make_task(), datamodule=make_data(), ckpt_path=first, weights_only=True)
        assert best_checkpoint(trainer, ended_before=True) == (expected, None)


def test_a_training_without_a_test_picture_ends_before_it_begins(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, [FinalTest()], max_epochs=1)
    with pytest.raises(ColorizeError, match=r"data\.test_size is 0"):
        trainer.fit(make_task(), datamodule=make_data(test_size=0))
    assert trainer.global_step == 0
    trainer = make_trainer(tmp_path, [FinalTest()], max_epochs=1, limit_test_batches=0)
    trainer.fit(make_task(), datamodule=make_data(test_size=0))
    assert trainer.global_step == 1


def savers(folder: Path) -> dict[str, Callback]:
    return {
        "checkpoint": ModelCheckpoint(folder, "best", "val/loss", enable_version_counter=False),
        "last": LastCheckpoint(str(folder)),
    }


class Seen(Callback):
    """What the Trainer was made with."""

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.loggers, self.kinds = [*trainer.loggers], {type(callback) for callback in trainer.callbacks}  # type: ignore[attr-defined]


def test_a_training_leaves_its_best_weights_and_says_what_it_came_to(tmp_path: Path) -> None:
    torch.manual_seed(0)
    diverging = make_task(optimizer={"name": "SGD", "lr": 50.0, "momentum": 0.9})
    cfg, logger, seen = config(tmp_path, trainer={"max_epochs": 3}), MetricsCSV(str(tmp_path)), Seen()
    begun = time.perf_counter()
    done = fit(cfg, diverging, make_data(), {**savers(tmp_path), "seen": seen}, [logger])
    took = time.perf_counter() - begun
    best, last = (torch.load(tmp_path / f"{name}.ckpt", weights_only=True) for name in ("best", "last"))
    assert done is not None
    assert done.checkpoint == str(tmp_path / "best.ckpt")
    assert done.objective == next(
        state["best_model_score"].item() for state in best["callbacks"].values() if "best_model_score" in state
    )
    assert done.facts.keys() == {"epochs", "seconds"}
    assert done.facts["epochs"] == 3
    assert 0 < done.facts["seconds"] <= took + 0.05  # rounded to tenths
    assert best["config"] == plain(cfg)
    assert best["global_step"] < last["global_step"]
    state = diverging.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in best["state_dict"].items())
    assert seen.loggers == [logger]
    assert {SaveConfig, FinalTest, FitResult, WatchRanks, LastCheckpoint} < seen.kinds
    assert ProgressBar not in seen.kinds


def test_a_bar_is_shown_where_one_is_wanted(tmp_path: Path) -> None:
    seen = Seen()
    fit(config(tmp_path, trainer={"enable_progress_bar": True}), make_task(), make_data(), {"seen": seen}, [])
    assert ProgressBar in seen.kinds


def test_what_the_best_checkpoint_says_beside_weights_reaches_the_task(tmp_path: Path) -> None:
    """The colours that a spawned process has counted."""
    told = []

    class Told(LabTask):
        def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            told.append(checkpoint["global_step"])

    fit(config(tmp_path), Told(**make_task().hparams), make_data(), savers(tmp_path), [])
    assert told == [1]


def test_a_training_goes_on_from_a_checkpoint_not_from_other_weights(tmp_path: Path) -> None:
    fit(config(tmp_path / "a"), make_task(), make_data(), savers(tmp_path / "a"), [])
    absent = {"init_from": str(tmp_path / "absent.ckpt")}
    cfg = config(
        tmp_path, trainer={"max_epochs": 3}, ckpt_path=str(tmp_path / "a/last.ckpt"), resume=True, model=absent
    )
    done = fit(cfg, make_task(), make_data(), savers(tmp_path / "b"), [])
    assert done is not None
    assert done.facts["epochs"] == 3
    assert torch.load(tmp_path / "b/last.ckpt", weights_only=True)["global_step"] == 3
    with pytest.raises(ColorizeError, match=r"absent\.ckpt"):
        fit(config(tmp_path, model=absent), make_task(), make_data(), {}, [])


def test_a_resumed_training_that_was_over_keeps_its_best(tmp_path: Path) -> None:
    cfg = config(tmp_path)
    first = fit(cfg, make_task(), make_data(), savers(tmp_path), [])
    cfg.ckpt_path = str(tmp_path / "last.ckpt")
    with pytest.raises(ColorizeError, match="made no optimizer step"):
        fit(cfg, make_task(), make_data(), savers(tmp_path), [])
    cfg.resume = True
    again = fit(cfg, make_task(), make_data(), savers(tmp_path), [])
    assert first is not None
    assert again is not None
    assert (again.checkpoint, again.objective) == (first.checkpoint, first.objective)


def test_the_last_checkpoint_stands_in_where_none_is_the_best(tmp_path: Path) -> None:
    last = LastCheckpoint(str(tmp_path))
    trainer = make_trainer(tmp_path, max_epochs=1)
    trainer.callbacks = [FitResult(), last]  # type: ignore[attr-defined]
    trainer.fit(make_task(), datamodule=make_data())
    assert best_checkpoint(trainer) == (str(tmp_path / "last.ckpt"), None)
    (tmp_path / "last.ckpt").unlink()  # as with fast_dev_run=true, which writes none
    assert best_checkpoint(trainer) == (None, None)


def test_no_training_begins_without_a_picture_to_test_it_with(tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match=r"data\.test_size is 0"):
        fit(config(tmp_path), make_task(), make_data(test_size=0), {}, [])
