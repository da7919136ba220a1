"""Trainings whose parts must agree: schedule and validation, batches and ranks."""

from pathlib import Path

import pytest
import pytorch_lightning as pl
from omegaconf import OmegaConf

from colorize.errors import ColorizeError
from colorize.training.callbacks import FinalTest, FitResult
from colorize.training.fit import best_checkpoint, fit
from colorize.training.resume import LastCheckpoint
from tests.training.small import make_data, make_task, make_trainer

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


def test_more_batches_between_validations_than_there_are_is_a_mistake(tmp_path: Path) -> None:
    trainer = {"_target_": "pytorch_lightning.Trainer", "val_check_interval": 100, "enable_progress_bar": False}
    model = {"init_from": None, "encoder_weights": None}
    cfg = OmegaConf.create({"trainer": trainer, "model": model, "ckpt_path": None, "run_dir": str(tmp_path)})
    with pytest.raises(
        ColorizeError, match=r"^trainer: `val_check_interval` \(100\) must be less than or equal to the"
    ):
        fit(cfg, make_task(), make_data(), {}, [])
