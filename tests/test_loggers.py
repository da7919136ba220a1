"""Loggers beside the CSV file."""

import logging
import os
from pathlib import Path
from typing import Any

import pytest
import wandb

from colorize.errors import ColorizeError
from colorize.loggers import finish, tensorboard_logger, wandb_logger


def test_without_a_login_each_run_is_an_offline_run_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setattr(wandb, "login", lambda prompt: False)
    for number in range(2):
        with caplog.at_level(logging.WARNING):
            logger = wandb_logger(str(tmp_path), project="colorize", name=f"run {number}")
        logger.log_metrics({"test/psnr": 20.0 + number}, step=0)
        finish([logger])
    assert len(list((tmp_path / "wandb").glob("offline-run-*/run-*.wandb"))) == 2
    assert [record.name for record in caplog.records].count("colorize.loggers") == 2
    assert "WANDB_MODE" not in os.environ


def test_a_missing_tensorboard_is_named_with_its_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*args: Any, **kwargs: Any) -> None:
        raise ModuleNotFoundError("tensorboard")

    monkeypatch.setattr("colorize.loggers.TensorBoardLogger", missing)
    with pytest.raises(ColorizeError, match=r"pip install 'colorize\[tensorboard\]'"):
        tensorboard_logger(str(tmp_path))
