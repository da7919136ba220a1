"""What a training came to, and the final test."""

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf

from colorize.data.base import ImageArray
from colorize.errors import ColorizeError
from colorize.training.callbacks import FitResult
from colorize.training.evaluate import evaluate, summary
from colorize.training.fit import best_checkpoint
from tests.training.small import make_data, make_task, make_trainer

pytestmark = pytest.mark.filterwarnings("ignore")


def config(folder: Path, **trainer: Any) -> DictConfig:
    cfg = {
        "_target_": "pytorch_lightning.Trainer",
        "accelerator": "cpu",
        "devices": 2,
        "num_nodes": 2,
        "strategy": "ddp",
        "fast_dev_run": False,
        "enable_progress_bar": False,
        **trainer,
    }
    return OmegaConf.create({"trainer": cfg, "run_dir": str(folder)})


def test_a_training_says_what_it_came_to(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, [FitResult()], max_epochs=3)
    trainer.fit(make_task(), datamodule=make_data(train_size=16))
    path, score = best_checkpoint(trainer)
    assert path == str(tmp_path / "best.ckpt")
    assert score == trainer.checkpoint_callback.best_model_score.item()  # type: ignore[union-attr]
    assert trainer.callback_metrics["fit/epochs"] == 3
    assert trainer.callback_metrics["fit/steps"] == 6


@pytest.mark.parametrize(
    ("options", "epochs"), [({"max_steps": 3}, 1.5), ({"max_steps": 4}, 2), ({"max_epochs": 0}, 0)]
)
def test_an_epoch_that_was_cut_short_counts_by_its_share(options: Any, epochs: float, tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, [FitResult()], **options)
    trainer.fit(make_task(), datamodule=make_data(train_size=16))
    assert trainer.callback_metrics["fit/epochs"] == epochs


def test_a_name_that_holds_that_of_its_metric_is_a_path(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, [FitResult()], max_epochs=1)
    saver: Any = trainer.checkpoint_callback
    saver.filename = "{val/loss:.1f}"
    trainer.fit(make_task(), datamodule=make_data())
    assert best_checkpoint(trainer) == (saver.best_model_path, saver.best_model_score.item())
    assert Path(saver.best_model_path).parent.parent == tmp_path


def test_the_best_score_is_known_where_lightning_forgets_it(tmp_path: Path) -> None:
    """As its launcher of ddp_spawn does: it hands back the path and the metrics of the callbacks."""
    trainer = make_trainer(tmp_path, [FitResult()], max_epochs=1)
    trainer.fit(make_task(), datamodule=make_data())
    _, score = best_checkpoint(trainer)
    saver: Any = trainer.checkpoint_callback
    saver.best_model_score = saver.dirpath = None
    assert best_checkpoint(trainer) == (saver.best_model_path, score)
    assert score is not None


@pytest.mark.parametrize(
    "arguments", [{"limit_train_batches": 0}, {"max_epochs": 0}, {"max_time": {"seconds": 0}, "max_epochs": -1}]
)
def test_a_training_without_a_step_is_a_mistake(arguments: dict[str, Any], tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, [FitResult()], **arguments)
    trainer.fit(make_task(), datamodule=make_data())
    with pytest.raises(ColorizeError, match=r"made no optimizer step.*trainer\.max_epochs"):
        best_checkpoint(trainer)


def test_a_resumed_training_that_was_over_is_a_mistake(tmp_path: Path) -> None:
    make = {"max_epochs": 1}
    first = make_trainer(tmp_path, [FitResult()], **make)
    first.fit(make_task(), datamodule=make_data())
    again = make_trainer(tmp_path, [FitResult()], **make)
    again.fit(make_task(), datamodule=make_data(), ckpt_path=tmp_path / "best.ckpt", weights_only=True)
    with pytest.raises(ColorizeError, match="made no optimizer step"):
        best_checkpoint(again)


def test_a_training_that_diverged_is_a_mistake(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, [FitResult()], max_epochs=1)
    trainer.fit(make_task(optimizer={"name": "SGD", "lr": 1e30}), datamodule=make_data(train_size=16))
    with pytest.raises(ColorizeError, match=r"diverged: val/loss was never finite"):
        best_checkpoint(trainer)


class Ranks(pl.Callback):
    """Says which device the test runs on, and in how many processes."""

    def on_test_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.seen = (trainer.world_size, trainer.strategy.root_device)
        self.epoch = trainer.current_epoch


