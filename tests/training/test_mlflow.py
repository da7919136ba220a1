"""MLflow runs in a local folder, read back."""

import sys
from pathlib import Path
from typing import Any

import mlflow
import pytest
import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf

from colorize.errors import ColorizeError
from colorize.training.callbacks import SamplePictures, SaveConfig
from colorize.training.loggers import log_test_results, open_loggers
from colorize.training.loggers import mlflow as ours
from colorize.training.loggers.mlflow import mlflow_logger, read_run_id
from tests.training.small import make_data, make_task


def runs(folder: Path) -> list[Any]:
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    (experiment,) = [found for found in client.search_experiments() if found.name == "colorize"]
    return list(client.search_runs([experiment.experiment_id], order_by=["attributes.start_time"]))


def config(folder: Path, **settings: Any) -> DictConfig:
    logger = {"_target_": "colorize.training.loggers.mlflow.mlflow_logger", "experiment": "colorize", "name": "a run"}
    return OmegaConf.create(
        {"seed": 3, "model": {"width": 4}, "logger": {"mlflow": logger | {"folder": str(folder)} | settings}}
    )


def train(cfg: DictConfig, folder: Path) -> Path:
    """A training with its samples, and what is logged of its test; the checkpoint."""
    folder.mkdir()
    data, task = make_data(), make_task()
    saver = pl.callbacks.ModelCheckpoint(folder, "best", enable_version_counter=False)
    with open_loggers(cfg) as loggers:
        trainer = pl.Trainer(
            accelerator="cpu",
            devices=1,
            max_epochs=1,
            logger=loggers,
            callbacks=[SamplePictures(str(folder / "samples.png"), count=2), SaveConfig({"seed": 3}), saver],
            enable_progress_bar=False,
            enable_model_summary=False,
            log_every_n_steps=1,
        )
        trainer.fit(task, datamodule=data)
        metrics = {"parameters": 7, "test/psnr": 20.0, "weights": "abc"}
        log_test_results(loggers, task, data, metrics, saver.best_model_path)
    return Path(saver.best_model_path)


def test_a_run_is_read_back_from_its_folder_and_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "my runs"
    checkpoint = train(config(folder, tags=["quick"]), tmp_path / "first")
    (run,) = runs(folder)
    assert (run.info.run_name, run.info.status) == ("a run", "FINISHED")
    assert run.data.params == {
        "seed": "3",
        "model/width": "4",
        **{f"logger/mlflow/{key}": str(value) for key, value in config(folder, tags=["quick"]).logger.mlflow.items()},
    }
    assert {"val/loss", "val/psnr", "train/loss_epoch", "parameters"} <= run.data.metrics.keys()
    assert (run.data.tags["quick"], run.data.tags["job"]) == ("true", "train")
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    pictures = [file.path for file in client.list_artifacts(run.info.run_id, "images")]
    assert any(path.startswith("images/samples") and path.endswith(".png") for path in pictures)
    kept = folder / "artifacts" / run.info.run_id / "artifacts/checkpoints/best.ckpt"
    assert kept.read_bytes() == checkpoint.read_bytes()
    assert read_run_id(checkpoint) == run.info.run_id

    train(config(folder, ckpt_path=str(checkpoint)), tmp_path / "second")
    (again,) = runs(folder)
    assert again.info.run_id == run.info.run_id
    assert again.data.params == run.data.params  # which MLflow lets nobody change


def test_each_run_of_a_sweep_is_one_and_a_crashed_one_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ours, "sweep", lambda: "my_sweep")
    cfg = config(tmp_path)

    def fail() -> None:
        with open_loggers(cfg):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with open_loggers(cfg):
        pass
    crashed, whole = runs(tmp_path)
    assert (crashed.info.status, whole.info.status) == ("FAILED", "FINISHED")
    assert {run.data.tags["sweep"] for run in (crashed, whole)} == {"my_sweep"}


def checkpoint_of(path: Path, **content: Any) -> Path:
    torch.save({"task": "LabTask", "hyper_parameters": {}, "state_dict": {}, **content}, path)
    return path


@pytest.mark.parametrize("run_id", ["", "../../x", "a b", "a\n", "x" * 65, 7, ["3bl0ijn4"]])
def test_a_strangers_run_id_is_refused(run_id: Any, tmp_path: Path) -> None:
    with pytest.raises(ColorizeError, match=r"a\.ckpt is no id of an MLflow run: .*logger=csv"):
        read_run_id(checkpoint_of(tmp_path / "a.ckpt", mlflow_run_id=run_id))


def test_a_run_that_is_not_there_any_more_is_begun_anew(tmp_path: Path) -> None:
    checkpoint = checkpoint_of(tmp_path / "a.ckpt", mlflow_run_id="f" * 32)
    logger = mlflow_logger(str(tmp_path / "mlruns"), "colorize", "a run", ckpt_path=str(checkpoint))
    assert [run.info.run_id for run in runs(tmp_path / "mlruns")] == [logger.run_id]


@pytest.mark.parametrize("package", ["mlflow", "sqlalchemy"])
def test_a_missing_package_is_named_with_its_install(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # every import of it is an ImportError
    with pytest.raises(ColorizeError, match=r"pip install 'colorize\[mlflow\]'"):
        mlflow_logger(str(tmp_path), "colorize", "a run")


def test_what_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ColorizeError, match=r"MLflow refuses the run: .*File exists.*Fix logger\.mlflow"):
        mlflow_logger(str(tmp_path / "file"), "colorize", "a run")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged/mlflow.db").write_text("no database")
    with pytest.raises(ColorizeError, match=r"MLflow refuses the run: .*not a database.*Fix logger\.mlflow"):
        mlflow_logger(str(tmp_path / "damaged"), "colorize", "a run")
    with pytest.raises(ColorizeError, match=r"logger\.mlflow\.tags=\[quick\]"):
        mlflow_logger(str(tmp_path), "colorize", "a run", tags="quick")
    with pytest.raises(ColorizeError, match=r"MLflow refuses the run: .*logger\.mlflow"):
        mlflow_logger(str(tmp_path), "colorize", "a run", tracking_uri="nonsense://here")
