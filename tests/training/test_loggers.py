"""Loggers from the start of a run to its end."""

import sys
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.loggers import CSVLogger, WandbLogger

from colorize.data.folder import download
from colorize.errors import ColorizeError
from colorize.training.loggers import open_loggers, tensorboard_logger
from colorize.training.loggers.wandb import wandb_logger


class FakeWandb(WandbLogger):
    """Keeps what it is given, and knows no run."""

    configs: list[Any]
    ended: list[int]

    def __init__(self) -> None:
        super().__init__(name="fake")

    def log_hyperparams(self, params: Any) -> None:
        self.configs.append(params)


@pytest.fixture
def cfg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DictConfig:
    """A CSV file and a W&B run."""
    monkeypatch.setattr(FakeWandb, "configs", [], raising=False)
    monkeypatch.setattr(FakeWandb, "ended", [], raising=False)
    monkeypatch.setattr(
        "colorize.training.loggers.wandb.finish", lambda logger, exit_code: logger.ended.append(exit_code)
    )
    csv = {"_target_": "pytorch_lightning.loggers.CSVLogger", "save_dir": str(tmp_path), "name": "", "version": ""}
    return OmegaConf.create({"seed": 3, "logger": {"wandb": {"_target_": f"{__name__}.FakeWandb"}, "csv": csv}})


def test_loggers_are_given_the_configuration_and_closed(cfg: DictConfig, tmp_path: Path) -> None:
    with open_loggers(cfg) as loggers:
        assert [type(logger) for logger in loggers] == [FakeWandb, CSVLogger]
        assert [config["seed"] for config in FakeWandb.configs] == [3]
        loggers[1].log_metrics({"test/psnr": 20.0}, step=0)
        assert FakeWandb.ended == []
    assert FakeWandb.ended == [0]
    assert (tmp_path / "metrics.csv").read_text().splitlines()[-1] == "0,20.0"


def test_a_failed_run_is_ended_as_failed_and_loses_no_metric(cfg: DictConfig, tmp_path: Path) -> None:
    def fail() -> None:
        with open_loggers(cfg) as loggers:
            loggers[1].log_metrics({"test/psnr": 20.0}, step=0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert FakeWandb.ended == [1]
    assert (tmp_path / "metrics.csv").is_file()


def test_a_logger_that_cannot_close_does_not_keep_the_others_open(
    cfg: DictConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(CSVLogger, "finalize", full)
    with pytest.raises(OSError, match="disk full"), open_loggers(cfg):
        pass
    assert FakeWandb.ended == [1]


def test_a_logger_that_cannot_start_ends_those_that_have(cfg: DictConfig) -> None:
    cfg.logger["late"] = {"_target_": "colorize.training.loggers.none_such"}
    with pytest.raises(Exception, match="none_such"), open_loggers(cfg):
        pass
    assert FakeWandb.ended == [1]


def test_one_that_is_null_is_left_out(cfg: DictConfig) -> None:
    cfg.logger.csv = None
    with open_loggers(cfg) as loggers:
        assert [type(logger) for logger in loggers] == [FakeWandb]


def test_a_missing_tensorboard_is_named_with_its_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*args: Any, **kwargs: Any) -> None:
        raise ModuleNotFoundError("tensorboard")

    monkeypatch.setattr("colorize.training.loggers.tensorboard.TensorBoardLogger", missing)
    with pytest.raises(ColorizeError, match=r"pip install 'colorize\[tensorboard\]'"):
        tensorboard_logger(str(tmp_path))


@pytest.mark.parametrize(("package", "extra"), [("wandb", "wandb"), ("kagglehub", "kaggle")])
def test_a_missing_package_is_named_with_its_install(
    package: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # every import of it is an ImportError
    with pytest.raises(ColorizeError, match=rf"pip install 'colorize\[{extra}\]'"):
        wandb_logger(str(tmp_path), "colorize", "a run") if package == "wandb" else download("owner/name")