@pytest.mark.parametrize(
    ("limit", "tested"), [(None, 11), (2, 8), (0.5, 4), (3, 11), (0, 0)], ids=["all", "two", "half", "three", "none"]
)
def test_the_pictures_that_were_tested_are_counted(limit: float | None, tested: int, tmp_path: Path) -> None:
    """One process tests, whatever trained: 11 pictures make batches of 4, 4 and 3."""
    data, ranks = make_data(batch_size=4, test_size=11), Ranks()
    data.setup("test")
    metrics = evaluate(config(tmp_path, limit_test_batches=limit), make_task(), data, {"samples": ranks}, [], {})
    assert metrics["n_images"] == tested
    assert json.loads((tmp_path / "metrics.json").read_text())["n_images"] == tested
    assert summary(metrics, tmp_path, None).startswith(f"test, {tested} pictures")
    if tested:
        assert ranks.seen == (1, torch.device("cpu"))


def test_the_command_that_uses_a_checkpoint_names_the_modules_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["train.py"])
    title, *_, use = summary({"n_images": 1}, tmp_path, "best one.ckpt", ["mine", "b.c"]).splitlines()
    assert title.startswith("test, 1 picture  ")
    assert use == (
        "use: python predict.py 'plugins=[mine,b.c]' 'checkpoint=best one.ckpt' input=PHOTO_OR_FOLDER output=FOLDER"
    )
    assert " plugins=mine checkpoint=a " in summary({"n_images": 2}, tmp_path, "a", "mine")


def test_without_a_test_picture_there_are_facts_alone(tmp_path: Path) -> None:
    data = make_data(test_size=0)
    data.setup("test")
    metrics = evaluate(config(tmp_path, limit_test_batches=0), make_task(), data, {}, [], {"epochs": 1})
    assert metrics["n_images"] == 0
    assert {path.name for path in tmp_path.glob("*.*")} == {"metrics.json"}


def test_the_samples_are_the_first_test_pictures(tmp_path: Path) -> None:
    data, task, ranks = make_data(test_size=9), make_task(), Ranks()
    data.setup("test")
    evaluate(config(tmp_path), task, data, {"samples": ranks}, [], {"epochs": 7})
    assert ranks.epoch == 7  # where charts show the test
    samples, batch = np.load(tmp_path / "test_samples.npz"), data.sample("test", 8)
    assert set(samples) == {"input", "prediction", "truth", "index"}
    np.testing.assert_array_equal(samples["index"], batch["index"])
    np.testing.assert_array_equal(samples["truth"], batch["rgb"].permute(0, 2, 3, 1))
    assert (samples["input"] == samples["input"][..., :1]).all()
    with torch.no_grad():
        expected = 255 * task.pictures(batch)[1].permute(0, 2, 3, 1)
    assert samples["prediction"].dtype == np.uint8
    np.testing.assert_allclose(samples["prediction"], expected, atol=0.51)


def test_a_value_that_json_cannot_hold_is_null(tmp_path: Path) -> None:
    """Of black pictures the gray floor is perfect: its psnr is infinite."""
    data = make_data()
    data.splits["test"] = ImageArray([np.zeros((4, 16, 16, 3), np.uint8)], np.arange(4))
    metrics = evaluate(config(tmp_path), make_task(), data, {}, [], {})
    assert metrics["floor/psnr"] is None
    assert json.loads((tmp_path / "metrics.json").read_text()) == metrics
    (line,) = (line for line in summary(metrics, tmp_path, None).splitlines() if line.split()[0] == "psnr")
    assert line.endswith("      none")


class Terminate(pl.Callback):
    def on_test_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("test_size", [4, 16], ids=["last batch", "first batch"])
def test_a_test_that_is_told_to_end_does(test_size: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = make_data(test_size=test_size)
    with pytest.raises(SystemExit) as ended:
        evaluate(config(tmp_path), make_task(), data, {"samples": Terminate()}, [], {})
    assert ended.value.code == 143
    assert capsys.readouterr().err.splitlines()[-1] == "stopped."
    assert not [*tmp_path.iterdir()]


def test_samples_that_cannot_be_written_leave_those_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(file: Any, **arrays: np.ndarray) -> None:
        Path(getattr(file, "name", file)).write_bytes(b"half")
        raise OSError("no room")

    (tmp_path / "test_samples.npz").write_bytes(b"before")
    monkeypatch.setattr(np, "savez", fail)
    data = make_data()
    data.setup("test")
    with pytest.raises(OSError, match="no room"):
        evaluate(config(tmp_path), make_task(), data, {}, [], {})
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("test_samples.npz", b"before")]
